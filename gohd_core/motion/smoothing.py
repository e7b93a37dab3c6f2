"""Filters against jitter, on tracks [T, C] whose angles are unwrapped. None of them lags."""

from __future__ import annotations

import torch
from torch import Tensor

BETA = 0.3
"""Hz of cut-off for one unit a second of speed."""
SLOPE_CUTOFF = 1.0
"""Cut-off of the speed's own low-pass filter in Hz."""
WINDOW = 5
"""Frames of the official mean (0.2 s)."""


def mean(values: Tensor, window: int = WINDOW) -> Tensor:
    """Mean over `window` frames, an odd number, centred on each one; ends repeat their frame."""
    from scipy.ndimage import uniform_filter1d

    filtered = uniform_filter1d(values.double().numpy(), window, axis=0, mode="nearest")
    return torch.from_numpy(filtered).to(values.dtype)


def gaussian(values: Tensor, sigma: float) -> Tensor:
    """A Gaussian window of `sigma` frames, cut off at three of them; ends repeat their frame."""
    from scipy.ndimage import gaussian_filter1d

    radius = max(1, round(3 * sigma))
    filtered = gaussian_filter1d(values.double().numpy(), sigma, axis=0, mode="nearest", radius=radius)
    return torch.from_numpy(filtered).to(values.dtype)


def savitzky_golay(values: Tensor, frames: float) -> Tensor:
    """A cubic fitted over a window of about `frames` frames, at least 5; a track too short for it stays."""
    from scipy.signal import savgol_filter

    largest = len(values) - 1 + len(values) % 2
    window = min(max(5, 2 * round(frames / 2) + 1), largest)
    if window < 5:
        return values
    filtered = savgol_filter(values.double().numpy(), window, 3, axis=0, mode="interp")
    return torch.from_numpy(filtered).to(values.dtype)


def one_euro(values: Tensor, seconds: float, fps: float) -> Tensor:
    """The one-euro filter run both ways in time, so that its lags cancel; see `OneEuro`."""
    forward = _filtered(values, OneEuro(seconds, fps))
    backward = _filtered(values.flip(0), OneEuro(seconds, fps)).flip(0)
    return (forward + backward) / 2


def _filtered(values: Tensor, take: OneEuro) -> Tensor:
    return torch.stack([take(value) for value in values]).to(values.dtype)


class OneEuro:
    """Filters a stream of vectors; each call takes the next one and returns it smoothed.

    Args:
        seconds: time constant at rest; fps: frames a second of the stream.
        beta: see `BETA`; larger follows fast motion more closely. It depends on the values' unit.
    """

    def __init__(self, seconds: float, fps: float, beta: float = BETA) -> None:
        self.rest, self.step, self.beta = 1 / (2 * torch.pi * seconds), 1 / fps, beta
        self.trust = self._gain(torch.tensor(SLOPE_CUTOFF, dtype=torch.float32, device="cpu"))
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
