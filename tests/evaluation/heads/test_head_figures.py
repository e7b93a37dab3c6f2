"""Figures of heads on motions that are known."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.evaluation.heads.figures import SpokenHead, head_figures, repeats, speed
from gohd_core.evaluation.heads.run import seed_figures
from gohd_core.measures.motion_statistics import trembling


def _wander(seed: int, frames: int = 500) -> np.ndarray:
    rng = np.random.default_rng(seed)
    steps = np.convolve(rng.standard_normal(frames + 20), np.hanning(21), "valid")[:frames]
    return np.stack([steps, np.roll(steps, 90), rng.standard_normal(frames)], 1) / 100


def test_a_steady_turn() -> None:
    angles = np.zeros((301, 3))
    angles[:, 1] = np.radians(np.arange(301) / 25)
    ratio = np.ones(301)
    ratio[[50, 51, 52, 150, 151, 152]] = 0.1
    figures = head_figures(SpokenHead(angles, ratio, np.array([10, 60])))
    assert figures["speed deg/s"] == pytest.approx(1)
    assert figures["drift deg"] == pytest.approx(201 / 25)
    assert figures["blink s"] == pytest.approx(0.12)
    assert figures["blinks a minute"] == pytest.approx(2 * 60 * 25 / 301)


def test_repeats_are_found() -> None:
    once = _wander(0, 100)
    assert repeats(np.tile(once, (5, 1))) > 0.97
    assert repeats(_wander(1, 1000)) < 0.4
    assert np.isnan(repeats(_wander(2, 120)))


def test_speed_is_of_all_three_angles() -> None:
    assert speed(np.radians([[0, 0, 0], [3.0, 4.0, 0]])) == pytest.approx(5 * 25)


def test_trembling_is_what_moves_faster_than_six_hertz() -> None:
    time = np.arange(300)[:, None] / 25
    slow, fast = np.sin(2 * np.pi * 2 * time), np.sin(2 * np.pi * 9 * time)
    assert trembling(slow) < 1e-3 and trembling(fast) > 0.999
    # Speeds of equal amplitude have equal energy.
    ratio = np.sin(np.pi * 2 / 25) / np.sin(np.pi * 9 / 25)
    assert trembling(slow + ratio * fast) == pytest.approx(0.5, abs=0.01)
    assert trembling(np.zeros((50, 3))) == 0


def test_seeds_that_differ_and_seeds_that_do_not() -> None:
    def head(seed: int) -> SpokenHead:
        return SpokenHead(_wander(seed), np.ones(500), np.arange(20, 480, 40))

    same = seed_figures([head(0), head(0), head(0)])
    assert same["alike"] == pytest.approx(1) and same["slowest deg/s"] == same["fastest deg/s"]
    other = seed_figures([head(seed) for seed in range(4)])
    assert abs(other["alike"]) < 0.3 and other["most alike"] < 0.8
