"""Ancestral sampling (Ho et al. 2020), the paper's sampler; also over a part of the training steps."""

from __future__ import annotations

import math

from torch import Tensor

from gohd_core.pose.samplers.base import Noise, Predict
from gohd_core.pose.schedule import NoiseSchedule


class DDPM:
    """x_{n-1} = (x_n - beta/sqrt(1 - abar_n) eps) / sqrt(1 - beta) + sigma z, with the posterior's sigma.

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
