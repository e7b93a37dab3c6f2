"""Spectrogram augmentation: rows as other voices, rooms and noises might have made them.

In the manner of SpecAugment (D. S. Park et al. 2019), for networks that learn from few synthesised voices and
are to hear many real ones. `augmentation.py` changes samples; this changes rows.
"""

from __future__ import annotations

import numpy as np

from gohd_core.constants import N_MELS
from gohd_core.training.audio.interpolation import interpolate_rows

LOWEST, HIGHEST = -4.0, 4.0
"""Range of the rows; one unit is 12.5 dB."""
NEPERS = 1.44
"""Natural logarithm of an amplitude, for a unit of the rows."""
KNOTS = 5
"""Values that a smooth curve over the bands goes through."""
WARP, CONTRAST, COLOUR, LEVEL = 2.2, 0.18, 0.45, 0.3
"""Deviations: bands that a band moves by, logarithm of a factor on movements, units of colour and level."""
BLUR, ECHO = (0.15, 0.5), (0.2, 0.7)
"""Share of both neighbours in a band (how far harmonics are apart), and how slowly sound dies away."""
NOISE_BELOW, NOISE_COLOUR, NOISE_GRAIN = (0.8, 4.0), 0.6, 0.25
"""Units by which a steady noise is below loud speech; deviations of its colour and from row to row."""
SHARES = {"warp": 0.6, "contrast": 0.5, "colour": 0.6, "blur": 0.3, "echo": 0.25, "noise": 0.4}
MASKS, MASK_BANDS = 2, (2, 9)
"""Most bands that are masked in one example, and from how many to how many bands each."""


def augment_spectrogram(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows [N, 80] in [-4, 4] with each of the changes at its share; float32."""
    rows = rows.astype(np.float32)
    drawn = {name for name, share in SHARES.items() if rng.random() < share}
    if "warp" in drawn:
        rows = interpolate_rows(rows.T, np.arange(N_MELS) + smooth_curve(rng, WARP)).T
    if "contrast" in drawn:
        mean = rows.mean(0)
        rows = mean + (rows - mean) * np.exp(smooth_curve(rng, CONTRAST))
    if "colour" in drawn:
        rows = rows + smooth_curve(rng, COLOUR) + np.float32(rng.normal(0, LEVEL))
    if "blur" in drawn:
        share = np.float32(rng.uniform(*BLUR))
        padded = np.pad(rows, ((0, 0), (1, 1)), mode="edge")
        rows = rows * (1 - share) + (padded[:, :-2] + padded[:, 2:]) * share / 2
    if "echo" in drawn:
        rows = reverberate(rows, 0.8 * (1 - rng.uniform(*ECHO)))
    if "noise" in drawn:
        level = np.percentile(rows, 90) - rng.uniform(*NOISE_BELOW)
        steady = level + smooth_curve(rng, NOISE_COLOUR) + rng.normal(0, NOISE_GRAIN, rows.shape)
        rows = np.logaddexp(rows * NEPERS, steady * NEPERS) / NEPERS
    rows = np.clip(rows, LOWEST, HIGHEST).astype(np.float32)
    for _ in range(int(rng.integers(MASKS + 1))):
        first = int(rng.integers(N_MELS - MASK_BANDS[0]))
        rows[:, first : first + int(rng.integers(*MASK_BANDS))] = (
            LOWEST if rng.random() < 0.5 else rows.mean()
        )
    return rows


def smooth_curve(rng: np.random.Generator, deviation: float) -> np.ndarray:
    """A random curve over the bands, [80] float32."""
    knots = rng.normal(0, deviation, KNOTS)
    return np.interp(np.linspace(0, KNOTS - 1, N_MELS), np.arange(KNOTS), knots).astype(np.float32)


def reverberate(rows: np.ndarray, fall: float) -> np.ndarray:
    """Rows [N, 80] whose bands fall by at most `fall` units from one row to the next."""
    time = fall * np.arange(len(rows))[:, None]
    return np.maximum.accumulate(rows + time, axis=0) - time
