"""Options for reading a video of a face, and its reading."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gohd_core.choices import MISSING, ORDERS, STEADYING
from gohd_core.commands.inputs import numbers, within
from gohd_core.errors import BadInput

if TYPE_CHECKING:
    from gohd_core.driving import Driving
    from gohd_core.video.reader import VideoReader


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """Options of reading the video."""
    group = parser.add_argument_group("reading the video")
    group.add_argument("--video-box", type=numbers, help="LEFT,TOP,RIGHT,BOTTOM of its face in pixels")
    group.add_argument(
        "--landmarks", type=Path, help="68 landmarks of each frame, an .npy of [T, 68, 2] pixels"
    )
    group.add_argument(
        "--detector",
        type=Path,
        help="folder with the face detector's weights; official models look in theirs",
    )
    group.add_argument(
        "--face", default="largest", choices=ORDERS, help="which face the detector takes (largest)"
    )
    group.add_argument("--start", type=within(0), default=0.0, help="begin at this second of the video (0)")
    group.add_argument(
        "--seconds", type=within(0), default=0.0, help="read this many seconds; 0 reads to the end"
    )
    group.add_argument(
        "--missing",
        default="hold",
        choices=MISSING,
        help="frames without a face: hold the last, interpolate, or mark",
    )
    group.add_argument(
        "--smooth", default="savitzky-golay", choices=STEADYING, help="filter against jitter (savitzky-golay)"
    )
    group.add_argument(
        "--smooth-seconds", type=within(0, 60), default=0.2, help="time scale of the smoothing (0.2)"
    )
    group.add_argument("--smooth-parts", default="pose,gaze", help="some of pose,expression,gaze (pose,gaze)")
    group.add_argument(
        "--no-steady-crop", action="store_true", help="let the crop follow all jitter of the face"
    )


def add_face_options(parser: argparse.ArgumentParser) -> None:
    """Options of face networks on a video: which face, and which part of the video."""
    parser.add_argument("--face", default="largest", choices=ORDERS, help="which of several faces (largest)")
    parser.add_argument("--face-box", type=numbers, help="LEFT,TOP,RIGHT,BOTTOM of the face in pixels")
    parser.add_argument("--start", type=within(0), default=0.0, help="begin at this second of the video (0)")
    parser.add_argument("--seconds", type=within(0), default=0.0, help="so many seconds; 0 goes to the end")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps")


def load_readers(folder: str, device: str) -> tuple[Any, Any]:
    """Extractor and gaze estimator of a family: built-in, or the official files in a folder."""
    from gohd_core.checkpoints.sources import family_paths
    from gohd_core.face import CoefficientExtractor, GazeEstimator

    paths = family_paths(folder, ("extractor", "gaze_estimator"))
    extractor = CoefficientExtractor.load(paths["extractor"], device=device)
    return extractor, GazeEstimator.load(paths["gaze_estimator"], device=device)


def load_detector(arguments: argparse.Namespace, *, needed: bool) -> Any:
    """The face detector, where its weights are named or lie with the official ones; else None.

    needed: without it nothing can be read, so that its absence is an error that says what to do.
    """
    from gohd_core.checkpoints.detector_files import missing_files
    from gohd_core.face.detection.detector import FaceDetector

    folders = [Path(f) for f in (arguments.detector, arguments.models) if f and str(f) != "builtin"]
    if not folders or (arguments.detector is None and not needed and missing_files(folders)):
        return None
    return FaceDetector.load(folders, device=arguments.device)


def read_video(
    path: Path,
    extractor: Any,
    gaze_estimator: Any,
    arguments: argparse.Namespace,
    detector: Any,
    progress: Callable | None,
    reader: Any = None,
) -> tuple[Driving, VideoReader]:
    """Reads one video as the options say; reader: of people's faces, where it is there."""
    from gohd_core.driving import extract_motion, face_locator
    from gohd_core.face import FaceChoice
    from gohd_core.video.reader import VideoReader

    film = VideoReader.open(path, start=arguments.start, seconds=arguments.seconds)
    choice = FaceChoice(arguments.face, box=arguments.video_box)
    landmarks = None if arguments.landmarks is None else _landmarks(arguments.landmarks)
    where = None
    if reader is None or landmarks is not None or detector is not None:
        where = face_locator(landmarks=landmarks, box=arguments.video_box, detector=detector, choice=choice)
    driving = extract_motion(
        film,
        extractor,
        gaze_estimator,
        where=where,
        reader=reader,
        choice=choice,
        missing=arguments.missing,
        steady_crop=not arguments.no_steady_crop,
        steadying=steadying_of(arguments),
        progress=progress,
    )
    return driving, film


def steadying_of(arguments: argparse.Namespace) -> Any:
    """Smoothing from the options."""
    from gohd_core.driving import SmoothingConfig

    parts = tuple(part.strip() for part in arguments.smooth_parts.split(",") if part.strip())
    return SmoothingConfig(arguments.smooth, arguments.smooth_seconds, parts)


def sound_of(path: Path, arguments: argparse.Namespace) -> tuple[Any, int] | None:
    """The sound of the part of a video that is read, from its first picture on; None where it has none."""
    from gohd_core.audio import load_soundtrack

    return load_soundtrack(path, arguments.start, arguments.seconds)


def _landmarks(path: Path) -> Any:
    import numpy as np

    wanted = "save a NumPy array [T, 68, 2] of pixels as .npy"
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise BadInput(f"{path} can't be read as landmarks ({error}); {wanted}.") from error
    if not isinstance(found, np.ndarray):
        with found:
            if len(found.files) != 1:
                raise BadInput(
                    f"{path} holds {len(found.files)} arrays ({', '.join(found.files)}); {wanted}."
                )
            found = found[found.files[0]]
    if found.dtype.kind not in "fiu":
        raise BadInput(f"{path} holds {found.dtype} values and no pixels; {wanted}.")
    return found
