"""`gohd talk`: a portrait and a sound become a talking video."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from gohd_core.choices import SAMPLERS
from gohd_core.commands.batch import make_all, result_paths
from gohd_core.commands.conversation import (
    add_conversation_options,
    check_conversation,
    make_conversation,
)
from gohd_core.commands.inputs import (
    PICTURES,
    SOUNDS,
    files,
    gaze_angles,
    is_folder,
    show,
    within,
)
from gohd_core.commands.output_options import (
    add_finishing_options,
    add_model_options,
    check_finishing,
    check_results,
    finished,
    portrait_of,
    signed,
)
from gohd_core.commands.video_options import load_detector
from gohd_core.errors import BadInput

_PICTURE_FRAMES = 8


def add_commands(commands: Any) -> None:
    """Adds the command to an argparse subparsers object."""
    parser = commands.add_parser("talk", help="make a portrait talk")
    parser.add_argument("--portrait", "-p", type=Path, required=True, help="a picture, or a folder of them")
    parser.add_argument("--audio", "-a", type=Path, help="a sound or video file, or a folder")
    parser.add_argument("--output", "-o", type=Path, required=True, help="an .mp4, or a folder")
    parser.add_argument("--seed", type=int, default=0, help="of head, eyes and gaze; same seed, same video")
    parser.add_argument(
        "--gaze",
        default="hold",
        help="hold (the portrait's own), sample, or PITCH,YAW in degrees, e.g. 0,20 (write --gaze=-5,20)",
    )
    parser.add_argument(
        "--detector",
        type=Path,
        help="folder with the face detector's weights; official models look in theirs",
    )
    parser.add_argument("--pose-scale", type=within(0, 3), default=1.0, help="factor on head movement (1)")
    parser.add_argument("--expression-scale", type=within(0, 3), default=1.0, help="factor on expression (1)")
    parser.add_argument("--mouth-scale", type=within(0, 3), default=1.0, help="factor on the mouth alone (1)")
    parser.add_argument("--eyes-scale", type=within(0, 3), default=1.0, help="factor on brows and lids (1)")
    parser.add_argument("--sampler", default="dpmpp_2m", choices=SAMPLERS)
    parser.add_argument("--steps", type=int, help="denoising steps (the sampler's own)")
    parser.add_argument("--guidance", type=within(0, 1), help="gamma of eq. 3, 0 to 1 (the model's own)")
    parser.add_argument("--fps", type=float, default=25.0, help="frames a second, 1 to 120 (25)")
    parser.add_argument("--picture", type=Path, help="also save eight frames of the video here (.png, .jpg)")
    add_conversation_options(parser)
    add_model_options(parser)
    add_finishing_options(parser)
    parser.add_argument("--json", action="store_true", help="print what was made as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Makes one video, or one for every portrait and sound; status 1 when one of several failed."""
    if arguments.voices or arguments.speakers:
        return _converse(arguments)
    if arguments.audio is None:
        raise BadInput("Nothing is to be said; give --audio, or --voices where several faces speak.")
    jobs = pairs(arguments.portrait, arguments.audio, arguments.output)
    if len(jobs) > 1 and (arguments.motion or arguments.picture):
        raise BadInput("--motion and --picture name one file; leave them out where several videos are made.")
    check_results([job[2] for job in jobs], [path for job in jobs for path in job[:2]], ".mp4", arguments)
    check_finishing(arguments)
    import torch

    from gohd_core.models import Models

    models = Models.load(arguments.models, device=arguments.device, dtype=getattr(torch, arguments.dtype))
    detector = load_detector(arguments, needed=models.extractor.config.aligned)
    return make_all(
        jobs,
        lambda *job: _make(models, detector, *job, arguments),
        arguments,
        sources=lambda portrait, audio, _: {"portrait": portrait, "audio": audio},
        sentence=_sentence,
    )


def _converse(arguments: argparse.Namespace) -> int:
    check_conversation(arguments)
    import torch

    from gohd_core.models import Models

    models = Models.load(arguments.models, device=arguments.device, dtype=getattr(torch, arguments.dtype))
    return make_all(
        [()],
        lambda: make_conversation(models, arguments, _options(arguments)),
        arguments,
        sources=lambda: {"portrait": arguments.portrait},
        sentence=_sentence,
    )


def _sentence(made: dict[str, Any]) -> str:
    length = f"{made['frames']} frames, {made['seconds']:.2f} s of video"
    return f"{made['video']}: {length} in {made['computing']:.1f} s"


def pairs(portrait: Path, audio: Path, output: Path) -> list[tuple[Path, Path, Path]]:
    """Every portrait with every sound, and where each video goes."""
    portraits, sounds = files(portrait, PICTURES, "picture"), files(audio, SOUNDS, "sound")
    found = [(p, a) for p in portraits for a in sounds]
    several = is_folder(portrait) or is_folder(audio)
    targets = result_paths(output, found, ".mp4", several=several)
    return [(*pair, target) for pair, target in zip(found, targets, strict=True)]


def _options(arguments: argparse.Namespace) -> Any:
    from gohd_core.pipeline import TalkOptions

    return TalkOptions(
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


def _make(
    models: Any, detector: Any, portrait: Path, audio: Path, output: Path, arguments: argparse.Namespace
) -> dict[str, Any]:
    from gohd_core.audio import audio_features, load_audio
    from gohd_core.motion.file import save_motion
    from gohd_core.pipeline import talk
    from gohd_core.render import FrameStrip, render_video

    started = time.perf_counter()
    waveform, rate = load_audio(audio)
    features = audio_features(waveform, rate, models.pose.alignment)
    prepared = portrait_of(portrait, models, detector, arguments)
    motion, frames = talk(
        prepared, features, models, _options(arguments), progress=None if arguments.json else show
    )
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
