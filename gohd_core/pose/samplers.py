"""Samplers of the reverse process, by name: each turns noise into x_0 with a noise predictor.

Notation (variable -> paper):
    x, x0 -> x_n, and the x_0 that its predicted noise implies
    predict(x, k), noise(k) -> eps_theta(x_n, c, n), z
    n, m -> the k-th visited step and the next one
    now, then -> alpha_bar_n, alpha_bar_m
    width, ahead -> h = lambda_m - lambda_n, D (DPM-Solver++)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from torch import Tensor

from gohd_core.errors import BadInput
from gohd_core.pose.schedule import NoiseSchedule

Predict = Callable[[Tensor, int], Tensor]
"""(x, k) -> predicted noise in x at the k-th of the steps that the run visits."""

Noise = Callable[[int], Tensor]
"""k -> the k-th Gaussian draw; 0 starts the run. Called with growing k."""


class Sampler(Protocol):
    """A way from noise to x_0. `default_steps` None means all training steps."""

    default_steps: int | None
    stochastic: bool

    def choose(self, schedule: NoiseSchedule, count: int) -> list[int]:
        """The `count` training steps to visit, falling."""
        ...

    def __call__(self, predict: Predict, schedule: NoiseSchedule, steps: list[int], noise: Noise) -> Tensor:
        """Visits `steps` (falling, from the noisiest), one prediction each, and returns x_0."""
        ...


class DDPM:
    """Ancestral sampling (Ho et al. 2020), the paper's sampler; also over a part of the training steps.

    x_{n-1} = (x_n - beta/sqrt(1 - abar_n) eps) / sqrt(1 - beta) + sigma z, with the posterior's sigma.

    Between two visited steps beta is 1 - abar_n/abar_m, which is beta_n when m = n - 1.
    """

    default_steps = None
    stochastic = True

    def choose(self, schedule: NoiseSchedule, count: int) -> list[int]:
        return schedule.evenly(count)

    def __call__(self, predict: Predict, schedule: NoiseSchedule, steps: list[int], noise: Noise) -> Tensor:
        x = noise(0)
        for k, n in enumerate(steps):
            m = steps[k + 1] if k + 1 < len(steps) else -1
            now, then = schedule.alpha_bar_at(n), schedule.alpha_bar_at(m)
            beta = float(schedule.beta[n]) if m == n - 1 else 1 - now / then
            x = (x - beta / math.sqrt(1 - now) * predict(x, k)) / math.sqrt(1 - beta)
            if m >= 0:
                x = x + math.sqrt((1 - then) / (1 - now) * beta) * noise(k + 1)
        return x


class DDIM:
    """Deterministic sampling (Song et al. 2021, eta = 0): to the x_0 that the predicted noise implies, then
    back to the next step's noise level."""

    default_steps = 50
    stochastic = False

    def choose(self, schedule: NoiseSchedule, count: int) -> list[int]:
        return schedule.evenly(count)

    def __call__(self, predict: Predict, schedule: NoiseSchedule, steps: list[int], noise: Noise) -> Tensor:
        x = noise(0)
        for k, n in enumerate(steps):
            now = schedule.alpha_bar_at(n)
            then = schedule.alpha_bar_at(steps[k + 1] if k + 1 < len(steps) else -1)
            eps = predict(x, k)
            x0 = (x - math.sqrt(1 - now) * eps) / math.sqrt(now)
            x = math.sqrt(then) * x0 + math.sqrt(1 - then) * eps
        return x


class DPMpp2M:
    """DPM-Solver++(2M) (Lu et al. 2022, algorithm 2): deterministic, second order, one prediction a step.

    Multistep solver of the probability-flow equation in lambda = half the log signal-to-noise ratio.
    The first step is of first order for want of a past; the last goes to lambda = infinity, where the
    solution is the predicted x_0 itself.
    """

    default_steps = 20
    stochastic = False

    def choose(self, schedule: NoiseSchedule, count: int) -> list[int]:
        return schedule.evenly_in_snr(count)

    def __call__(self, predict: Predict, schedule: NoiseSchedule, steps: list[int], noise: Noise) -> Tensor:
        x = noise(0)
        past: Tensor | None = None
        width_before = 0.0
        for k, n in enumerate(steps):
            now = schedule.alpha_bar_at(n)
            x0 = (x - math.sqrt(1 - now) * predict(x, k)) / math.sqrt(now)
            if k + 1 == len(steps):
                return x0
            m = steps[k + 1]
            then = schedule.alpha_bar_at(m)
            width = schedule.half_log_snr(m) - schedule.half_log_snr(n)
            ahead = x0 if past is None else x0 + (x0 - past) * (width / (2 * width_before))
            x = math.sqrt((1 - then) / (1 - now)) * x - math.sqrt(then) * math.expm1(-width) * ahead
            past, width_before = x0, width
        return x


SAMPLERS: dict[str, Sampler] = {"ddpm": DDPM(), "ddim": DDIM(), "dpmpp_2m": DPMpp2M()}


def sampler_named(name: str) -> Sampler:
    """The sampler of that name; `BadInput` names the others."""
    if name not in SAMPLERS:
        raise BadInput(f"There is no sampler {name!r}; use one of {', '.join(SAMPLERS)}.")
    return SAMPLERS[name]
