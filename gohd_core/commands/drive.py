"""`gohd drive`: a portrait moves as a video does; parts of it may come from sound, or stay as they are."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from gohd_core.choices import DRIVEN_PARTS, FILLS, LENGTHS
from gohd_core.commands.batch import Job, Make, add_batch_options, progress_of, result_paths, run_batch
from gohd_core.commands.dubbing import dubbed_film, make_dubbed
from gohd_core.commands.inputs import PICTURES, VIDEOS, files, gaze_angles, is_folder
from gohd_core.commands.lists import listed_jobs
from gohd_core.commands.output_options import (
    add_finishing_options,
    add_model_options,
    check_finishing,
    check_jobs,
    finish_frames,
    load_models,
    portrait_of,
    sign_result,
)
from gohd_core.commands.video_options import add_reading_options, load_detector, read_video, sound_of
from gohd_core.constants import MAX_FPS
from gohd_core.errors import BadInput

SOURCES = ("video", "audio", "own")


def add_commands(commands: Any) -> None:
    """Adds the command to an argparse subparsers object."""
    parser = commands.add_parser("drive", help="make a portrait move as a video does")
    parser.add_argument(
        "--portrait",
        "-p",
        type=Path,
        help="a picture, or a folder of them; may be left out with --into-video, which then takes the face "
        "in the video itself",
    )
    parser.add_argument("--video", "-v", type=Path, help="the driving video, or a folder of them")
    parser.add_argument("--output", "-o", type=Path, required=True, help="an .mp4, or a folder")
    parser.add_argument(
        "--audio", "-a", type=Path, help="sound for parts from audio, and to be heard (the video's)"
    )
    said = "; audio where --into-video has --audio, but no portrait: dubbing"
    for part in DRIVEN_PARTS[:3]:
        mouth = part == "mouth"
        parser.add_argument(
            f"--{part}",
            default=None if mouth else "video",
            choices=SOURCES,
            help=f"where the {part} comes from (video{said if mouth else ''})",
        )
    parser.add_argument(
        "--gaze", default="video", help="video, audio, own, or PITCH,YAW in degrees (write --gaze=-5,20)"
    )
    parser.add_argument(
        "--relative",
        help="parts of which only the change over frame 0 counts: pose,mouth,eyes,gaze, or none (pose; with "
        "--into-video none)",
    )
    parser.add_argument("--length", default="longest", choices=(*LENGTHS, *DRIVEN_PARTS))
    parser.add_argument("--fill", default="hold", choices=FILLS, help="for sources of other lengths")
    parser.add_argument("--seed", type=int, default=0, help="of parts from sound; same seed, same video")
    parser.add_argument(
        "--into-video",
        action="store_true",
        help="paste the face into the driving video, onto the head that moves there, at the video's own rate",
    )
    add_model_options(parser)
    add_finishing_options(parser)
    add_batch_options(parser)
    add_reading_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Makes one video, or one for each portrait and driver; status 1 when one of several failed."""
    jobs = jobs_of_list(arguments) if arguments.list is not None else _pairs(arguments)
    jobs = [_with_mouth(job) for job in jobs]
    if len(jobs) > 1 and arguments.motion is not None:
        raise BadInput("--motion names one file; leave it out where several videos are made.")
    check_jobs(jobs, ".mp4", arguments, arguments.audio)
    check_finishing(arguments)
    return run_batch(jobs, _maker, arguments, sentence=_sentence)


def jobs_of_list(arguments: argparse.Namespace) -> list[Job]:
    """A job for each row of `--list`: driving video, portrait and sound."""
    optional = ("portrait", "audio") if arguments.into_video else ("audio",)
    jobs = listed_jobs(arguments, add_commands, ("portrait", "video", "audio"), ".mp4", optional=optional)
    made = []
    for job in jobs:
        job.arguments.audio = job.sources["audio"]
        sources = {"driver": job.sources["video"], "portrait": job.sources["portrait"]}
        made.append(replace(job, sources=sources))
    return made


