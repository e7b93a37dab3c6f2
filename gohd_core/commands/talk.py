"""`gohd talk`: a portrait and a sound become a talking video."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gohd_core.choices import MOODS, SAMPLERS
from gohd_core.commands.batch import Job, Make, add_batch_options, result_paths, run_batch
from gohd_core.commands.conversation import add_conversation_options, check_conversation, make_conversation
from gohd_core.commands.inputs import (
    PICTURES,
    SOUNDS,
    files,
    gaze_angles,
    is_folder,
    options_of,
    show,
    within,
)
from gohd_core.commands.lists import listed_jobs
from gohd_core.commands.output_options import (
    add_finishing_options,
    add_model_options,
    check_finishing,
    check_jobs,
    finish_frames,
    load_models,
    portrait_of,
    write_talk,
)
from gohd_core.commands.video_options import load_detector
from gohd_core.errors import BadInput


def add_commands(commands: Any) -> None:
    """Adds the command to an argparse subparsers object."""
    parser = commands.add_parser("talk", help="make a portrait talk")
    parser.add_argument("--portrait", "-p", type=Path, help="a picture, or a folder of them")
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
    parser.add_argument(
        "--mood", choices=MOODS, default=MOODS[0], help="a mood over the whole clip (neutral)"
    )
    parser.add_argument("--mood-amount", type=within(-1, 2), default=0.7, help="how much of the mood (0.7)")
    parser.add_argument("--sampler", default="dpmpp_2m", choices=SAMPLERS)
    parser.add_argument("--steps", type=int, help="denoising steps (the sampler's own)")
    parser.add_argument("--guidance", type=within(0, 1), help="gamma of eq. 3, 0 to 1 (the model's own)")
    parser.add_argument("--fps", type=float, default=25.0, help="frames a second, 1 to 120 (25)")
    parser.add_argument("--picture", type=Path, help="also save eight frames of the video here (.png, .jpg)")
    add_conversation_options(parser)
    add_model_options(parser)
    add_finishing_options(parser)
    add_batch_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Makes one video, or one for every portrait and sound; status 1 when one of several failed."""
    if arguments.voices or arguments.speakers:
        return _converse(arguments)
    if arguments.list is not None:
        jobs = listed_jobs(arguments, add_commands, ("portrait", "audio"), ".mp4")
    elif arguments.portrait is None or arguments.audio is None:
        raise BadInput("Say who says what: give --portrait and --audio, or --list.")
    else:
        jobs = pairs(arguments)
    if len(jobs) > 1 and (arguments.motion or arguments.picture):
        raise BadInput("--motion and --picture name one file; leave them out where several videos are made.")
    check_jobs(jobs, ".mp4", arguments)
    check_finishing(arguments)
    return run_batch(jobs, _maker, arguments, sentence=_sentence)


def _maker(arguments: argparse.Namespace) -> Make:
    models = load_models(arguments)
    detector = load_detector(arguments, needed=models.extractor.config.aligned)
    return lambda job: _make(models, detector, job)


def _converse(arguments: argparse.Namespace) -> int:
    check_conversation(arguments)
    made = make_conversation(load_models(arguments), arguments, _options(arguments))
    sys.stdout.write(f"{json.dumps(made) if arguments.json else _sentence(made)}\n")
    return 0


def _sentence(made: dict[str, Any]) -> str:
    length = f"{made['frames']} frames, {made['seconds']:.2f} s of video"
    return f"{made['video']}: {length} in {made['computing']:.1f} s"


def _progress(job: Job) -> Callable[[str, int, int], None] | None:
    return None if job.place is None else lambda stage, done, total: show(f"{job.place}{stage}", done, total)


def pairs(arguments: argparse.Namespace) -> list[Job]:
    """Every portrait with every sound, and where each video goes."""
    portraits = files(arguments.portrait, PICTURES, "picture")
    sounds = files(arguments.audio, SOUNDS, "sound")
    found = [(portrait, sound) for portrait in portraits for sound in sounds]
    several = is_folder(arguments.portrait) or is_folder(arguments.audio)
    targets = result_paths(arguments.output, found, ".mp4", several=several)
    return [
        Job({"portrait": portrait, "audio": audio}, target, arguments)
        for (portrait, audio), target in zip(found, targets, strict=True)
    ]


def _options(arguments: argparse.Namespace) -> Any:
    from gohd_core.talk_options import TalkOptions

    return options_of(TalkOptions, arguments, gaze=gaze_angles(arguments.gaze))


def _make(models: Any, detector: Any, job: Job) -> dict[str, Any]:
    from gohd_core.audio import audio_features, load_audio
    from gohd_core.motion.file import save_motion
    from gohd_core.pipeline import talk

    started = time.perf_counter()
    arguments, portrait, audio = job.arguments, job.sources["portrait"], job.sources["audio"]
    waveform, rate = load_audio(audio)
    features = audio_features(waveform, rate, models.pose.alignment)
    prepared = portrait_of(portrait, models, detector, arguments)
    motion, frames = talk(prepared, features, models, _options(arguments), progress=_progress(job))
    write_talk(job.target, finish_frames(frames, prepared, arguments), motion, (waveform, rate), arguments)
    if arguments.motion is not None:
        info = {"portrait": portrait.name, "audio": audio.name, "seed": arguments.seed}
        save_motion(arguments.motion, motion, info)
    return {
        "video": str(job.target),
        "frames": len(motion),
        "seconds": features.duration,
        "computing": time.perf_counter() - started,
    }
