"""Resampling of uneven times, gaps without a face, and the measure of jitter."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

from gohd_core.choices import STEADYING
from gohd_core.driving.steadiness import OFFICIAL, SmoothingConfig, jitter, smooth_motion
from gohd_core.driving.timeline import gaps, on_grid, starts
from gohd_core.errors import BadInput
from gohd_core.motion import Motion, Pose


def _grid(rows, times, found, **options):
    return on_grid(np.array(rows, float)[:, None], np.array(times, float), np.array(found, bool), **options)


def test_the_same_rate_changes_nothing() -> None:
    rows = np.random.default_rng(0).normal(size=(9, 4))
    values, valid = on_grid(rows, np.arange(9) / 25, np.ones(9, bool), fps=25, count=9)
    assert np.abs(values - rows).max() < 1e-12 and valid.all()


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), 30, Fraction(60000, 1001), 12])
def test_any_rate_equals_the_motion_classes_own_resampling(fps) -> None:
    rows = torch.randn(40, 6, generator=torch.Generator().manual_seed(1)) * 0.2
    slow = Pose(rows, "bfm09", min(fps, 120)).resampled(25)
    times = np.array([float(k / Fraction(fps)) for k in range(40)])
    values, _ = on_grid(rows.numpy(), times, np.ones(40, bool), fps=25, count=len(slow), angles=3)
    assert np.abs(values - slow.values.numpy()).max() < 1e-5


def test_uneven_times_fall_on_the_right_place() -> None:
    times = np.cumsum([0.0, 0.01, 0.07, 0.03, 0.05, 0.04])
    values, _ = _grid(3 * times, times, [1] * 6, fps=25, count=5)
    assert np.abs(values[:, 0] - 3 * np.arange(5) / 25).max() < 1e-12


def test_angles_go_the_short_way_round_also_across_a_gap() -> None:
    true = np.linspace(3.0, 3.6, 7)
    wrapped = (true + np.pi) % (2 * np.pi) - np.pi
    values, _ = _grid(
        wrapped, np.arange(7) / 25, [1, 1, 0, 0, 1, 1, 1], fps=50, count=13, angles=1, missing="interpolate"
    )
    assert np.abs(values[:, 0] - np.linspace(3.0, 3.6, 13)).max() < 1e-9


def test_hold_interpolate_and_mark() -> None:
    rows, found = [9, 1, 2, 9, 9, 5, 9], [0, 1, 1, 0, 0, 1, 0]
    made = {
        m: _grid(rows, np.arange(7) / 25, found, fps=25, count=7, missing=m)
        for m in ("hold", "interpolate", "mark")
    }
    assert made["hold"][0][:, 0].tolist() == [1, 1, 2, 2, 2, 5, 5]
    assert np.allclose(made["interpolate"][0][:, 0], [1, 1, 2, 3, 4, 5, 5])
    assert made["mark"][0][:, 0].tolist() == [0, 1, 2, 0, 0, 5, 0]
    for _, valid in made.values():
        assert valid.tolist() == [bool(f) for f in found]
    with pytest.raises(BadInput, match="nothing to do without a face"):
        _grid(rows, np.arange(7), found, fps=25, count=7, missing="cry")


def test_without_any_face_motion_is_at_rest() -> None:
    values, valid = _grid([3, 4], [0, 0.04], [0, 0], fps=25, count=2)
    assert not values.any() and not valid.any()


def test_nothing_lies_between_two_shots() -> None:
    rows, times, cuts = [0.0] * 6 + [9.0] * 6, np.arange(12) / 30, [6]
    values, _ = _grid(rows, times, [1] * 12, fps=25, count=10, cuts=cuts)
    assert values[:, 0].tolist() == [0] * 5 + [9] * 5
    assert starts(times, cuts, 25, 10) == [5]
    uncut, _ = _grid(rows, times, [1] * 12, fps=120, count=48)
    assert set(uncut[:, 0]) != {0, 9}, "a test that can fail"
    fine, _ = _grid(rows, times, [1] * 12, fps=120, count=48, cuts=cuts)
    first = starts(times, cuts, 120, 48)[0]
    assert set(fine[:first, 0]) == {0} and set(fine[first:, 0]) == {9}


def test_gaps_are_in_seconds() -> None:
    valid = np.array([0, 1, 1, 0, 0, 1, 0], bool)
    assert gaps(valid, 25) == [(0.0, 0.04), (0.12, 0.2), (0.24, 0.28)]
    assert gaps(np.ones(3, bool), 25) == []


def test_tremble_finds_the_noise_on_smooth_motion() -> None:
    time = np.arange(2000) / 25
    swing = np.stack([np.sin(2 * np.pi * 0.4 * time), np.cos(2 * np.pi * 0.3 * time)], 1)
    noise = np.random.default_rng(2).normal(scale=0.05, size=swing.shape)
    assert jitter(swing) < 0.004
    assert abs(jitter(swing + noise) - 0.05) < 0.003
    assert jitter(swing[:2]) == 0


def _motion(values: torch.Tensor) -> Motion:
    return Motion.from_descriptors(values, "stylised")


@pytest.mark.parametrize("method", [m for m in STEADYING if m != "none"])
def test_every_method_steadies_and_turns_no_head_around(method) -> None:
    generator = torch.Generator().manual_seed(3)
    true = torch.zeros(120, 72)
    true[:, 65] = torch.linspace(2.5, 3.9, 120)
    noisy = true + 0.02 * torch.randn(120, 72, generator=generator)
    noisy[:, 64:67] = (noisy[:, 64:67] + torch.pi) % (2 * torch.pi) - torch.pi
    made = smooth_motion(_motion(noisy), SmoothingConfig(method, 0.2, ("pose",)))
    assert jitter(made.pose.values) < 0.7 * 0.02
    assert (made.pose.values[:, 1] - true[:, 65]).abs().max() < 0.06
    assert torch.equal(made.gaze.values, _motion(noisy).gaze.values)


@pytest.mark.parametrize("method", [m for m in STEADYING if m != "none"])
def test_nothing_is_smoothed_across_a_cut(method) -> None:
    first, second = (0.1 * torch.randn(20, 72, generator=torch.Generator().manual_seed(k)) for k in (5, 6))
    how = SmoothingConfig(method, 0.3, ("pose",))
    whole = smooth_motion(_motion(torch.cat([first, second + 1])), how, [20]).pose.values
    alone = [smooth_motion(_motion(part), how).pose.values for part in (first, second + 1)]
    assert torch.allclose(whole, torch.cat(alone), atol=1e-5)
    step = torch.cat([torch.zeros(9, 2), torch.ones(9, 2)])
    assert jitter(step, [9]) == 0 < jitter(step)


def test_the_official_mean_is_the_plain_mean_of_five() -> None:
    motion = _motion(0.1 * torch.randn(30, 72, generator=torch.Generator().manual_seed(4)))
    made = smooth_motion(motion, OFFICIAL)
    slow = torch.stack(
        [
            torch.stack([motion.pose.values[min(max(t + d, 0), 29)] for d in range(-2, 3)]).mean(0)
            for t in range(30)
        ]
    )
    assert (made.pose.values - slow).abs().max() < 1e-6
    assert smooth_motion(motion, SmoothingConfig("none")) is motion


def test_unknown_methods_and_parts_are_refused() -> None:
    with pytest.raises(BadInput, match="no way to smooth"):
        SmoothingConfig("prayer")
    with pytest.raises(BadInput, match="no part"):
        SmoothingConfig(parts=("ears",))
