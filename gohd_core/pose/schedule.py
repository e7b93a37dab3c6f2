"""The noise schedule of eq. 1, and the choice of steps that a shorter sampling run visits."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gohd_core.errors import BadInput
from gohd_core.pose.config import DiffusionConfig


@dataclass(frozen=True)
class NoiseSchedule:
    """beta_n `[N]` and alpha_bar_n = prod(1 - beta) `[N]`, float32; index n counts from 0."""

    beta: Tensor
    alpha_bar: Tensor

    @classmethod
    def linear(cls, steps: int, start: float, end: float) -> NoiseSchedule:
        """Betas evenly spaced from start to end, for any number of training steps."""
        beta = torch.linspace(start, end, steps, dtype=torch.float32, device="cpu")
        return cls(beta, torch.cumprod(1 - beta, 0))

    @classmethod
    def of(cls, config: DiffusionConfig) -> NoiseSchedule:
        return cls.linear(config.training_steps, config.beta_start, config.beta_end)

    def __len__(self) -> int:
        return len(self.beta)

    def alpha_bar_at(self, step: int) -> float:
        """alpha_bar of a step; 1 (no noise) before the first, at -1."""
        return 1.0 if step < 0 else float(self.alpha_bar[step])

    def half_log_snr(self, step: int) -> float:
        """lambda = log(sqrt(alpha_bar) / sqrt(1 - alpha_bar)): the time of DPM-Solver."""
        signal = self.alpha_bar_at(step)
        return 0.5 * (math.log(signal) - math.log1p(-signal))

    def evenly(self, count: int) -> list[int]:
        """`count` distinct steps from the noisiest down to 0, even in n."""
        self._check(count)
        if count == 1:
            return [len(self) - 1]
        return (
            torch.linspace(len(self) - 1, 0, count, dtype=torch.float64, device="cpu").round().long().tolist()
        )

    def evenly_in_snr(self, count: int) -> list[int]:
        """`count` distinct steps from the noisiest down to 0, as even in lambda as whole steps allow."""
        self._check(count)
        known = torch.tensor(
            [self.half_log_snr(n) for n in range(len(self))], dtype=torch.float64, device="cpu"
        )
        wanted = torch.linspace(float(known[-1]), float(known[0]), count, dtype=torch.float64, device="cpu")
        steps: list[int] = []
        for k, value in enumerate(wanted):
            nearest = int((known - value).abs().argmin())
            highest = steps[-1] - 1 if steps else len(self) - 1
            steps.append(max(min(nearest, highest), count - 1 - k))
        return steps

    def _check(self, count: int) -> None:
        if not isinstance(count, int):
            raise BadInput(f"The number of sampling steps is {count!r}; give a whole number.")
        if not 1 <= count <= len(self):
            raise BadInput(
                f"{count} sampling steps were asked for, but this model was trained with {len(self)}; "
                f"choose between 1 and {len(self)}."
            )
