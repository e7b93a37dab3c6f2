"""From readings at a film's own times to 25 frames a second, and what to do where no face was seen."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from gohd_core.choices import MISSING
from gohd_core.errors import BadInput


def check_missing(missing: str) -> None:
    """`BadInput` for anything but one of `MISSING`."""
    if missing not in MISSING:
        raise BadInput(f"{missing!r} is nothing to do without a face; use one of {', '.join(MISSING)}.")


def on_grid(
    rows: np.ndarray,
    times: np.ndarray,
    found: np.ndarray,
    *,
    fps: Fraction | int | float,
    count: int,
    angles: int = 0,
    missing: str = "hold",
    cuts: Sequence[int] = (),
) -> tuple[np.ndarray, np.ndarray]:
    """Values at k / fps seconds, k = 0 .. count - 1, and which of them were observed.

    Between readings values are linear; angles are unwrapped over the readings that have a face.

    Args:
        rows: [N, C] readings; those without a face hold anything. The first `angles` columns are
            radians.
        times: [N] seconds, rising. found: [N] bool.
        missing: one of `MISSING`. Before the first face the first one is held.
        cuts: readings at which shots begin: between them and the ones before, the nearer one counts.
    Returns: values [count, C] float64, valid [count] bool.
    """
    check_missing(missing)
    grid = _beside_cuts(np.array([float(k / Fraction(fps)) for k in range(count)]), times, cuts)
    valid = _observed(grid, times, found)
    if not found.any():
        return np.zeros((count, rows.shape[1])), valid
    known, seen = times[found], rows[found].astype(np.float64)
    seen[:, :angles] = np.unwrap(seen[:, :angles], axis=0)
    if missing == "interpolate":
        values = _linear(grid, known, seen)
    else:
        last = np.maximum.accumulate(np.where(found, np.arange(len(found)), -1))
        order = np.cumsum(found) - 1
        values = _linear(grid, times, seen[order[np.where(last < 0, np.argmax(found), last)]])
    if missing == "mark":
        values[~valid] = 0
    return values, valid


def starts(times: np.ndarray, cuts: Sequence[int], fps: Fraction | int | float, count: int) -> list[int]:
    """Frames of the grid that begin a shot, where readings at times [N] begin one at `cuts`."""
    ends = [(times[cut - 1] + times[cut]) / 2 for cut in cuts]
    first = np.ceil(np.array(ends) * float(fps) - 1e-6).astype(int)
    return sorted({int(frame) for frame in first if 0 < frame < count})


def _beside_cuts(grid: np.ndarray, times: np.ndarray, cuts: Sequence[int]) -> np.ndarray:
    """Times of the grid, those between the last reading of a shot and the next one's first at the nearer."""
    for cut in cuts:
        before, after = times[cut - 1], times[cut]
        between = (grid > before) & (grid < after)
        nearer = np.where(grid < (before + after) / 2 - 1e-6, before, after)
        grid = np.where(between, nearer, grid)
    return grid


def _linear(grid: np.ndarray, times: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.stack([np.interp(grid, times, column) for column in values.T], 1)


def _observed(grid: np.ndarray, times: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Whether a face was seen at the readings on both sides of each time (at one, where they meet)."""
    after = np.searchsorted(times, grid - 1e-6).clip(0, len(times) - 1)
    before = np.where(np.abs(times[after] - grid) < 1e-6, after, (after - 1).clip(0))
    before = np.where(grid > times[-1], len(times) - 1, before)
    return found[before] & found[after]


def gaps(valid: np.ndarray, fps: Fraction | int | float) -> list[tuple[float, float]]:
    """Stretches that were not observed, as (from, to) in seconds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], valid, [True]]).astype(int)))
    return [(float(a / Fraction(fps)), float(b / Fraction(fps))) for a, b in edges.reshape(-1, 2).tolist()]
