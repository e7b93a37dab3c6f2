"""Heads of several seeds: slow noise to start from, and mirror images."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gohd_core.pose import DenoisingNetwork, DiffusionConfig, PoseDiffusion
from gohd_core.pose.variety import SLOW, mirror, slow_noise

SMALL = DiffusionConfig(
    width=16, blocks=1, conformers=1, heads=2, kernels=3, step_code=8, step_width=16, form="dropout"
)
FAST = {"sampler": "dpmpp_2m", "steps": 4}
P0 = torch.tensor([0.1, -0.2, 0.05, 0.01, 0.02, -0.03])


def model(**changes: object) -> PoseDiffusion:
    config = replace(SMALL, **changes)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = DenoisingNetwork(config).eval()
    return PoseDiffusion(network, config, "stylised")


def test_slow_noise_is_slow_and_of_deviation_one() -> None:
    noise = slow_noise(20_000, 2, seed=5)
    assert noise.std(0).sub(1).abs().max() < 0.1
    for lag in (6, 12, 24):
        # white noise smoothed by a Gaussian of deviation s goes with itself by exp(-(lag / 2 s)^2)
        found = float((noise[lag:] * noise[:-lag]).mean() / noise.square().mean())
        assert found == pytest.approx(float(torch.exp(torch.tensor(-((lag / 2 / SLOW) ** 2)))), abs=0.06)
    assert torch.equal(slow_noise(20_000, 2, seed=5), noise)
    assert not torch.allclose(slow_noise(20_000, 2, seed=6), noise, atol=0.1)


def test_odd_seeds_sample_the_mirror_image() -> None:
    mel = torch.randn(20, 320, generator=torch.Generator().manual_seed(1))
    plain, either = model(), model(mirrors=True)
    mirrored = mirror(plain.sample(mel, mirror(P0), seed=3, **FAST))
    assert torch.allclose(either.sample(mel, P0, seed=3, **FAST), mirrored, atol=1e-6)
    assert torch.equal(either.sample(mel, P0, seed=2, **FAST), plain.sample(mel, P0, seed=2, **FAST))


def test_slow_noise_is_added_to_what_sampling_starts_from() -> None:
    mel = torch.randn(20, 320, generator=torch.Generator().manual_seed(1))
    white = torch.randn(20, 6, generator=torch.Generator().manual_seed(4))
    given = model().sample(mel, P0, noise=(white + 0.5 * slow_noise(20, 6, 4))[None], **FAST)
    assert torch.allclose(model(slow_noise=0.5).sample(mel, P0, seed=4, **FAST), given, atol=1e-6)