def _pairs(arguments: argparse.Namespace) -> list[Job]:
    """Every driver with every portrait, and where each video goes."""
    if arguments.video is None:
        raise BadInput("Say who is followed: give --video, or --list.")
    portraits: list[Path | None] = [None]
    if arguments.portrait is not None:
        portraits = files(arguments.portrait, PICTURES, "picture")
    elif not arguments.into_video:
        raise BadInput("Say who moves: give --portrait, or --into-video for the face in the video itself.")
    videos = files(arguments.video, VIDEOS, "video")
    several = is_folder(arguments.video) or is_folder(arguments.portrait)
    found = [(video, portrait) for video in videos for portrait in portraits]
    groups = [[path for path in (portrait, video) if path is not None] for video, portrait in found]
    targets = result_paths(arguments.output, groups, ".mp4", several=several)
    return [
        Job({"driver": video, "portrait": portrait}, target, arguments)
        for (video, portrait), target in zip(found, targets, strict=True)
    ]


def _with_mouth(job: Job) -> Job:
    """The job with the source of its mouth, where none is given: a face in a video says the sound that is."""
    given = job.arguments
    if given.mouth is None:
        dubs = given.into_video and job.sources["portrait"] is None and given.audio is not None
        given = argparse.Namespace(**vars(given) | {"mouth": "audio" if dubs else "video"})
    return replace(job, arguments=given)


def _maker(arguments: argparse.Namespace) -> Make:
    models = load_models(arguments)
    unread = models.reader is None and arguments.landmarks is None
    detector = load_detector(arguments, needed=models.extractor.config.aligned and unread)
    last: tuple[Any, ...] = ()
    read: Any = None

    def make(job: Job) -> dict[str, Any]:
        nonlocal last, read
        video = job.sources["driver"]
        if job.arguments.landmarks is None and detector is None:
            film = dubbed_film(models, video, job.sources["portrait"], job.arguments)
            if film is not None:
                return make_dubbed(
                    models, video, job.target, film, job.arguments, progress_of(job, "frames read")
                )
        if (video, job.arguments) != last:  # Portraits of one driver follow one another.
            last, read = (), None
            try:
                progress = progress_of(job, "frames read")
                readers = (models.extractor, models.gaze_estimator)
                read = read_video(video, *readers, job.arguments, detector, progress, models.reader)
            except BadInput as error:
                read = error
            last = video, job.arguments
        if isinstance(read, BadInput):
            raise read
        return _drive(models, job, *read, detector)

    return make


def _drive(models: Any, job: Job, driving: Any, film: Any, detector: Any) -> dict[str, Any]:
    from gohd_core.audio import load_audio
    from gohd_core.driving import driven_motion, with_head_track
    from gohd_core.motion.file import save_motion
    from gohd_core.pipeline import draw
    from gohd_core.render import paste_back, render_video

    started = time.perf_counter()
    arguments, video, portrait = job.arguments, job.sources["driver"], job.sources["portrait"]
    if arguments.into_video:
        driving = with_head_track(driving)
    prepared = _portrait(models, portrait, driving, film, detector, arguments)
    options = _options(arguments)
    sound = sound_of(video, arguments) if arguments.audio is None else load_audio(arguments.audio)
    motions = {"video": driving.motion}
    if "audio" in options.sources.values():
        motions["audio"] = _from_sound(models, prepared, sound, options, arguments)
    _warn_of_lag(models, video, driving, sound, arguments)
    motion = driven_motion(prepared, motions, options, _face_model(models, arguments))
    rate = max(min(film.fps, MAX_FPS), 1) if arguments.into_video else motion.fps
    # As many frames as were read, where the motion is as long as the video; rounding could add one.
    exact = arguments.into_video and rate == film.fps and len(motion) == driving.report.frames
    drawn = motion.resampled(rate, frames=driving.report.frames_read if exact else None)
    progress = progress_of(job, "frames drawn")
    frames = draw(models.animator, prepared, drawn, strength=arguments.strength, progress=progress)
    if arguments.into_video:
        frames = paste_back(frames, prepared, film.batches(rate), track=driving.track.resampled(rate))
    frames = finish_frames(frames, prepared, arguments)
    colour = film.colour if arguments.into_video else None
    sign_result(render_video(job.target, frames, fps=rate, audio=sound, colour=colour), arguments)
    if arguments.motion is not None:
        info = {"portrait": str(portrait and portrait.name), "video": video.name}
        info |= {"sources": dict(options.sources)}
        save_motion(arguments.motion, motion, info)
    return {
        "driver": str(video),
        "video": str(job.target),
        "frames": len(drawn),
        "report": driving.report.as_dict(),
        "computing": time.perf_counter() - started,
    }


