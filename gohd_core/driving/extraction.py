"""Motion from a driving video: pose, expression and gaze at 25 fps, read as a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gohd_core.constants import FPS, N_IDENTITY, N_LANDMARKS
from gohd_core.driving.film import Film
from gohd_core.driving.readers import Reading, reader_for
from gohd_core.driving.sightings import Sighting, TrackedFace, Whereabouts, WholeFrames
from gohd_core.driving.steadiness import Steadying, motion_tremble, steadied
from gohd_core.driving.timeline import MISSING, gaps, on_grid
from gohd_core.errors import BadInput, Interrupted
from gohd_core.face.extractor import CoefficientExtractor
from gohd_core.face.gaze_estimator import GazeEstimator
from gohd_core.motion import Expression, Gaze, Motion, Pose


@dataclass(frozen=True)
class ExtractionReport:
    """What happened, for people and for `--json`.

    Attributes:
        frames_read, source_fps: of the film. frames, fps: of the motion.
        without_face: frames read in which no face was seen; gaps: where the motion was not observed,
            as (from, to) in seconds; missing: what was done there.
        searched: frames in which a detector had to look for the face; 0 without a detector.
        tremble, steadied_tremble: jitter before and after smoothing, by part (`steadiness.tremble`).
        crop_tremble, steadied_crop_tremble: the same of the crop, in pixels of the film.
    """

    frames_read: int
    source_fps: float
    frames: int
    fps: float
    without_face: int
    missing: str
    gaps: list[tuple[float, float]] = field(default_factory=list)
    searched: int = 0
    tremble: dict[str, float] = field(default_factory=dict)
    steadied_tremble: dict[str, float] = field(default_factory=dict)
    crop_tremble: float = 0.0
    steadied_crop_tremble: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON takes it."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [f"{self.frames} frames at {self.fps:g} fps from {self.frames_read} at {self.source_fps:g}."]
        if self.without_face:
            where = ", ".join(f"{a:.2f}-{b:.2f} s" for a, b in self.gaps[:5])
            more = f" and {len(self.gaps) - 5} more" if len(self.gaps) > 5 else ""
            lines.append(f"No face in {self.without_face} frames ({where}{more}): {self.missing}.")
        before, after = self.tremble, self.steadied_tremble
        lines.append(
            f"Jitter of the head {before['head']:.3f} degrees, after smoothing {after['head']:.3f}; "
            f"of the gaze {before['gaze']:.3f} and {after['gaze']:.3f}; "
            f"of the crop {self.crop_tremble:.2f} pixels and {self.steadied_crop_tremble:.2f}."
        )
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class Driving:
    """A driving video's motion.

    Attributes:
        motion: at the wanted rate, steadied.
        identity: mean i of eq. 10 over frames with a face, [80]; zero without any.
        landmarks: [T, 68, 2] in pixels of the film at the motion's frames; held where there is no face.
        report: what happened.
    """

    motion: Motion
    identity: Tensor
    landmarks: Tensor
    report: ExtractionReport


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
    if missing not in MISSING:
        raise BadInput(f"{missing!r} is nothing to do without a face; use one of {', '.join(MISSING)}.")
    where = where or WholeFrames()
    reader = reader_for(extractor, gaze_estimator, steady=steady_crop, fps=float(film.fps))
    times, readings = [], []
    for batch in _batches(where.sight(film.play()), batch_size):
        if should_stop is not None and should_stop():
            raise Interrupted("Reading the driving video was stopped.")
        times += [sighting.time for sighting in batch]
        readings += reader.read(batch)
        if progress is not None:
            progress(len(times), max(film.count, len(times)))
    if not times:
        raise BadInput("The film has no frames in the part that was asked for.")
    raw, landmarks = _resampled(readings, times, film, fps, missing, extractor.space, gaze_estimator)
    steady = steadied(raw, steadying or Steadying())
    crop = reader.crop_tremble()
    report = ExtractionReport(
        frames_read=len(times),
        source_fps=float(film.fps),
        frames=len(raw),
        fps=float(fps),
        without_face=sum(reading is None for reading in readings),
        missing=missing,
        gaps=gaps(raw.pose.valid.numpy(), fps),
        searched=where.tracker.detections if isinstance(where, TrackedFace) else 0,
        tremble=motion_tremble(raw),
        steadied_tremble=motion_tremble(steady),
        crop_tremble=crop[0],
        steadied_crop_tremble=crop[1],
    )
    return Driving(steady, _identity(readings), landmarks, report)


def _resampled(
    readings: list[Reading | None],
    times: list[float],
    film: Film,
    fps: Fraction | int | float,
    missing: str,
    space: str,
    gaze_estimator: GazeEstimator | None,
) -> tuple[Motion, Tensor]:
    found = np.array([reading is not None for reading in readings])
    clock = np.maximum.accumulate(np.array(times))
    count = max(round((clock[-1] + 1 / float(film.fps)) * float(fps)), 1)
    parts = []
    for name, kind in (("pose", Pose), ("expression", Expression), ("gaze", Gaze)):
        rows = _column(readings, name, (kind.width,))
        values, valid = on_grid(rows, clock, found, fps=fps, count=count, angles=kind.angles, missing=missing)
        seen = valid if name != "gaze" or gaze_estimator is not None else np.zeros_like(valid)
        parts.append(kind(torch.from_numpy(values), space, fps, torch.from_numpy(seen)))
    points = _column(readings, "landmarks", (N_LANDMARKS, 2)).reshape(len(times), -1)
    landmarks, _ = on_grid(points, clock, found, fps=fps, count=count)
    return Motion(*parts), torch.from_numpy(landmarks).float().unflatten(1, (N_LANDMARKS, 2))


def _column(readings: list[Reading | None], name: str, shape: tuple[int, ...]) -> np.ndarray:
    empty = np.zeros(shape)
    return np.stack([empty if reading is None else getattr(reading, name) for reading in readings])


def _identity(readings: list[Reading | None]) -> Tensor:
    rows = [reading.identity for reading in readings if reading is not None]
    return torch.from_numpy(np.mean(rows, axis=0)).float() if rows else torch.zeros(N_IDENTITY)


def _batches(sightings: Iterator[Sighting], size: int) -> Iterator[list[Sighting]]:
    while batch := list(islice(sightings, size)):
        yield batch
