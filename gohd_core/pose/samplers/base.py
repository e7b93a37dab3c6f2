"""Interface of the samplers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

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
        """Which `count` of the training steps to visit, falling."""
        ...

    def __call__(self, predict: Predict, schedule: NoiseSchedule, steps: list[int], noise: Noise) -> Tensor:
        """Visits `steps` (falling, from the noisiest), one prediction each, and returns x_0."""
        ...
