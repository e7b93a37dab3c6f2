"""Filters against their definitions, frame by frame."""

from __future__ import annotations

import torch

from gohd_core.motion import smoothing


def test_the_mean_by_a_loop() -> None:
    values = torch.randn(9, 3)
    for window in (1, 3, 5):
        half = window // 2
        for t, found in enumerate(smoothing.mean(values, window)):
            rows = [values[min(max(k, 0), 8)] for k in range(t - half, t + half + 1)]
            torch.testing.assert_close(found, torch.stack(rows).mean(0))


def test_the_mean_ends_with_its_window() -> None:
    """The official one feeds its results back, and echoes on."""
    pulse = torch.zeros(21, 1)
    pulse[10] = 1
    assert smoothing.mean(pulse)[13:].abs().max() < 1e-12 and smoothing.mean(pulse)[:8].abs().max() < 1e-12
    assert pulse.sum() == 1, "the argument is untouched"


def test_the_gaussian_by_a_loop() -> None:
    values, sigma = torch.randn(30, 2), 2.5
    offsets = torch.arange(-8, 9)
    weight = torch.exp(-0.5 * (offsets / sigma) ** 2)
    for t, found in enumerate(smoothing.gaussian(values, sigma)):
        rows = values[(t + offsets).clamp(0, 29)]
        torch.testing.assert_close(found, (weight[:, None] * rows).sum(0) / weight.sum())
