"""A short clip of each picture, said by the shipped models, and whether it is one of a face that talks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gohd_core.evaluation.pictures.readings import FaceReadings
from gohd_core.measures.face_points import face_region
from gohd_core.measures.images import gradient_energy

SEEN = 0.95
"""A picture talks if a face is seen in this share of the frames,"""
SPAN = 0.12
"""... the gap between its lips spans this (in distances of the eyes' outer corners),"""
SHUT = 0.05
"""... closes to this (or to the picture's own gap),"""
SHARP = 0.9
"""... and this share of the source's sharpness stays."""


@dataclass(frozen=True)
class Talk:
    """Measures of a picture that speaks.

    Attributes:
        seen: share of the frames in which a face was read.
        span: of the gap between the lips, in distances of the eyes' outer corners.
        least: the smallest gap.
        own: the picture's own gap.
        sharp: gradient energy of the face's region as a share of the source's, mean over the frames.
    """

    seen: float
    span: float
    least: float
    own: float
    sharp: float

    @property
    def faults(self) -> tuple[str, ...]:
        """The reason why it does not talk; empty where it does."""
        wrong = {
            "face not seen": self.seen < SEEN,
            "lips hardly part": not self.span >= SPAN,
            "lips do not close": not self.least <= max(SHUT, self.own),
            "soft": not self.sharp >= SHARP,
        }
        return tuple(name for name, is_so in wrong.items() if is_so)


def judge_talk(own: FaceReadings, source: np.ndarray, read: FaceReadings, frames: np.ndarray) -> Talk:
    """The figures of one clip.

    Args:
        own: readings of the source picture itself, one frame.
        source: u8 [S,S,3].
        read: readings of the frames u8 [T,S,S,3].
    """
    gaps = read.share[read.seen]
    nothing = float("nan")
    sharp = nothing
    if own.seen[0] and len(gaps):
        before = face_energy(source, own.points[0])
        after = [
            face_energy(frame, points)
            for frame, points, is_seen in zip(frames, read.points, read.seen, strict=True)
            if is_seen
        ]
        sharp = float(np.mean(after)) / max(before, 1e-9)
    return Talk(
        seen=float(read.seen.mean()),
        span=float(np.ptp(gaps)) if len(gaps) else nothing,
        least=float(gaps.min()) if len(gaps) else nothing,
        own=float(own.share[0]) if own.seen[0] else nothing,
        sharp=sharp,
    )


def face_energy(picture: np.ndarray, points: np.ndarray) -> float:
    """Gradient energy of a face's region; picture u8 [H,W,3], points [468 or 478,3] in its pixels."""
    return gradient_energy(picture, face_region(points, *picture.shape[:2]))
