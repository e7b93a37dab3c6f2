"""`gohd gaze`: eyes of a real video or picture are turned to the viewer, or along a path."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gohd_core.commands.batch import Job, Make, add_batch_options, job_for_each, progress_of, run_batch
from gohd_core.commands.inputs import PICTURES, VIDEOS, files, gaze_angles, within
from gohd_core.commands.output_options import add_mark_options, check_finishing, check_jobs, sign_result
from gohd_core.commands.video_options import add_face_options, sound_of
from gohd_core.constants import MAX_FPS
from gohd_core.errors import BadInput


def add_commands(commands: Any) -> None:
    """Adds the command to an argparse subparsers object."""
    parser = commands.add_parser("gaze", help="make the eyes of a video or picture look at the viewer")
    parser.add_argument("source", type=Path, help="a video or picture of a person, or a folder of them")
    parser.add_argument("--output", "-o", type=Path, required=True, help="an .mp4 or .png, or a folder")
    parser.add_argument(
        "--look",
        default="0,0",
        help="PITCH,YAW in degrees relative to the camera, up and to the image's left (0,0: into it; "
        "write --look=-5,10)",
    )
    parser.add_argument("--path", type=Path, help="look along the gaze of this motion (.safetensors) instead")
    parser.add_argument("--strength", type=within(0, 1), default=1.0, help="share of the change, 0 to 1 (1)")
    add_face_options(parser)
    parser.add_argument(
        "--crf",
        type=int,
        default=16,
        choices=range(52),
        metavar="CRF",
        help="H.264 quality, 0 (lossless) to 51 (16)",
    )
    group = parser.add_argument_group("marks")
    group.add_argument(
        "--invisible-mark",
        action="store_true",
        help="mark the frames as generated; without it nothing outside the eyes changes",
    )
    add_mark_options(group)
    add_batch_options(parser, lists=False)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Turns the eyes of one file, or of all in a folder; status 1 when one of several could not be done."""
    check_finishing(arguments)
    sources = files(arguments.source, (*VIDEOS, *PICTURES), "video or picture")
    jobs = job_for_each("source", sources, arguments, [_ending(source) for source in sources], "files")
    for ending in (".png", ".mp4"):
        check_jobs([job for job in jobs if _ending(job.sources["source"]) == ending], ending, arguments)
    return run_batch(jobs, _maker, arguments, sentence=_sentence)


def _maker(arguments: argparse.Namespace) -> Make:
    from gohd_core.face import FaceReader

    reader = FaceReader.load(device=arguments.device)
    return lambda job: _turn(job, reader)


def _sentence(made: dict[str, Any]) -> str:
    return f"{made['written']}: {made['text']} {made['seconds']:.1f} s"


def _ending(source: Path) -> str:
    return ".png" if source.suffix.lower() in PICTURES else ".mp4"


def _turn(job: Job, reader: Any) -> dict[str, Any]:
    from gohd_core.driving.eye_contact import read_eyes, turn_eyes
    from gohd_core.face import FaceChoice
    from gohd_core.images import read_picture
    from gohd_core.video.reader import VideoReader

    started = time.perf_counter()
    arguments, source, target = job.arguments, job.sources["source"], job.target
    picture = source.suffix.lower() in PICTURES
    film = (
        VideoReader.of_images([read_picture(source)])
        if picture
        else VideoReader.open(source, start=arguments.start, seconds=arguments.seconds)
    )
    choice = FaceChoice(arguments.face, box=arguments.face_box)
    read = read_eyes(film, reader, choice, progress=progress_of(job, "frames read"))
    result, report = turn_eyes(film, read, _gaze(arguments), arguments.strength)
    _write(result, target, None if picture else sound_of(source, arguments), arguments)
    seconds = time.perf_counter() - started
    made = {"source": str(source), "written": str(target), **asdict(report), "text": str(report)}
    return {**made, "seconds": seconds}


def _gaze(arguments: argparse.Namespace) -> Any:
    if arguments.path is None:
        look = gaze_angles(arguments.look)
        if isinstance(look, str):
            raise BadInput(f"--look takes PITCH,YAW in degrees, and not {look!r}.")
        return look
    from gohd_core.motion.file import load_motion

    return load_motion(arguments.path).gaze


def _write(film: Any, target: Path, sound: Any, arguments: argparse.Namespace) -> None:
    from gohd_core.render import Mark, marked, render_video

    mark = Mark(arguments.invisible_mark, arguments.visible_mark)
    rate = min(film.fps, MAX_FPS)
    frames = marked(film.batches(rate), mark)
    if target.suffix.lower() == ".png":
        from io import BytesIO

        from PIL import Image

        from gohd_core.files import atomic_write
        from gohd_core.video.writer import frames_to_bytes

        content = BytesIO()
        Image.fromarray(frames_to_bytes(next(frames))[0]).save(content, "png")
        atomic_write(target, content.getvalue())
        return
    sign_result(render_video(target, frames, fps=rate, audio=sound, crf=arguments.crf), arguments)
