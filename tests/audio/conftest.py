"""Sounds that several audio tests use."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="session")
def sweep() -> np.ndarray:
    """2.02 s at 16 kHz: a sweep under a slow envelope, a pause, a burst of noise. float64 [S]."""
    rng = np.random.default_rng(5)
    time = np.arange(32_371) / 16_000
    sound = 0.4 * np.sin(2 * np.pi * (80 * time + 900 * time**2)) * (1 + np.sin(9 * time)) / 2
    sound[9_000:12_000] = 0
    sound[20_000:21_000] += 0.2 * rng.standard_normal(1_000)
    return sound
