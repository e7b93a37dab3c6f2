"""Lag between the lips in a video and its sound, from the clip as a whole, with a confidence.

What the built-in predictor hears in the sound is held against what is seen of the lips, in three pairs:
opening against the gap, pressed lips against the gap, rounding against the width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gohd_core.constants import FPS
from gohd_core.errors import BadInput
from gohd_core.measures.sequences import parabola_vertex
from gohd_core.stylised.head.expressions import INDEX

BAND = (0.5, 8.0)
"""Band of speech movements, Hz; below it are moods, above it is noise."""

LARGEST = 15
"""Largest lag that is searched, frames."""

CHANCE = 20
"""Lags beyond which two sequences agree by chance only, frames."""

SHORTEST = 75
"""Shortest sequence whose lag can be estimated, frames."""

APART = 3
"""Frames within which two maxima are one."""

KNOWN = 0.5
"""Confidence from which on a lag counts as known."""

PART, SURE = 100, 0.8
"""Frames of the parts of a clip whose own lags are compared, and confidence from which on they count: one in
1,300 parts with another's sound reaches it."""


@dataclass(frozen=True)
class LipLag:
    """The lag at which sound and lips agree best.

    Attributes:
        frames: by how much the lips come after the sound, at 25 frames a second, in parts of a frame.
        confidence: 0..1; `known` from `KNOWN` on.
        peak: mean correlation of the three pairs at that lag.
        second: the next maximum of it within `LARGEST` frames.
    """

    frames: float
    confidence: float
    peak: float
    second: float

    @property
    def known(self) -> bool:
        """Whether the lag is sure enough to act upon."""
        return self.confidence >= KNOWN


def find_lag(heard: np.ndarray, gap: np.ndarray, width: np.ndarray) -> LipLag:
    """The lag between predicted expressions and seen lips, at 25 frames a second.

    Args:
        heard: expressions [T, 64] that the predictor made of the sound, in the stylised space.
        gap: distance of the inner lips [T] as it is seen, in any unit that goes with the head.
        width: distance of the mouth's corners [T].
    Raises: `BadInput` for sequences that are too short or of different lengths.
    """
    count = len(gap)
    if not len(heard) == count == len(width):
        raise BadInput(f"Sound and lips differ in length: {len(heard)}, {count} and {len(width)} frames.")
    if count < max(SHORTEST, 2 * CHANCE + LARGEST):
        raise BadInput(f"{count} frames are too few to tell a lag; give at least {SHORTEST}.")
    pairs = zip(heard_signals(heard), seen_signals(gap, width), strict=True)
    agreement = np.mean([_circular_correlation(first, second) for first, second in pairs], axis=0)
    lags = np.arange(-LARGEST, LARGEST + 1)
    near = agreement[lags % count]
    distance = np.minimum(np.arange(count), count - np.arange(count))
    chance = agreement[distance > CHANCE]
    best = int(near.argmax())
    peak, second = float(near[best]), _second_peak(near, best)
    above = (peak - float(chance.mean())) / max(float(chance.std()), 1e-9)
    # the limits were chosen on six clips of talkers, and let no music or silent clip through
    confidence = _ramp(above, 3.0, 5.5) * _ramp(peak - second, 0.0, 0.1) * _ramp(peak, 0.12, 0.24)
    if best in (0, len(lags) - 1):  # The true maximum may lie beyond.
        confidence = 0.0
    return LipLag(float(lags[best]) + parabola_vertex(near, best), confidence, peak, second)


def find_part_lags(heard: np.ndarray, gap: np.ndarray, width: np.ndarray) -> list[tuple[int, LipLag]]:
    """The lags of a clip's parts of `PART` frames, with the first frame of each; args: `find_lag`.

    Each part begins in the middle of the one before; those that are not sure are left out.
    """
    starts = range(0, len(gap) - PART + 1, PART // 2)
    parts = ((k, slice(k, k + PART)) for k in starts)
    found = [(k, find_lag(heard[part], gap[part], width[part])) for k, part in parts]
    return [(k, lag) for k, lag in found if lag.confidence >= SURE]


def heard_signals(expression: np.ndarray) -> np.ndarray:
    """Opening, no pressed lips and no rounding [3, T] of expressions [T, 64] in the stylised space."""
    jaw, drop, lift, press, pucker = (
        np.asarray(expression, np.float64)[:, INDEX[name]]
        for name in ("jaw_open", "lower_lip_drop", "upper_lip_raise", "lip_press", "lip_pucker")
    )
    return np.stack([jaw + 0.5 * drop + 0.3 * lift, -press, -pucker])


def seen_signals(gap: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Lip signals that match `heard_signals`, [3, T]; the root makes small openings count too."""
    opening = np.sqrt(np.maximum(gap - np.percentile(gap, 3), 0) + 1e-4)
    return np.stack([opening, opening, np.asarray(width, np.float64)])


def shifted(values: np.ndarray, lag: float) -> np.ndarray:
    """Seen values [T, ...] as they would be without a lag in frames; edges repeat."""
    place = np.clip(np.arange(len(values)) + lag, 0, len(values) - 1)
    low = np.minimum(place.astype(np.int64), len(values) - 2)
    share = (place - low).reshape(-1, *[1] * (values.ndim - 1))
    return values[low] * (1 - share) + values[low + 1] * share


def _circular_correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Correlation [T] for every shift k of `second` to the left, around the end."""
    a, b = (np.fft.rfft(_spoken_band(values)) for values in (first, second))
    return np.fft.irfft(np.conj(a) * b, len(first)) / len(first)


def _spoken_band(values: np.ndarray) -> np.ndarray:
    """Values [T] within `BAND`, with mean 0 and deviation 1."""
    from scipy.signal import butter, filtfilt

    found = filtfilt(*butter(2, [hertz / (FPS / 2) for hertz in BAND], "band"), values)
    return (found - found.mean()) / (found.std() + 1e-9)


def _second_peak(near: np.ndarray, best: int) -> float:
    """The highest other local maximum; the median where there is none."""
    left, right = np.r_[-np.inf, near[:-1]], np.r_[near[1:], -np.inf]
    far = np.abs(np.arange(len(near)) - best) > APART
    others = near[(near >= left) & (near >= right) & far]
    return float(others.max()) if len(others) else float(np.median(near))


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0, 1))
