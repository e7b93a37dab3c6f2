"""Samplers against the analytic reverse process of a Gaussian, and against slow, literal loops."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from gohd_core import choices
from gohd_core.errors import BadInput
from gohd_core.pose.samplers import SAMPLERS
from gohd_core.pose.schedule import NoiseSchedule

MEAN, DEVIATION = 0.3, 0.2


def gaussian_predictor(schedule: NoiseSchedule, steps: list[int]):
    """The exact noise predictor when x_0 is Gaussian with MEAN and DEVIATION."""

    def predict(x: Tensor, k: int) -> Tensor:
        signal = schedule.alpha_bar_at(steps[k])
        spread = signal * DEVIATION**2 + 1 - signal
        return math.sqrt(1 - signal) * (x - math.sqrt(signal) * MEAN) / spread

    return predict


def run(name: str, schedule: NoiseSchedule, count: int, size: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Starting noise and result of one run over `size` independent numbers."""
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(size, generator=generator, dtype=torch.float64)
    sampler = SAMPLERS[name]
    steps = sampler.choose(schedule, count)

    def noise(k: int) -> Tensor:
        return start if k == 0 else torch.randn(size, generator=generator, dtype=torch.float64)

    return start, sampler(gaussian_predictor(schedule, steps), schedule, steps, noise)


def flow_solution(schedule: NoiseSchedule, start: Tensor) -> Tensor:
    """Where the probability-flow equation takes `start` when x_0 is that Gaussian: an affine map."""
    signal = schedule.alpha_bar_at(len(schedule) - 1)
    spread = math.sqrt(signal * DEVIATION**2 + 1 - signal)
    return MEAN + DEVIATION * (start - math.sqrt(signal) * MEAN) / spread


@pytest.mark.parametrize("name", ["ddim", "dpmpp_2m"])
def test_deterministic_samplers_converge_to_the_flow(name: str) -> None:
    errors = []
    for count in (100, 400, 1600):
        schedule = NoiseSchedule.linear(count, 1e-4 * 100 / count, 6.0 / count)
        start, result = run(name, schedule, count, 64)
        errors.append(float((result - flow_solution(schedule, start)).abs().max()))
    assert errors[2] < errors[1] < errors[0]
    assert errors[2] < 0.01
    assert errors[0] / errors[2] > (8 if name == "ddim" else 20)


def test_dpmpp_in_20_steps_is_nearer_than_ddim_in_50() -> None:
    schedule = NoiseSchedule.linear(150, 1e-4, 0.05)
    error = {}
    for name, count in (("ddim", 50), ("dpmpp_2m", 20)):
        start, result = run(name, schedule, count, 256)
        error[name] = float((result - flow_solution(schedule, start)).abs().max())
    assert error["dpmpp_2m"] < 0.5 * error["ddim"]


def ancestral_moments(schedule: NoiseSchedule, steps: list[int]) -> tuple[float, float]:
    """Mean and deviation that the ancestral chain has exactly: each step is affine, plus fresh noise."""
    mean, variance = 0.0, 1.0
    for n, m in zip(steps, [*steps[1:], -1], strict=True):
        now, then = schedule.alpha_bar_at(n), schedule.alpha_bar_at(m)
        beta = 1 - now / then
        spread = now * DEVIATION**2 + 1 - now
        slope = (1 - beta / spread) / math.sqrt(1 - beta)
        mean = slope * mean + beta * math.sqrt(now) * MEAN / spread / math.sqrt(1 - beta)
        variance = slope**2 * variance + (1 - then) / (1 - now) * beta
    return mean, math.sqrt(variance)


@pytest.mark.parametrize("count", [150, 50])
def test_ancestral_sampler_has_the_chains_own_moments(count: int) -> None:
    schedule = NoiseSchedule.linear(150, 1e-4, 0.05)
    mean, deviation = ancestral_moments(schedule, SAMPLERS["ddpm"].choose(schedule, count))
    _, result = run("ddpm", schedule, count, 40_000)
    assert float(result.mean()) == pytest.approx(mean, abs=0.004)
    assert float(result.std()) == pytest.approx(deviation, rel=0.015)


def test_ancestral_sampler_returns_the_gaussian() -> None:
    schedule = NoiseSchedule.linear(3000, 2e-6, 0.005)
    _, result = run("ddpm", schedule, 3000, 20_000)
    assert float(result.mean()) == pytest.approx(MEAN, abs=0.005)
    assert float(result.std()) == pytest.approx(DEVIATION, rel=0.02)


