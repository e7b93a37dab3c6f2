"""Result of reading a driving video: motion, identity and report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gohd_core.constants import N_IDENTITY, N_LANDMARKS
from gohd_core.driving.steadiness import SmoothingConfig, motion_jitter, smooth_motion
from gohd_core.driving.timeline import gaps, on_grid, starts
from gohd_core.face.crop import Box
from gohd_core.face.detection.head_track import HeadTrack
from gohd_core.motion import Expression, Gaze, Motion, Pose


@dataclass(frozen=True, eq=False)
class FrameCoefficients:
    """Coefficients of one frame: pose [6], expression [64], gaze [2], identity [80], landmarks [68, 2] in
    pixels.

    The landmarks are zero where nobody gave any and the extractor does not find them itself.
    """

    pose: np.ndarray
    expression: np.ndarray
    gaze: np.ndarray
    identity: np.ndarray
    landmarks: np.ndarray


@dataclass(frozen=True)
class ExtractionReport:
    """Report of an extraction, for people and for `--json`.

    Attributes:
        frames_read, source_fps: of the film. frames, fps: of the motion.
        without_face: frames read in which no face was seen; gaps: where the motion was not observed,
            as (from, to) in seconds; missing: what was done there.
        searched: frames in which a detector had to look for the face; 0 without a detector.
        tremble, steadied_tremble: jitter before and after smoothing, by part (`steadiness.jitter`).
        crop_tremble, steadied_crop_tremble: the same of the crop, in pixels of the film.
        doubtful: frames that were hard to read, by what made them so: a face turned away, at the picture's
            edge, or moving fast.
        cuts: frames of the motion at which another shot begins; nothing is smoothed across them.
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
    doubtful: dict[str, int] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON takes it."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [f"{self.frames} frames at {self.fps:g} fps from {self.frames_read} at {self.source_fps:g}."]
        if self.without_face:
            where = ", ".join(f"{a:.2f}-{b:.2f} s" for a, b in self.gaps[:5])
            more = f" and {len(self.gaps) - 5} more" if len(self.gaps) > 5 else ""
            lines.append(f"No face in {self.without_face} frames ({where}{more}): {self.missing}.")
        if self.doubtful:
            kinds = ", ".join(f"{what} {count}" for what, count in self.doubtful.items())
            lines.append(f"Frames that were hard to read: {kinds}.")
        if self.cuts:
            where = ", ".join(f"{frame / self.fps:.2f}" for frame in self.cuts[:5])
            more = f" and {len(self.cuts) - 5} more" if len(self.cuts) > 5 else ""
            lines.append(f"Cuts at {where} s{more}.")
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
        square: (left, top, right, bottom) in pixels of the film: where the pose counts the head's place from;
            None with the official extractor, which aligns each frame by itself, or without a face.
        report: what happened.
        picture: (height, width) of the film's frames.
        track: the square that each frame's pose refers to; see `following.with_head_track`.
        lips: [T, 2] gap and width of the mouth in the head, model units, at the motion's frames; None unless
            the face was read by its mesh.
    """

    motion: Motion
    identity: Tensor
    landmarks: Tensor
    report: ExtractionReport
    square: tuple[float, float, float, float] | None = None
    picture: tuple[int, int] = (0, 0)
    track: HeadTrack | None = None
    lips: Tensor | None = None


def assemble_motion(
    readings: list[FrameCoefficients | None],
    times: list[float],
    *,
    source_fps: Fraction,
    fps: Fraction | int | float,
    space: str,
    missing: str,
    steadying: SmoothingConfig,
    has_gaze: bool = True,
    crop: tuple[float, float] = (0.0, 0.0),
    searched: int = 0,
    square: Box | None = None,
    picture: tuple[int, int] = (0, 0),
    cuts: Sequence[int] = (),
) -> Driving:
    """Readings at their times (None: no face) as a motion at `fps`; see `ExtractionReport` for the rest.

    cuts: readings at which shots begin, after the first.
    """
    raw, landmarks = _resampled(readings, times, source_fps, fps, missing, space, has_gaze, cuts)
    begin = starts(rising(times), cuts, fps, len(raw))
    steady = smooth_motion(raw, steadying, begin)
    report = ExtractionReport(
        frames_read=len(times),
        source_fps=float(source_fps),
        frames=len(raw),
        fps=float(fps),
        without_face=sum(reading is None for reading in readings),
        missing=missing,
        gaps=gaps(raw.pose.valid.numpy(), fps),
        searched=searched,
        tremble=motion_jitter(raw, begin),
        steadied_tremble=motion_jitter(steady, begin),
        crop_tremble=crop[0],
        steadied_crop_tremble=crop[1],
        cuts=begin,
    )
    place = None if square is None else square.as_tuple()
    return Driving(steady, _identity(readings), landmarks, report, place, picture)


def _resampled(
    readings: list[FrameCoefficients | None],
    times: list[float],
    source_fps: Fraction,
    fps: Fraction | int | float,
    missing: str,
    space: str,
    has_gaze: bool,
    cuts: Sequence[int],
) -> tuple[Motion, Tensor]:
    found = np.array([reading is not None for reading in readings])
    clock = rising(times)
    count = max(round((clock[-1] + 1 / float(source_fps)) * float(fps)), 1)
    parts = []
    for name, kind in (("pose", Pose), ("expression", Expression), ("gaze", Gaze)):
        rows = _column(readings, name, (kind.width,))
        given = {"fps": fps, "count": count, "missing": missing, "cuts": cuts}
        values, valid = on_grid(rows, clock, found, angles=kind.angles, **given)
        seen = valid if name != "gaze" or has_gaze else np.zeros_like(valid)
        parts.append(kind(torch.from_numpy(values), space, fps, torch.from_numpy(seen)))
    points = _column(readings, "landmarks", (N_LANDMARKS, 2)).reshape(len(times), -1)
    landmarks, _ = on_grid(points, clock, found, fps=fps, count=count, cuts=cuts)
    return Motion(*parts), torch.from_numpy(landmarks).float().unflatten(1, (N_LANDMARKS, 2))


def rising(times: Sequence[float]) -> np.ndarray:
    """Time stamps [N] that never fall: one that does waits."""
    return np.maximum.accumulate(np.array(times, np.float64))


def _column(readings: list[FrameCoefficients | None], name: str, shape: tuple[int, ...]) -> np.ndarray:
    empty = np.zeros(shape)
    return np.stack([empty if reading is None else getattr(reading, name) for reading in readings])


def _identity(readings: list[FrameCoefficients | None]) -> Tensor:
    rows = [reading.identity for reading in readings if reading is not None]
    return (
        torch.from_numpy(np.mean(rows, axis=0)).float()
        if rows
        else torch.zeros(N_IDENTITY, dtype=torch.float32, device="cpu")
    )
