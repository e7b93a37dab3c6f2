"""`gohd talk`: a portrait and a sound become a talking video."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

from gohd_core.choices import PRECISIONS, SAMPLERS
from gohd_core.commands.inputs import (
    PICTURES,
    SOUNDS,
    files,
    gaze_angles,
    is_folder,
    numbers,
    result_names,
    show,
    within,
)
from gohd_core.commands.output_options import (
    add_finishing_options,
    check_finishing,
    check_results,
    finished,
    signed,
)
from gohd_core.commands.video_options import load_detector
from gohd_core.errors import BadInput, GohdError, Interrupted

logger = logging.getLogger(__name__)

_PICTURE_FRAMES = 8


def add_commands(commands: Any) -> None:
    """Adds the command to an argparse subparsers object."""
    parser = commands.add_parser("talk", help="make a portrait talk")
    parser.add_argument("--portrait", "-p", type=Path, required=True, help="a picture, or a folder of them")
    parser.add_argument("--audio", "-a", type=Path, required=True, help="a sound or video file, or a folder")
    parser.add_argument("--output", "-o", type=Path, required=True, help="an .mp4, or a folder")
    parser.add_argument("--models", default="builtin", help="builtin, or a folder with the official weights")
    parser.add_argument("--seed", type=int, default=0, help="of head, eyes and gaze; same seed, same video")
    parser.add_argument(
        "--gaze",
        default="hold",
        help="hold (the portrait's own), sample, or PITCH,YAW in degrees, e.g. 0,20 (write --gaze=-5,20)",
    )
    parser.add_argument("--box", type=numbers, help="LEFT,TOP,RIGHT,BOTTOM of the face in pixels")
    parser.add_argument(
        "--detector",
        type=Path,
        help="folder with the face detector's weights; official models look in theirs",
    )
    parser.add_argument("--pose-scale", type=within(0, 3), default=1.0, help="factor on head movement (1)")
    parser.add_argument("--expression-scale", type=within(0, 3), default=1.0, help="factor on expression (1)")
    parser.add_argument("--mouth-scale", type=within(0, 3), default=1.0, help="factor on the mouth alone (1)")
    parser.add_argument("--eyes-scale", type=within(0, 3), default=1.0, help="factor on brows and lids (1)")
    parser.add_argument("--strength", type=within(0, 3), default=1.0, help="factor on all motion, Fig. 8 (1)")
    parser.add_argument("--sampler", default="dpmpp_2m", choices=SAMPLERS)
    parser.add_argument("--steps", type=int, help="denoising steps (the sampler's own)")
    parser.add_argument("--guidance", type=within(0, 1), help="gamma of eq. 3, 0 to 1 (the model's own)")
    parser.add_argument("--fps", type=float, default=25.0, help="frames a second, 1 to 120 (25)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps")
    parser.add_argument("--dtype", default="float32", choices=PRECISIONS)
    parser.add_argument("--motion", type=Path, help="also save the motion here (.safetensors)")
    parser.add_argument("--picture", type=Path, help="also save eight frames of the video here (.png, .jpg)")
    add_finishing_options(parser)
    parser.add_argument("--json", action="store_true", help="print what was made as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Makes one video, or one for every portrait and sound; status 1 when one of several failed."""
    jobs = pairs(arguments.portrait, arguments.audio, arguments.output)
    if len(jobs) > 1 and (arguments.motion or arguments.picture):
        raise BadInput("--motion and --picture name one file; leave them out where several videos are made.")
    check_results([job[2] for job in jobs], [path for job in jobs for path in job[:2]], ".mp4", arguments)
    check_finishing(arguments)
    import torch

    from gohd_core.models import Models

    models = Models.load(arguments.models, device=arguments.device, dtype=getattr(torch, arguments.dtype))
    detector = load_detector(arguments, needed=models.extractor.config.aligned)
    failed = 0
    for portrait, audio, output in jobs:
        try:
            made = _make(models, detector, portrait, audio, output, arguments)
        except Interrupted:
            raise
        except GohdError as error:
            if len(jobs) == 1:
                raise
            failed += 1
            made = {"portrait": str(portrait), "audio": str(audio), "error": str(error)}
        _tell(made, arguments.json)
    return 1 if failed else 0


def _tell(made: dict[str, Any], as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(made) + "\n")
    elif "error" in made:
        sys.stderr.write(f"gohd: {made['portrait']} with {made['audio']}: {made['error']}\n")
    else:
        sys.stdout.write(
            f"{made['video']}: {made['frames']} frames, {made['seconds']:.2f} s of video "
            f"in {made['computing']:.1f} s\n"
        )


def pairs(portrait: Path, audio: Path, output: Path) -> list[tuple[Path, Path, Path]]:
    """Every portrait with every sound, and where each video goes."""
    portraits, sounds = files(portrait, PICTURES, "picture"), files(audio, SOUNDS, "sound")
    found = [(p, a) for p in portraits for a in sounds]
    several = is_folder(portrait) or is_folder(audio)
    if several and output.suffix and not is_folder(output):
        raise BadInput(f"Several videos need a folder to go to; {output} looks like a file.")
    if not several and not is_folder(output):
        return [(*found[0], output)]
    return [(*pair, output / f"{name}.mp4") for pair, name in zip(found, result_names(found), strict=True)]


def _make(
    models: Any, detector: Any, portrait: Path, audio: Path, output: Path, arguments: argparse.Namespace
) -> dict[str, Any]:
    from gohd_core.audio import audio_features, load_audio
    from gohd_core.images import read_picture
    from gohd_core.motion.file import save_motion
    from gohd_core.pipeline import TalkOptions, talk
    from gohd_core.portraits import prepare_portrait
    from gohd_core.render import FrameStrip, render_video

    started = time.perf_counter()
    options = TalkOptions(
        seed=arguments.seed,
        gaze=gaze_angles(arguments.gaze),
        sampler=arguments.sampler,
        steps=arguments.steps,
        guidance=arguments.guidance,
        pose_scale=arguments.pose_scale,
        expression_scale=arguments.expression_scale,
        mouth_scale=arguments.mouth_scale,
        eyes_scale=arguments.eyes_scale,
        strength=arguments.strength,
        fps=arguments.fps,
    )
    waveform, rate = load_audio(audio)
    features = audio_features(waveform, rate, models.pose.alignment)
    prepared = prepare_portrait(
        read_picture(portrait),
        reader=models.reader,
        box=arguments.box,
        detector=detector,
        size=arguments.size or None,
        extractor=models.extractor,
        gaze_estimator=models.gaze_estimator,
    )
    motion, frames = talk(prepared, features, models, options, progress=None if arguments.json else show)
    strip = FrameStrip(_PICTURE_FRAMES, len(motion))
    frames = strip.watch(finished(frames, prepared, arguments))
    signed(render_video(output, frames, fps=motion.fps, audio=(waveform, rate)), arguments)
    if arguments.picture is not None:
        strip.save(arguments.picture)
    if arguments.motion is not None:
        info = {"portrait": portrait.name, "audio": audio.name, "seed": arguments.seed}
        save_motion(arguments.motion, motion, info)
    return {
        "video": str(output),
        "frames": len(motion),
        "seconds": features.duration,
        "computing": time.perf_counter() - started,
    }
