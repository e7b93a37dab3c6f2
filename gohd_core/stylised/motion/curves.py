"""Small curve helpers of the behaviour models: smoothing, random wandering, bumps."""

from __future__ import annotations

import numpy as np


def smooth(values: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian smoothing along the first axis; sigma in samples, ends repeated."""
    from scipy.ndimage import gaussian_filter1d

    width = {"sigma": max(sigma, 1e-6), "radius": max(1, int(np.ceil(3 * sigma)))}
    return gaussian_filter1d(values.astype(np.float64), axis=0, mode="nearest", **width)


def wander(rng: np.random.Generator, count: int, sigma: float, columns: int) -> np.ndarray:
    """Smooth random curves `[count, columns]` of unit variance; sigma in samples."""
    radius = max(1, int(np.ceil(3 * sigma)))
    offsets = np.arange(-radius, radius + 1)
    kernel = np.exp(-0.5 * (offsets / sigma) ** 2)
    kernel /= np.sqrt((kernel**2).sum())
    noise = rng.normal(size=(count + 2 * radius, columns))
    return np.stack([np.convolve(column, kernel, "valid") for column in noise.T], 1)


def ease(values: np.ndarray) -> np.ndarray:
    """Minimum-jerk step (Flash and Hogan 1985): 0 up to 0, 1 from 1 on."""
    t = np.clip(values, 0, 1)
    return t * t * t * (10 - 15 * t + 6 * t * t)


def bump(times: np.ndarray, start: float, peak: float, hold: float, end: float) -> np.ndarray:
    """Rises from `start` to 1 at `peak`, stays for `hold` s, falls to 0 at `end`."""
    rise = ease((times - start) / max(peak - start, 1e-6))
    fall = ease((times - peak - hold) / max(end - peak - hold, 1e-6))
    return rise * (1 - fall)
