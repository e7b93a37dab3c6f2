"""Motion from a driving video: pose, expression and gaze at 25 fps, read as a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice

from gohd_core.constants import FPS
from gohd_core.driving.locators import Sighting, TrackedFace, Whereabouts, WholeFrames
from gohd_core.driving.readers import reader_for
from gohd_core.driving.result import Driving, assembled
from gohd_core.driving.steadiness import Steadying
from gohd_core.driving.timeline import check_missing
from gohd_core.errors import BadInput, Interrupted
from gohd_core.face.extractor import CoefficientExtractor
from gohd_core.face.gaze_estimator import GazeEstimator
from gohd_core.video.reader import Film


def extract_motion(
    film: Film,
    extractor: CoefficientExtractor,
    gaze_estimator: GazeEstimator | None = None,
    *,
    where: Whereabouts | None = None,
    missing: str = "hold",
    steady_crop: bool = True,
    steadying: Steadying | None = None,
    fps: Fraction | int | float = FPS,
    batch_size: int = 16,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Driving:
    """Reads a film's face frame by frame; only numbers are kept, so that memory does not grow with length.

    Args:
        film: any rate, even or uneven; it is resampled on unwrapped angles to round(seconds * fps) frames.
        gaze_estimator: None leaves the gaze straight ahead and marked as not observed.
        where: see `whereabouts`; None takes each frame as a square picture of a head.
        missing: what frames without a face get, one of `timeline.MISSING`; they never stop the run. All
            of them together leave a motion at rest.
        steady_crop: keep the crop still while the face stays in it (built-in weights), or steady the
            landmarks that align it (official ones).
        steadying: smoothing of the motion; None is `Steadying()`.
        batch_size: frames that go through the networks together; it does not change the result.
    Raises: `BadInput` for a film that can't be read, or where nothing says where the face is; `Interrupted`.
    """
    check_missing(missing)
    where = where or WholeFrames()
    reader = reader_for(extractor, gaze_estimator, steady=steady_crop, fps=float(film.fps))
    times, readings, picture = [], [], (0, 0)
    for batch in _batches(where.sight(film.play()), batch_size):
        if should_stop is not None and should_stop():
            raise Interrupted("Reading the driving video was stopped.")
        picture = batch[0].image.shape[:2]
        times += [sighting.time for sighting in batch]
        readings += reader.read(batch)
        if progress is not None:
            progress(len(times), max(film.count, len(times)))
    if not times:
        raise BadInput("The film has no frames in the part that was asked for.")
    return assembled(
        readings,
        times,
        source_fps=film.fps,
        fps=fps,
        space=extractor.space,
        missing=missing,
        steadying=steadying or Steadying(),
        has_gaze=gaze_estimator is not None,
        crop=reader.crop_tremble(),
        square=reader.reference,
        picture=picture,
        searched=where.tracker.detections if isinstance(where, TrackedFace) else 0,
    )


def _batches(sightings: Iterator[Sighting], size: int) -> Iterator[list[Sighting]]:
    while batch := list(islice(sightings, size)):
        yield batch
