"""DPM-Solver++(2M) (Lu et al. 2022, algorithm 2): second order, one prediction a step, deterministic."""

from __future__ import annotations

import math

from torch import Tensor

from gohd_core.pose.samplers.base import Noise, Predict
from gohd_core.pose.schedule import NoiseSchedule


class DPMpp2M:
    """Multistep solver of the probability-flow equation in lambda = half the log signal-to-noise ratio.

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
