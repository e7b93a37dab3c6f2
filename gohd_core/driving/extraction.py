"""Motion from a driving video: pose, expression and gaze at 25 fps, read as a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import chain, islice
from typing import Any

import numpy as np
import torch

from gohd_core.constants import FPS, STYLISED
from gohd_core.driving.lids import lids_together, without_gaze_following
from gohd_core.driving.locators import FaceLocator, FaceObservation, TrackedFace, WholeFrames
from gohd_core.driving.mesh_reading import MeshReadings, read_one, read_people
from gohd_core.driving.mesh_tracks import MeshTracks
from gohd_core.driving.readers import reader_for
from gohd_core.driving.result import Driving, assemble_motion, rising
from gohd_core.driving.steadiness import SmoothingConfig
from gohd_core.driving.timeline import check_missing, on_grid
from gohd_core.errors import BadInput, raise_if_stopped
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.face.picking import FaceChoice
from gohd_core.face.reading.extractor import CoefficientExtractor
from gohd_core.face.reading.gaze_estimator import GazeEstimator
from gohd_core.portraits import is_drawn_head
from gohd_core.video.reader import VideoReader


def extract_motion(
    film: VideoReader,
    extractor: CoefficientExtractor,
    gaze_estimator: GazeEstimator | None = None,
    *,
    where: FaceLocator | None = None,
    reader: FaceReader | None = None,
    choice: FaceChoice | None = None,
    missing: str = "hold",
    steady_crop: bool = True,
    steadying: SmoothingConfig | None = None,
    fps: Fraction | int | float = FPS,
    batch_size: int = 16,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Driving:
    """Reads a film's face frame by frame; only numbers are kept, so that memory does not grow with length.

    Args:
        film: any rate, even or uneven; it is resampled on unwrapped angles to round(seconds * fps) frames.
        gaze_estimator: None leaves the gaze straight ahead and marked as not observed.
        where: see `face_locator`; None lets `reader` look for the face, and without one takes each frame as a
            square picture of a head.
        reader: reads the meshes of people's faces; heads of the kind that ships stay with the extractor, and
            official extractors align faces by landmarks of the meshes.
        choice: which face of several, where the reader looks for it.
        missing: what frames without a face get, one of `choices.MISSING`; they never stop the run. All
            of them together leave a motion at rest.
        steady_crop: keep the crop still while the face stays in it (built-in weights), or steady the
            landmarks that align it (official ones).
        steadying: smoothing of the motion; None is `SmoothingConfig()`.
        batch_size: frames that go through the networks together; it does not change the result.
    Raises: `BadInput` for a film that can't be read, or where nothing says where the face is; `Interrupted`.
    """
    check_missing(missing)
    given = {"missing": missing, "fps": fps, "steadying": steadying or SmoothingConfig()}
    if where is None and reader is not None:
        choice = choice or FaceChoice()
        if extractor.space != STYLISED:
            where = MeshTracks(reader, choice)
        else:
            film, real = shows_people(film, extractor, choice)
            if real:
                watch = {"progress": progress, "should_stop": should_stop}
                return extract_by_meshes(film, reader, choice, **given, **watch)
    where = where or WholeFrames()
    crops = reader_for(extractor, gaze_estimator, steady=steady_crop, fps=float(film.fps))
    times, readings, cuts, picture = [], [], [], (0, 0)
    for batch in _batches(where.locate(film.play()), batch_size):
        raise_if_stopped(should_stop, "Reading the driving video was stopped.")
        picture = batch[0].image.shape[:2]
        cuts += [len(times) + k for k, observation in enumerate(batch) if observation.cut]
        times += [observation.time for observation in batch]
        readings += crops.read(batch)
        if progress is not None:
            progress(len(times), max(film.count, len(times)))
    if not times:
        raise BadInput("The film has no frames in the part that was asked for.")
    return assemble_motion(
        readings,
        times,
        source_fps=film.fps,
        space=extractor.space,
        **given,
        has_gaze=gaze_estimator is not None,
        crop=crops.crop_jitter(),
        square=crops.reference,
        picture=picture,
        cuts=cuts,
        searched=where.tracker.detections if isinstance(where, TrackedFace) else 0,
    )


def extract_by_meshes(
    film: VideoReader,
    reader: FaceReader,
    choice: FaceChoice | None = None,
    *,
    missing: str = "hold",
    steadying: SmoothingConfig | None = None,
    fps: Fraction | int | float = FPS,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Driving:
    """Motion of the chosen person in a film of people, in the stylised space; see `extract_motion`."""
    check_missing(missing)
    given = {"missing": missing, "fps": fps, "steadying": steadying or SmoothingConfig()}
    counted = _count_frames(progress, film)
    made, times, size = read_one(film.play(), reader, choice or FaceChoice(), counted, should_stop)
    return _from_meshes(made, times, size, film, given)


def extract_people(
    film: VideoReader,
    reader: FaceReader,
    *,
    missing: str = "hold",
    steadying: SmoothingConfig | None = None,
    fps: Fraction | int | float = FPS,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[Driving]:
    """Everybody's motion in a film of people, each by a track of their own; see `extract_motion`.

    The largest face of the first frame comes first; who comes later is last. Frames in which somebody is not
    seen count as without a face.
    """
    check_missing(missing)
    given = {"missing": missing, "fps": fps, "steadying": steadying or SmoothingConfig()}
    people, times, size = read_people(film.play(), reader, _count_frames(progress, film), should_stop)
    return [_from_meshes(made, times, size, film, given) for made in people]


def shows_people(film: VideoReader, extractor: Any, choice: FaceChoice) -> tuple[VideoReader, bool]:
    """Whether a film is read by meshes: its first frame is no drawn head of the kind that ships.

    The film comes back whole, also one that plays once.
    """
    frames = film.play()
    first = next(frames, None)
    if first is None:
        raise BadInput("The film has no frames in the part that was asked for.")
    given = choice.box is not None or choice.mask is not None
    real = given or not is_drawn_head(first[1], extractor)
    return (replace(film, play=lambda: chain([first], frames)) if film.once else film), real


def _from_meshes(
    made: MeshReadings, times: list[float], size: tuple[int, int], film: VideoReader, given: dict[str, Any]
) -> Driving:
    if not times:
        raise BadInput("The film has no frames in the part that was asked for.")
    driving = assemble_motion(
        made.readings(float(film.fps)),
        times,
        source_fps=film.fps,
        space=STYLISED,
        square=made.reference,
        picture=size,
        cuts=made.cuts,
        **given,
    )
    doubtful = {what: count for what, count in made.doubtful.items() if count}
    found = np.array(made.found)
    rows = np.zeros((len(times), 2))
    if found.any():
        rows[found] = made.lips()
    grid = {"fps": given["fps"], "count": len(driving.motion), "cuts": made.cuts}
    lips, _ = on_grid(rows, rising(times), found, **grid)
    report = replace(driving.report, doubtful=doubtful)
    motion = lids_together(without_gaze_following(driving.motion))
    return replace(driving, motion=motion, report=report, lips=torch.from_numpy(lips).float())


def _count_frames(progress: Callable[[int, int], None] | None, film: VideoReader) -> Callable[[int], Any]:
    return lambda done: progress and progress(done, max(film.count, done))


def _batches(observations: Iterator[FaceObservation], size: int) -> Iterator[list[FaceObservation]]:
    while batch := list(islice(observations, size)):
        yield batch
