"""The one-euro filter (Casiez et al. 2012), frame by frame: still when still, quick when quick."""

from __future__ import annotations

import torch
from torch import Tensor

BETA = 0.3
"""Hz of cut-off for one unit a second of speed."""
SLOPE_CUTOFF = 1.0
"""Cut-off of the speed's own low-pass filter in Hz."""


class OneEuro:
    """Filters a stream of vectors; each call takes the next one and gives what is left of it.

    Args:
        seconds: time constant at rest; fps: frames a second of the stream.
        beta: see `BETA`; larger follows fast motion more closely. It depends on the values' unit.
    """

    def __init__(self, seconds: float, fps: float, beta: float = BETA) -> None:
        self.rest, self.step, self.beta = 1 / (2 * torch.pi * seconds), 1 / fps, beta
        self.trust = self._gain(torch.tensor(SLOPE_CUTOFF))
        self.last: Tensor | None = None
        self.slope: Tensor | None = None

    def __call__(self, value: Tensor) -> Tensor:
        """The next vector [...] -> the filtered one, float64."""
        value = value.double()
        if self.last is None:
            self.last, self.slope = value, torch.zeros_like(value)
            return value
        self.slope = self.slope + self.trust * ((value - self.last) / self.step - self.slope)
        cutoff = self.rest + self.beta * self.slope.abs()
        self.last = self.last + self._gain(cutoff) * (value - self.last)
        return self.last

    def _gain(self, cutoff: Tensor) -> Tensor:
        """Share of the new value that a low-pass filter of that cut-off (Hz) takes in one step."""
        return 1 / (1 + 1 / (2 * torch.pi * cutoff * self.step))
