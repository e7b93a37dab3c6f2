"""Mouth against sound: opening, correlation with the speech's loudness, lag, closures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gohd_core.constants import FPS, SAMPLES_PER_FRAME
from gohd_core.errors import BadInput
from gohd_core.landmarks68 import LIP_PAIRS
from gohd_core.measures.sequences import parabola_vertex

CLOSED = 1.0
"""Opening in aligned pixels (224 px face) below which lips count as closed."""

FLOOR_DB = 50.0
"""Loudness this far below a clip's loudest frame counts as silence."""


@dataclass(frozen=True)
class Lag:
    """Best correlation of two sequences over shifts, and the shift in frames at which it is.

    A positive lag means that the first sequence comes after the second.
    """

    correlation: float
    frames: float


def mouth_opening(landmarks: np.ndarray) -> np.ndarray:
    """Mean distance of the inner lips, downward positive, from landmarks [T, 68, 2 or 3] with y up."""
    y = np.asarray(landmarks, np.float64)[..., 1]
    return np.mean([y[..., upper] - y[..., lower] for upper, lower in LIP_PAIRS], axis=0)


def speech_envelope(samples: np.ndarray) -> np.ndarray:
    """Loudness [T] of 16 kHz samples [S] per frame in [0, 1]: 0 is 50 dB below the loudest frame."""
    frames = len(samples) // SAMPLES_PER_FRAME
    if frames == 0:
        raise BadInput("The sound is shorter than one frame of 40 ms.")
    cut = np.asarray(samples, np.float64)[: frames * SAMPLES_PER_FRAME].reshape(frames, -1)  # [T,640]
    level = 20 * np.log10(np.maximum(np.sqrt(np.mean(cut**2, axis=1)), 1e-6))
    return np.clip((level - level.max()) / FLOOR_DB + 1, 0, 1)


def best_lag(first: np.ndarray, second: np.ndarray, largest: int = FPS // 2) -> Lag:
    """The shift within +-`largest` frames at which two sequences [T] correlate best.

    The shift is refined to a fraction of a frame by the parabola through the best three.
    """
    shifts = range(-largest, largest + 1)
    found = np.array([_correlation(first, second, shift) for shift in shifts])
    best = int(found.argmax())
    return Lag(float(found[best]), shifts[best] + parabola_vertex(found, best))


def _correlation(first: np.ndarray, second: np.ndarray, shift: int) -> float:
    length = min(len(first), len(second)) - abs(shift)
    if length < 3:
        raise BadInput("The sequences are too short for such a lag; give a longer clip.")
    a = np.asarray(first, np.float64)[max(shift, 0) :][:length]
    b = np.asarray(second, np.float64)[max(-shift, 0) :][:length]
    a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt(np.sum(a**2) * np.sum(b**2))
    return float(np.sum(a * b) / scale) if scale > 0 else 0.0


def closed_share(opening: np.ndarray, start: np.ndarray, end: np.ndarray, limit: float = CLOSED) -> float:
    """Share of phones (p, b, m: start and end [P] in s) during which the lips close at least once.

    A phone is looked for on the frames whose middle lies within it or up to a frame from it.
    """
    if len(start) == 0:
        raise BadInput("There are no phones to look at.")
    middle = (np.arange(len(opening)) + 0.5) / FPS
    closed = 0
    for first, last in zip(start, end, strict=True):
        near = (middle > first - 1 / FPS) & (middle < last + 1 / FPS)
        closed += bool(near.any() and opening[near].min() < limit)
    return closed / len(start)


def flutter(opening: np.ndarray) -> float:
    """Mean change of the mouth's opening [T] from frame to frame, in the unit of the opening."""
    return float(np.abs(np.diff(opening)).mean())
