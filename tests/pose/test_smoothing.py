"""Sampled motion is smoothed as its weights say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d

from gohd_core.pose.smoothing import SLOW, smoothed
from tests.pose.test_variety import FAST, P0, model

MEL = torch.zeros(40, 320)


def noise(frames: int) -> torch.Tensor:
    return torch.randn(frames, 6, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("frames", [1, 5, 200])
@pytest.mark.parametrize(("sigma", "gain"), [(1.0, 1.0), (0.8, 1.5)])
def test_against_scipy(frames, sigma, gain) -> None:
    motion = noise(frames).double().numpy()
    fine, slow = (gaussian_filter1d(motion, s, axis=0, mode="nearest", radius=24) for s in (sigma, SLOW))
    made = smoothed(torch.from_numpy(motion), sigma, gain).numpy()
    np.testing.assert_allclose(made, slow + gain * (fine - slow), atol=1e-12)


def test_without_smoothing_nothing_changes() -> None:
    motion = noise(30)
    assert smoothed(motion, 0.0, 1.5) is motion


def test_a_still_head_and_a_slow_drift_stay() -> None:
    assert torch.allclose(smoothed(torch.ones(50, 6), 1.0, 1.5), torch.ones(50, 6), atol=1e-6)
    drift = torch.linspace(0, 1, 200)[:, None].expand(-1, 6)
    assert torch.allclose(smoothed(drift, 1.0, 1.5)[30:-30], drift[30:-30], atol=1e-5)


def test_samples_are_smoothed_where_the_weights_say_so() -> None:
    plain = model().sample_residual(MEL, P0, seed=4, **FAST)
    steady = model(smoothing=1.0, fast_gain=1.4).sample_residual(MEL, P0, seed=4, **FAST)
    assert torch.allclose(steady, smoothed(plain, 1.0, 1.4), atol=1e-6)
    assert not torch.allclose(steady, plain, atol=1e-3)
