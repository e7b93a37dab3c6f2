"""Loudness after ITU-R BS.1770-4: K-weighting, 400 ms blocks, absolute and relative gates."""

from __future__ import annotations

import math

import numpy as np

from gohd_core.errors import BadInput

BLOCK_SECONDS = 0.4
"""Length of a gating block (ITU-R BS.1770)."""
STEP_SECONDS = 0.1
"""Hop between gating blocks, seconds."""
ABSOLUTE_GATE = -70.0
"""LUFS below which a block never counts."""
RELATIVE_GATE = -10.0
"""LU below the mean of the others from which it does not count."""
QUIETEST = -60.0
"""Lowest target, LUFS."""
LOUDEST = 0.0
"""Highest target, LUFS."""


def measure_loudness(samples: np.ndarray, rate: int) -> float:
    """Integrated loudness in LUFS of mono samples [S]; -inf where all of it is below -70 LUFS.

    A clip shorter than 400 ms is measured as one block.
    """
    from scipy.signal import lfilter

    weighted = samples.astype(np.float64)
    for numerator, denominator in _k_weighting(rate):
        weighted = lfilter(numerator, denominator, weighted)
    block = min(len(samples), round(BLOCK_SECONDS * rate))
    step = max(1, round(STEP_SECONDS * rate))
    total = np.concatenate([[0.0], np.cumsum(weighted**2)])
    start = np.arange(0, len(samples) - block + 1, step)
    power = np.maximum(0.0, total[start + block] - total[start]) / block
    loud = power[power > _power(ABSOLUTE_GATE)]
    if loud.size == 0:
        return -math.inf
    gate = _level(loud.mean()) + RELATIVE_GATE
    return _level(loud[loud > _power(gate)].mean())


def normalise_loudness(samples: np.ndarray, rate: int, target: float) -> np.ndarray:
    """Scale mono samples [S] to `target` LUFS; silence is returned as it is."""
    if not QUIETEST <= target <= LOUDEST:
        raise BadInput(f"The loudness must be between -60 and 0 LUFS, not {target}.")
    level = measure_loudness(samples, rate)
    if math.isinf(level):
        return samples
    return samples * 10 ** ((target - level) / 20)


def _level(power: float) -> float:
    return float(-0.691 + 10 * np.log10(power))


def _power(level: float) -> float:
    return 10 ** ((level + 0.691) / 10)


def _k_weighting(rate: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The head's high shelf and the low cut, as biquads for any rate.

    The analogue prototypes are those whose bilinear transform gives the standard's table at
    48 kHz: shelf 1681.97 Hz, +4.0 dB, Q 0.7072; cut 38.135 Hz, Q 0.5003.
    """
    k = math.tan(math.pi * 1681.974450955533 / rate)
    q = 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    scale = 1 + k / q + k * k
    shelf = (
        np.array([high + band * k / q + k * k, 2 * (k * k - high), high - band * k / q + k * k]) / scale,
        np.array([1, 2 * (k * k - 1) / scale, (1 - k / q + k * k) / scale]),
    )
    k = math.tan(math.pi * 38.13547087602444 / rate)
    q = 0.5003270373238773
    scale = 1 + k / q + k * k
    cut = (np.array([1.0, -2.0, 1.0]), np.array([1, 2 * (k * k - 1) / scale, (1 - k / q + k * k) / scale]))
    return [shelf, cut]