def _warn_of_lag(models: Any, video: Path, driving: Any, sound: Any, arguments: argparse.Namespace) -> None:
    """Says where the driving video's own lips and sound are apart: the portrait's would be, too."""
    import logging

    from gohd_core.driving.sync import lag_warning

    if arguments.audio is not None:
        return
    said = lag_warning(driving, sound, models.expression, video.name)
    if said is not None:
        logging.getLogger(__name__).warning(f"{said} `gohd sync {video.name} -o FILE` puts it right.")


def _portrait(
    models: Any, path: Path | None, driving: Any, film: Any, detector: Any, arguments: argparse.Namespace
) -> Any:
    """The picture's portrait; without one that of the face in the video."""
    if path is not None:
        return portrait_of(path, models, detector, arguments)
    from gohd_core.driving import own_portrait

    readers = {"extractor": models.extractor, "gaze_estimator": models.gaze_estimator}
    return own_portrait(film, driving, reader=models.reader, **readers)


def _options(arguments: argparse.Namespace) -> Any:
    from gohd_core.driving import DriveOptions

    sources: dict[str, Any] = {part: getattr(arguments, part) for part in DRIVEN_PARTS[:3]}
    sources["gaze"] = gaze_angles(arguments.gaze)
    relative = arguments.relative or ("none" if arguments.into_video else "pose")
    names = [part.strip() for part in relative.split(",") if part.strip() not in ("", "none")]
    return DriveOptions(
        sources=sources,
        relative=frozenset(names),
        length=arguments.length,
        fill=arguments.fill,
        own_where_unseen=arguments.missing == "mark",
    )


def _from_sound(models: Any, portrait: Any, sound: Any, options: Any, arguments: argparse.Namespace) -> Any:
    from gohd_core.audio import audio_features
    from gohd_core.pipeline import motion_from_audio
    from gohd_core.talk_options import TalkOptions

    if sound is None:
        raise BadInput("A part is to come from sound, but the driving video has none; give --audio.")
    gaze = "sample" if options.sources["gaze"] == "audio" else "hold"
    features = audio_features(*sound, models.pose.alignment)
    return motion_from_audio(features, portrait, models, TalkOptions(seed=arguments.seed, gaze=gaze))


def _face_model(models: Any, arguments: argparse.Namespace) -> Any:
    from gohd_core.checkpoints.sources import find_released
    from gohd_core.constants import STYLISED
    from gohd_core.face import MorphableModel

    if models.animator.space == STYLISED:
        return MorphableModel.stylised_landmarks()
    found = find_released((Path(arguments.models),)).get("BFM_model_front.mat")
    return models.face_model if found is None else MorphableModel.from_file(found).landmarks_only()


def _sentence(made: dict[str, Any]) -> str:
    unseen = made["report"]["without_face"]
    note = f" (no face in {unseen} of its frames)" if unseen else ""
    took = f"{made['frames']} frames in {made['computing']:.1f} s"
    return f"{made['video']}: {took}, driven by {made['driver']}{note}"
