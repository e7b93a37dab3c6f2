"""Loudness against the figures that the standard itself gives."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gohd_core.audio import measure_loudness, normalise_loudness
from gohd_core.errors import BadInput


def tone(seconds: float, rate: int, level: float = 1.0) -> np.ndarray:
    return level * np.sin(2 * np.pi * 997 * np.arange(round(seconds * rate)) / rate)


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_a_full_scale_tone_of_997_hz_is_minus_3_01(rate: int) -> None:
    assert measure_loudness(tone(3, rate), rate) == pytest.approx(-3.01, abs=0.05)


def test_pauses_do_not_count() -> None:
    sound = tone(3, 16_000, 0.1)
    paused = np.concatenate([sound, np.zeros(10 * 16_000)])
    assert measure_loudness(paused, 16_000) == pytest.approx(-23.0, abs=0.4)


def test_normalising_reaches_the_target() -> None:
    raised = normalise_loudness(tone(2, 16_000, 0.003), 16_000, -18.0)
    assert measure_loudness(raised, 16_000) == pytest.approx(-18.0, abs=1e-6)


def test_silence_stays_and_has_no_loudness() -> None:
    assert measure_loudness(np.zeros(8_000), 16_000) == -math.inf
    assert (normalise_loudness(np.zeros(8_000), 16_000, -20.0) == 0).all()


def test_a_loudness_above_full_scale_is_refused() -> None:
    with pytest.raises(BadInput, match="between -60 and 0 LUFS"):
        normalise_loudness(tone(1, 16_000), 16_000, 6.0)
