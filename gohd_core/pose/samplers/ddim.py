"""Deterministic DDIM sampling (Song et al. 2021, eta = 0)."""

from __future__ import annotations

import math

from torch import Tensor

from gohd_core.pose.samplers.base import Noise, Predict
from gohd_core.pose.schedule import NoiseSchedule


class DDIM:
    """Goes along the predicted noise to the x_0 that it implies, and as far back as the next step's level."""

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
