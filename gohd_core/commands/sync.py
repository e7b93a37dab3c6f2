"""`gohd sync`: the lag between lips and sound of a video, and its correction."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gohd_core.commands.batch import Job, Make, add_batch_options, job_for_each, progress_of, run_batch
from gohd_core.commands.inputs import VIDEOS, files
from gohd_core.commands.output_options import check_jobs
from gohd_core.commands.video_options import add_face_options, sound_of
from gohd_core.errors import BadInput

UNKNOWN = 3
"""Exit status when a file's lag can't be determined: neither an error nor an answer."""


def add_commands(commands: Any) -> None:
    """Adds the command to an argparse subparsers object."""
    parser = commands.add_parser("sync", help="measure the lag between lips and sound of a video")
    parser.add_argument("video", type=Path, help="a video of a talking person, or a folder of them")
    parser.add_argument(
        "--output",
        "-o",
        type=Path,
        help="also write the video with its sound shifted into sync, an .mp4 or a folder",
    )
    add_face_options(parser)
    add_batch_options(parser, lists=False)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measures each video; exit status 3 where the lag of one is not known, 1 where one can't be read."""
    videos = files(arguments.video, VIDEOS, "video")
    if arguments.output is not None and (arguments.start or arguments.seconds):
        raise BadInput("Only whole videos are put right; leave out --start and --seconds.")
    jobs = job_for_each("video", videos, arguments, ".mp4")
    check_jobs(jobs, ".mp4", arguments)
    return run_batch(jobs, _maker, arguments, sentence=_sentence, status=_status)


def _maker(arguments: argparse.Namespace) -> Make:
    from gohd_core.expression import ExpressionPredictor
    from gohd_core.face import FaceReader

    reader = FaceReader.load(device=arguments.device)
    predictor = ExpressionPredictor.load("builtin", device=arguments.device)
    return lambda job: _measure(job, reader, predictor)


def _status(made: dict[str, Any]) -> int:
    return 0 if made["known"] else UNKNOWN


def _measure(job: Job, reader: Any, predictor: Any) -> dict[str, Any]:
    from gohd_core.driving import extract_by_meshes
    from gohd_core.driving.sync import lip_lag, shift_sound
    from gohd_core.face import FaceChoice
    from gohd_core.video.reader import VideoReader

    arguments, video, target = job.arguments, job.sources["video"], job.target
    progress = progress_of(job, "frames")
    film = VideoReader.open(video, start=arguments.start, seconds=arguments.seconds)
    choice = FaceChoice(arguments.face, box=arguments.face_box)
    driving = extract_by_meshes(film, reader, choice, progress=progress)
    found = lip_lag(driving, sound_of(video, arguments), predictor)
    made: dict[str, Any] = {"video": str(video), **asdict(found), "known": found.known, "text": str(found)}
    if target is not None and found.known:
        made["written"] = str(shift_sound(video, target, found.milliseconds))
    return made


def _sentence(made: dict[str, Any]) -> str:
    written = f" Put right: {made['written']}." if "written" in made else ""
    return f"{made['video']}: {made['text']}{written}"
