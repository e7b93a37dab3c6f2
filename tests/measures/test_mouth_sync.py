"""Measures on mouths whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.errors import BadInput
from gohd_core.measures.mouth_sync import best_lag, closed_share, flutter, mouth_opening, speech_envelope


@pytest.mark.parametrize("shift", [-4, 0, 3])
def test_a_known_lag_is_found(shift: int) -> None:
    rng = np.random.default_rng(0)
    long = np.convolve(rng.standard_normal(400), np.ones(6) / 6, "same")
    first, second = long[20 - shift : 320 - shift], long[20:320]
    lag = best_lag(first, second)
    assert lag.frames == pytest.approx(shift, abs=0.05) and lag.correlation > 0.99


def test_half_a_frame_is_found() -> None:
    time = np.arange(300)
    lag = best_lag(np.sin((time - 0.5) / 4), np.sin(time / 4), 8)
    assert lag.frames == pytest.approx(0.5, abs=0.05)


def test_opening_is_the_mean_gap() -> None:
    landmarks = np.zeros((2, 68, 3))
    landmarks[1, [61, 62, 63], 1] = [1.0, 2.0, 1.5]
    landmarks[1, [65, 66, 67], 1] = [-1.5, -2.0, -1.0]
    np.testing.assert_allclose(mouth_opening(landmarks), [0, 3])


def test_envelope_is_decibels_below_the_loudest() -> None:
    samples = np.concatenate([np.full(640, 0.5), np.full(640, 0.05), np.zeros(640), np.zeros(9)])
    np.testing.assert_allclose(speech_envelope(samples), [1.0, 0.6, 0.0])
    with pytest.raises(BadInput, match="shorter than one frame"):
        speech_envelope(np.zeros(100))


def test_closures_are_counted_by_phone() -> None:
    opening = np.full(50, 5.0)
    opening[10] = 0.2
    start, end = np.array([0.38, 1.0]), np.array([0.45, 1.1])
    assert closed_share(opening, start, end) == 0.5
    opening[26] = 0.9
    assert closed_share(opening, start, end) == 1.0
    with pytest.raises(BadInput, match="no phones"):
        closed_share(opening, start[:0], end[:0])


def test_flutter_is_the_mean_step() -> None:
    assert flutter(np.array([0.0, 1.0, 0.0, 2.0])) == pytest.approx(4 / 3)
