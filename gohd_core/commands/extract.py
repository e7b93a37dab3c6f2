"""`gohd extract`: the motion of a driving video, as a motion file or as training clips."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from gohd_core.choices import SPLITS
from gohd_core.commands.batch import Job, Make, add_batch_options, job_for_each, progress_of, run_batch
from gohd_core.commands.inputs import VIDEOS, files, within
from gohd_core.commands.lists import listed_jobs
from gohd_core.commands.output_options import check_jobs
from gohd_core.commands.video_options import (
    add_reading_options,
    load_detector,
    load_readers,
    read_video,
    sound_of,
    steadying_of,
)
from gohd_core.errors import BadInput


def add_commands(commands: Any) -> None:
    """Adds the command to an argparse subparsers object."""
    parser = commands.add_parser("extract", help="read head pose, expression and gaze of a video")
    parser.add_argument("video", type=Path, nargs="?", help="a video, or a folder of them")
    parser.add_argument("--output", "-o", type=Path, help="a .safetensors, or a folder")
    parser.add_argument("--models", default="builtin", help="builtin, or a folder with the official weights")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps")
    parser.add_argument("--fps", type=within(1, 240), default=25.0, help="frames a second of the motion (25)")
    add_reading_options(parser)
    parser.add_argument(
        "--people",
        action="store_true",
        help="follow everybody, and write one motion a person: NAME-1, NAME-2 ...",
    )
    clips = parser.add_argument_group("training data")
    clips.add_argument(
        "--clip-format", type=Path, metavar="DIR", help="also write training clips (docs/DATA.md)"
    )
    clips.add_argument("--clip-seconds", type=within(0.2, 60), default=10.0, help="longest clip (10)")
    clips.add_argument("--clip-size", type=int, default=256, help="pixels of a clip's pictures (256)")
    clips.add_argument("--split", choices=SPLITS, help="split of the data set (drawn from the identity)")
    clips.add_argument("--identity", help="name of the person (the video's name)")
    add_batch_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Reads one video, or all of a folder; status 1 when one of several could not be read."""
    if arguments.output is None and arguments.clip_format is None:
        raise BadInput("Say where the motion goes: -o motion.safetensors, or --clip-format DIR.")
    if arguments.output is None and arguments.skip_existing:
        raise BadInput("--skip-existing looks for motions; give -o as well.")
    if arguments.list is not None:
        jobs = listed_jobs(arguments, add_commands, ("video",), ".safetensors")
    elif arguments.video is None:
        raise BadInput("Say what is read: give a video, a folder of them, or --list.")
    else:
        videos = files(arguments.video, VIDEOS, "video")
        jobs = job_for_each("video", videos, arguments, ".safetensors", "motions")
    check_jobs(jobs, ".safetensors", arguments)
    return run_batch(jobs, _maker, arguments, sentence=_sentence)


def _maker(arguments: argparse.Namespace) -> Make:
    from gohd_core.face import FaceReader

    extractor, gaze_estimator = load_readers(arguments.models, arguments.device)
    reader = FaceReader.find(device=arguments.device)
    if arguments.people and reader is None:
        raise BadInput("People are followed by the face networks; fetch them with `gohd download faces`.")
    needed = extractor.config.aligned and arguments.landmarks is None and reader is None
    detector = load_detector(arguments, needed=needed)

    def make(job: Job) -> dict[str, Any]:
        if arguments.people:
            return _people(job, reader)
        return _extract(job, extractor, gaze_estimator, detector, reader)

    return make


def _extract(job: Job, extractor: Any, gaze_estimator: Any, detector: Any, reader: Any) -> dict[str, Any]:
    arguments, video, target = job.arguments, job.sources["video"], job.target
    started = time.perf_counter()
    progress = progress_of(job, "frames")
    driving, film = read_video(video, extractor, gaze_estimator, arguments, detector, progress, reader)
    made: dict[str, Any] = {
        "video": str(video),
        "report": driving.report.as_dict(),
        "text": str(driving.report),
    }
    if target is not None:
        made["motion"], made["frames"] = _save(driving, target, video, arguments)
    if arguments.clip_format is not None:
        made["clips"] = [str(path) for path in _clips(job, film, driving)]
    made["seconds"] = time.perf_counter() - started
    return made


def _people(job: Job, reader: Any) -> dict[str, Any]:
    """One motion for everybody in a video, numbered."""
    from gohd_core.driving import extract_people
    from gohd_core.video.reader import VideoReader

    arguments, video, target = job.arguments, job.sources["video"], job.target
    if target is None or arguments.clip_format is not None:
        raise BadInput("--people writes one motion a person: give -o, and leave out --clip-format.")
    started = time.perf_counter()
    film = VideoReader.open(video, start=arguments.start, seconds=arguments.seconds)
    progress = progress_of(job, "frames")
    given = {"missing": arguments.missing, "steadying": steadying_of(arguments), "progress": progress}
    people = extract_people(film, reader, **given)
    if not people:
        raise BadInput(f"No face was seen in {video.name}.")
    saved = [
        _save(driving, target.with_stem(f"{target.stem}-{k + 1}"), video, arguments)
        for k, driving in enumerate(people)
    ]
    return {
        "video": str(video),
        "motions": [path for path, _ in saved],
        "reports": [driving.report.as_dict() for driving in people],
        "text": "\n".join(str(driving.report) for driving in people),
        "seconds": time.perf_counter() - started,
    }


def _save(driving: Any, target: Path, video: Path, arguments: argparse.Namespace) -> tuple[str, int]:
    """Writes a motion at the wanted rate; where, and how many frames it has."""
    from gohd_core.motion.editing import exact_fps
    from gohd_core.motion.file import save_motion

    motion = driving.motion
    if arguments.fps != float(motion.fps):
        motion = motion.resampled(exact_fps(arguments.fps))
    info = {"video": video.name, "models": arguments.models, "report": driving.report.as_dict()}
    return str(save_motion(target, motion, info)), len(motion)


def _clips(job: Job, film: Any, driving: Any) -> list[Path]:
    from gohd_core.audio import to_mono_16k
    from gohd_core.driving import ClipPlan, write_clips

    arguments = job.arguments
    plan = ClipPlan(
        job.name, arguments.clip_size, arguments.clip_seconds, arguments.split, arguments.identity
    )
    sound = sound_of(job.sources["video"], arguments)
    audio = None if sound is None else to_mono_16k(*sound)
    return write_clips(arguments.clip_format, film, driving, plan, audio)


def _sentence(made: dict[str, Any]) -> str:
    where = [made["motion"]] if "motion" in made else made.get("motions", [])
    where += [f"{len(made['clips'])} clips"] if "clips" in made else []
    return f"{made['video']} -> {' and '.join(where)} in {made['seconds']:.1f} s\n{made['text']}"
