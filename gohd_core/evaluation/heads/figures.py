"""Figures of a head and its eyes during speech: blinks, speed, rhythm, drift, repeats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gohd_core.constants import FPS
from gohd_core.measures.motion_statistics import beat_locking, trembling
from gohd_core.measures.sequences import blinks

SPAN = (5, 95)
"""Percentiles between which a head counts as moving."""
REPEAT_AFTER = 2.0
"""Seconds from which on a movement that comes back counts as a repeat."""
ENOUGH = 4 * FPS
"""Least overlap in frames in which a repeat is looked for."""
NOTE = (
    "Blinks: eyes less than half open, and for how long. Speed: of the head's three angles; above 6 Hz: "
    "share of the energy of their speeds. Spans: 95 % of pitch and yaw less 5 %, their mean. Locked to "
    "beats: energy of the mean movement around rises of loudness, as a multiple of what chance gives. "
    "Drift: mean angles of the last third against the first. Repeats: largest correlation of the angles' "
    "changes with themselves two seconds and more later; chance gives more in short clips."
)


@dataclass(frozen=True, eq=False)
class SpokenHead:
    """Head angles [T, 3] in radians, eye ratios [T] (1 open) and frames of the sound's beats."""

    angles: np.ndarray
    ratio: np.ndarray
    beats: np.ndarray


def head_figures(head: SpokenHead) -> dict[str, float]:
    """A row of the table of heads and eyes."""
    count = len(head.angles)
    degrees = np.degrees(head.angles)
    rate, length = blinks(head.ratio)
    low, high = np.percentile(degrees[:, :2], SPAN, axis=0)
    third = max(count // 3, 1)
    return {
        "seconds": count / FPS,
        "blinks a minute": rate,
        "blink s": length,
        "speed deg/s": speed(head.angles),
        "above 6 Hz": trembling(head.angles),
        "spans deg": float((high - low).mean()),
        "locked to beats": beat_locking(head.angles, head.beats),
        "drift deg": float(np.linalg.norm(degrees[-third:].mean(0) - degrees[:third].mean(0))),
        "repeats": repeats(head.angles),
    }


def speed(angles: np.ndarray) -> float:
    """Mean angular speed of head angles [T, 3] in radians, degrees a second."""
    return float(np.linalg.norm(np.diff(np.degrees(angles), axis=0), axis=1).mean() * FPS)


def repeats(angles: np.ndarray) -> float:
    """Largest correlation of the angles' changes with themselves later; nan for clips that are too short.

    1 for a head that does the same again and again; a random one comes near to 0 the longer it is.
    """
    change = np.diff(angles, axis=0)
    change = (change - change.mean(0)) / np.maximum(change.std(0), 1e-9)
    first, last = round(REPEAT_AFTER * FPS), len(change) - ENOUGH
    if last <= first:
        return float("nan")
    found = [float((change[:-lag] * change[lag:]).mean()) for lag in range(first, last)]
    return max(found)
