"""Figures on sequences: commanded against measured, structural similarity, blinks, saccades, jitter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gohd_core.constants import FPS
from gohd_core.errors import BadInput

C1, C2 = 0.01**2, 0.03**2
"""The small constants of eq. 26, those of structural similarity for a range of 1."""

BLINK_BELOW = 0.5
"""An eye ratio (1 = the neutral opening) below this is a blink."""
SACCADE_SPEED = 30.0
"""Degrees a second from which a movement of the eyes is a saccade."""
_STILL = 1e-9


@dataclass(frozen=True)
class Agreement:
    """Linear fit of a measured value to the commanded one over many samples.

    Attributes:
        correlation: Pearson's, 0 where one of the two does not vary.
        slope: of measured against commanded by least squares; 1 keeps the amplitude.
        error: mean absolute difference.
        count: samples.
    """

    correlation: float
    slope: float
    error: float
    count: int


def agreement(commanded: np.ndarray, measured: np.ndarray) -> Agreement:
    """Agreement of two sequences [N] of finite numbers, N at least 2."""
    a, b = np.asarray(commanded, np.float64).ravel(), np.asarray(measured, np.float64).ravel()
    if a.shape != b.shape or len(a) < 2:
        raise BadInput(f"Two sequences of equal length are wanted; got {len(a)} and {len(b)} values.")
    x, y = a - a.mean(), b - b.mean()
    xx, yy, xy = float(x @ x), float(y @ y), float(x @ y)
    moving = xx > _STILL and yy > _STILL
    return Agreement(
        correlation=xy / (xx * yy) ** 0.5 if moving else 0.0,
        slope=xy / xx if xx > _STILL else float("nan"),
        error=float(np.abs(a - b).mean()),
        count=len(a),
    )


def displacement_share(true: np.ndarray, made: np.ndarray) -> float:
    """Displacement of points along their true displacements, as a share: sum(m . t) / sum(t . t).

    1 is the whole way; both [..., 2]; nan where nothing truly moves.
    """
    t, m = np.asarray(true, np.float64), np.asarray(made, np.float64)
    whole = float((t * t).sum())
    return float((t * m).sum() / whole) if whole > _STILL else float("nan")


def structural_similarity(truth: np.ndarray, made: np.ndarray) -> float:
    """SSIM_p and SSIM_e of Tables 2, 3, 6 and 7: eq. 26's similarity over time, mean over channels.

    Both [T, C], in the coefficients' own unit; the paper does not name the unit, nor the constants
    (those of pictures in 0..1 are taken, as in training).
    """
    a, b = (torch.as_tensor(np.asarray(x), dtype=torch.float64, device="cpu")[None] for x in (truth, made))
    return float(structural_similarity_over_time(a, b))


def structural_similarity_over_time(truth: Tensor, generated: Tensor) -> Tensor:
    """SSIM of each of the C dimensions over time (eq. 26), meaned, of [B, T, C] sequences."""
    mean, mean_g = truth.mean(dim=1), generated.mean(dim=1)
    centred, centred_g = truth - mean[:, None], generated - mean_g[:, None]
    variance, variance_g = centred.square().mean(dim=1), centred_g.square().mean(dim=1)
    covariance = (centred * centred_g).mean(dim=1)
    top = (2 * mean * mean_g + C1) * (2 * covariance + C2)
    bottom = (mean.square() + mean_g.square() + C1) * (variance + variance_g + C2)
    return (top / bottom).mean()


def blinks(ratio: np.ndarray) -> tuple[float, float]:
    """Blinks a minute and their mean duration in seconds, from eye ratios [T] (1 open, 0 closed).

    A blink is a run of frames below `BLINK_BELOW`; one that is cut by an end counts, its duration does not.
    """
    shut = np.asarray(ratio) < BLINK_BELOW
    edges = np.flatnonzero(np.diff(np.concatenate([[False], shut, [False]]).astype(int)))
    starts, stops = edges[::2], edges[1::2]
    whole = (starts > 0) & (stops < len(shut))
    lengths = (stops - starts)[whole] / FPS
    return 60 * FPS * len(starts) / len(shut), float(lengths.mean()) if len(lengths) else float("nan")


def saccades(gaze: np.ndarray) -> tuple[float, float]:
    """Saccades a minute and their mean amplitude in degrees, from gaze [T, 2] in radians.

    A saccade is a run of steps faster than `SACCADE_SPEED`.
    """
    degrees = np.degrees(np.asarray(gaze, np.float64))
    fast = np.linalg.norm(np.diff(degrees, axis=0), axis=1) * FPS > SACCADE_SPEED
    edges = np.flatnonzero(np.diff(np.concatenate([[False], fast, [False]]).astype(int)))
    jumps = [
        np.linalg.norm(degrees[stop] - degrees[start])
        for start, stop in zip(edges[::2], edges[1::2], strict=True)
    ]
    return 60 * FPS * len(jumps) / len(degrees), float(np.mean(jumps)) if jumps else float("nan")


def jerk(values: np.ndarray) -> float:
    """Mean size of the third difference of [T, ...] at 25 frames a second, in the values' unit a s^3."""
    values = np.asarray(values, np.float64).reshape(len(values), -1)
    if len(values) < 4:
        raise BadInput(f"Jerk needs at least 4 frames; there are {len(values)}.")
    return float(np.linalg.norm(np.diff(values, n=3, axis=0), axis=1).mean() * FPS**3)


def parabola_vertex(values: np.ndarray, best: int) -> float:
    """Subsample peak: vertex of the parabola through the samples around the highest, -0.5..0.5."""
    if not 0 < best < len(values) - 1:
        return 0.0
    left, middle, right = values[best - 1 : best + 2]
    bend = left - 2 * middle + right
    return float(0.5 * (left - right) / bend) if bend < 0 else 0.0
