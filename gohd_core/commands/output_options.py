"""Options of commands that make videos: models, portrait, full frame or crop, marks, content credentials."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gohd_core.choices import PRECISIONS
from gohd_core.commands.inputs import numbers, within
from gohd_core.errors import BadInput
from gohd_core.files import check_target

if TYPE_CHECKING:
    from torch import Tensor

    from gohd_core.commands.batch import Job

logger = logging.getLogger(__name__)

_STRIP_FRAMES = 8
"""Frames of a video on its `--picture`."""


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Options of drawing: weights, face, device and the motion file."""
    parser.add_argument("--models", default="builtin", help="builtin, or a folder with the official weights")
    parser.add_argument("--box", type=numbers, help="LEFT,TOP,RIGHT,BOTTOM of the portrait's face in pixels")
    parser.add_argument("--strength", type=within(0, 3), default=1.0, help="factor on all motion, Fig. 8 (1)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps")
    parser.add_argument("--dtype", default="float32", choices=PRECISIONS)
    parser.add_argument("--motion", type=Path, help="also save the motion here (.safetensors)")


def load_models(arguments: argparse.Namespace) -> Any:
    """The models that the options name."""
    import torch

    from gohd_core.models import Models

    return Models.load(arguments.models, device=arguments.device, dtype=getattr(torch, arguments.dtype))


def add_finishing_options(parser: argparse.ArgumentParser) -> None:
    """Options of postprocessing drawn frames."""
    group = parser.add_argument_group("finishing")
    group.add_argument(
        "--full-frame",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="the portrait's whole picture with the face pasted back (as it is), or the face crop alone",
    )
    group.add_argument(
        "--size",
        type=int,
        default=0,
        help="side of the face crop in pixels, 256 to 1024 in steps of 64; 0 takes the face's own (0)",
    )
    group.add_argument(
        "--no-invisible-mark",
        action="store_true",
        help="leave out the invisible mark that says that the video is generated (`gohd watermark read`)",
    )
    add_mark_options(group)


def add_mark_options(group: Any) -> None:
    """A text to be seen, and content credentials."""
    group.add_argument("--visible-mark", default="", metavar="TEXT", help="text in a corner of every frame")
    group.add_argument("--certificate", type=Path, help="PEM chain to sign content credentials (C2PA) with")
    group.add_argument("--private-key", type=Path, help="PEM key of that certificate (ES256)")


def check_results(
    results: Sequence[Path], inputs: Iterable[Path | None], ending: str, arguments: argparse.Namespace
) -> None:
    """Checks, before anything is read, that the results and further files can be written.

    Nothing that is read may be written over.
    """
    extra = [
        (getattr(arguments, "picture", None), (".png", ".jpg", ".jpeg")),
        (getattr(arguments, "motion", None), (".safetensors",)),
    ]
    wanted = [(path, (ending,)) for path in results]
    wanted += [(path, endings) for path, endings in extra if path is not None]
    read = {path.resolve() for path in inputs if path is not None}
    for path, endings in wanted:
        if check_target(path, endings).resolve() in read:
            raise BadInput(f"{path} is what is read, and would be written over; give another name.")


def check_jobs(
    jobs: Sequence[Job], ending: str, arguments: argparse.Namespace, *also_read: Path | None
) -> None:
    """`check_results` of all jobs that write a file, against the inputs of them all."""
    inputs = [path for job in jobs for path in job.sources.values()]
    targets = [job.target for job in jobs if job.target is not None]
    check_results(targets, [*inputs, *also_read], ending, arguments)


def check_finishing(arguments: argparse.Namespace) -> None:
    """Says before anything is drawn what would go wrong at the end."""
    if (arguments.certificate is None) != (arguments.private_key is None):
        raise BadInput("Content credentials need both --certificate and --private-key.")
    if arguments.certificate is not None:
        from gohd_core.render.credentials import c2pa_library

        c2pa_library()
        for path in (arguments.certificate, arguments.private_key):
            if not path.is_file():
                raise BadInput(f"There is no file at {path}; check the path.")


def portrait_of(path: Path, models: Any, detector: Any, arguments: argparse.Namespace) -> Any:
    """The portrait of a picture, as the options say; logs what of it will suffer."""
    from gohd_core.images import read_picture
    from gohd_core.portraits import portrait_warning, prepare_portrait

    portrait = prepare_portrait(
        read_picture(path),
        reader=models.reader,
        box=arguments.box,
        detector=detector,
        size=arguments.size or None,
        extractor=models.extractor,
        gaze_estimator=models.gaze_estimator,
    )
    sentence = portrait_warning(portrait, models.animator.space)
    if sentence is not None:
        logger.warning(sentence)
    return portrait


def finish_frames(frames: Iterable[Tensor], portrait: Any, arguments: argparse.Namespace) -> Iterator[Tensor]:
    """Frames pasted back and marked, as a stream."""
    from gohd_core.pipeline import finish

    return finish(
        frames,
        portrait,
        full_frame=arguments.full_frame and not getattr(arguments, "into_video", False),
        invisible_mark=not arguments.no_invisible_mark,
        visible_mark=arguments.visible_mark,
    )


def marked_frames(frames: Iterable[Tensor], arguments: argparse.Namespace) -> Iterator[Tensor]:
    """Whole frames marked, as a stream."""
    from gohd_core.render import Mark, marked

    return marked(frames, Mark(not arguments.no_invisible_mark, arguments.visible_mark))


def write_talk(
    target: Path, frames: Iterable[Tensor], motion: Any, sound: tuple[Any, int], arguments: argparse.Namespace
) -> None:
    """Writes a talking video with its sound and credentials; eight of its frames where `--picture` says."""
    from gohd_core.render import FrameStrip, render_video

    strip = None if arguments.picture is None else FrameStrip(_STRIP_FRAMES, len(motion))
    frames = frames if strip is None else strip.watch(frames)
    sign_result(render_video(target, frames, fps=motion.fps, audio=sound), arguments)
    if strip is not None:
        strip.save(arguments.picture)


def sign_result(video: Path, arguments: argparse.Namespace) -> None:
    """Content credentials into a written video, where a certificate was given."""
    if arguments.certificate is not None:
        from gohd_core.render.credentials import sign_video

        sign_video(video, arguments.certificate, arguments.private_key)
