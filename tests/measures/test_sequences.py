"""Sequence measures with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.errors import BadInput
from gohd_core.measures import sequences


def test_agreement_of_a_line():
    commanded = np.linspace(-1, 1, 11)
    found = sequences.agreement(commanded, 0.5 * commanded + 0.1)
    assert (found.correlation, found.slope) == pytest.approx((1, 0.5))
    assert found.error == pytest.approx(np.abs(0.5 * commanded - 0.1).mean())
    still = sequences.agreement(commanded, np.zeros(11))
    assert (still.correlation, still.slope) == (0, 0)
    with pytest.raises(BadInput):
        sequences.agreement(commanded, commanded[:3])


def test_displacement_share():
    true = np.random.default_rng(0).normal(size=(7, 5, 2))
    across = np.stack([-true[..., 1], true[..., 0]], -1)
    assert sequences.displacement_share(true, 0.8 * true + 3 * across) == pytest.approx(0.8)
    assert np.isnan(sequences.displacement_share(0 * true, true))


def test_structural_similarity():
    truth = np.cumsum(np.random.default_rng(1).normal(size=(200, 3)), 0)
    assert sequences.structural_similarity(truth, truth) == pytest.approx(1)
    still = np.repeat(truth.mean(0)[None], 200, 0)
    assert sequences.structural_similarity(truth, still) < 0.01
    # closed form for one channel with equal means: (2 cov + c) / (var + var + c)
    wave = np.sin(np.linspace(0, 20 * np.pi, 2000, endpoint=False))[:, None]
    assert sequences.structural_similarity(wave, 0.5 * wave) == pytest.approx(
        (0.5 + 9e-4) / (0.5 + 0.125 + 9e-4), abs=1e-6
    )


def test_blinks_of_known_rate_and_length():
    ratio = np.ones(1500)
    for start in range(100, 1500, 150):
        ratio[start : start + 5] = 0.1
    rate, seconds = sequences.blinks(ratio)
    assert rate == pytest.approx(10) and seconds == pytest.approx(0.2)
    assert np.isnan(sequences.blinks(np.ones(100))[1])
    assert sequences.blinks(np.zeros(1500))[0] == pytest.approx(1)


def test_saccades_of_known_rate_and_size():
    gaze = np.zeros((1500, 2))
    for k, at in enumerate(range(100, 1500, 150)):
        gaze[at:] += np.radians([3.0, 4.0]) * (-1) ** k
    rate, degrees = sequences.saccades(gaze)
    assert rate == pytest.approx(10) and degrees == pytest.approx(5)
    drift = np.linspace(0, 0.2, 1500)[:, None].repeat(2, 1)
    assert sequences.saccades(drift)[0] == 0


def test_jerk_of_a_cubic():
    time = np.arange(50) / 25
    assert sequences.jerk(time**3) == pytest.approx(6)
    assert sequences.jerk(time**2) == pytest.approx(0, abs=1e-6)
    with pytest.raises(BadInput):
        sequences.jerk(time[:3])