def test_ancestral_sampler_equals_the_papers_loop() -> None:
    schedule = NoiseSchedule.linear(150, 1e-4, 0.05)
    torch.manual_seed(0)
    draws, weight = torch.randn(150, 5), torch.randn(5)

    def eps(x: Tensor, n: int) -> Tensor:
        return torch.tanh(weight * x + 0.01 * n)

    x = draws[0]
    for n in range(149, -1, -1):
        beta, bar = schedule.beta[n], schedule.alpha_bar[n]
        x = (x - beta / torch.sqrt(1 - bar) * eps(x, n)) / torch.sqrt(1 - beta)
        if n > 0:
            x = x + torch.sqrt((1 - schedule.alpha_bar[n - 1]) / (1 - bar) * beta) * draws[150 - n]
    steps = SAMPLERS["ddpm"].choose(schedule, 150)
    assert steps == list(range(149, -1, -1))
    ours = SAMPLERS["ddpm"](lambda value, k: eps(value, steps[k]), schedule, steps, lambda k: draws[k])
    assert torch.allclose(ours, x, rtol=1e-5, atol=1e-5)


def test_ddim_equals_its_closed_form() -> None:
    schedule = NoiseSchedule.linear(30, 1e-3, 0.2)
    steps = [29, 11, 4, 0]
    x = start = torch.linspace(-2, 2, 5)
    for n, m in zip(steps, [*steps[1:], None], strict=True):
        a = float(schedule.alpha_bar[n])
        b = 1.0 if m is None else float(schedule.alpha_bar[m])
        noise = torch.sin(x + n)
        x = b**0.5 * (x - (1 - a) ** 0.5 * noise) / a**0.5 + (1 - b) ** 0.5 * noise
    ours = SAMPLERS["ddim"](lambda v, k: torch.sin(v + steps[k]), schedule, steps, lambda k: start)
    assert torch.allclose(ours, x, atol=1e-6)


def test_dpmpp_equals_algorithm_2_of_its_paper() -> None:
    schedule = NoiseSchedule.linear(30, 1e-3, 0.2)
    steps = [29, 20, 9, 3, 0]
    alpha = [math.sqrt(float(schedule.alpha_bar[n])) for n in steps] + [1.0]
    sigma = [math.sqrt(1 - a * a) for a in alpha]
    lam = [math.log(a / s) if s else math.inf for a, s in zip(alpha, sigma, strict=True)]
    x = start = torch.linspace(-2, 2, 5)
    predicted = []
    for i in range(5):
        predicted.append((x - sigma[i] * torch.sin(x + steps[i])) / alpha[i])
        h = lam[i + 1] - lam[i]
        if i == 0 or math.isinf(h):
            data = predicted[i]
        else:
            r = (lam[i] - lam[i - 1]) / h
            data = (1 + 1 / (2 * r)) * predicted[i] - 1 / (2 * r) * predicted[i - 1]
        x = sigma[i + 1] / sigma[i] * x - alpha[i + 1] * (math.exp(-h) - 1) * data
    ours = SAMPLERS["dpmpp_2m"](lambda v, k: torch.sin(v + steps[k]), schedule, steps, lambda k: start)
    assert torch.allclose(ours, x, atol=1e-5)


@pytest.mark.parametrize("training_steps", [1, 7, 150, 1000])
@pytest.mark.parametrize("name", list(SAMPLERS))
def test_chosen_steps_fall_from_the_noisiest_to_zero(name: str, training_steps: int) -> None:
    schedule = NoiseSchedule.linear(training_steps, 1e-4, 0.05)
    for count in {1, 2, 20, training_steps // 2, training_steps}:
        if not 1 <= count <= training_steps:
            continue
        steps = SAMPLERS[name].choose(schedule, count)
        assert len(steps) == count and steps[0] == training_steps - 1
        assert all(a > b for a, b in itertools.pairwise(steps))
        assert count == 1 or steps[-1] == 0


@pytest.mark.parametrize("count", [0, -3, 151])
def test_a_number_of_steps_that_the_schedule_lacks_is_refused(count: int) -> None:
    with pytest.raises(BadInput, match="sampling steps"):
        SAMPLERS["ddpm"].choose(NoiseSchedule.linear(150, 1e-4, 0.05), count)


def test_schedule_is_eq_1() -> None:
    schedule = NoiseSchedule.linear(4, 0.1, 0.4)
    assert schedule.beta.tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert schedule.alpha_bar.tolist() == pytest.approx([0.9, 0.72, 0.504, 0.3024])
    x = MEAN + DEVIATION * torch.randn(200_000, generator=torch.Generator().manual_seed(0))
    for beta in schedule.beta:
        noise = torch.randn(len(x), generator=torch.Generator().manual_seed(int(1e6 * beta)))
        x = (1 - beta).sqrt() * x + beta.sqrt() * noise
    assert float(x.mean()) == pytest.approx(math.sqrt(0.3024) * MEAN, abs=0.01)
    assert float(x.var()) == pytest.approx(0.3024 * DEVIATION**2 + 1 - 0.3024, rel=0.02)


def test_every_sampler_that_is_offered_is_there():
    assert set(SAMPLERS) == set(choices.SAMPLERS)
