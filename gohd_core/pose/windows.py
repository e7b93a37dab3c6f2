"""Overlapping windows over a long sequence, and the blend of their predictions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gohd_core.errors import BadInput


@dataclass(frozen=True)
class Windows:
    """Equally long windows that cover `frames` frames.

    Attributes:
        starts: first frame of each window.
        length: frames in each.
        weights: `[n, length]` share of each window's prediction in each of its frames; the shares
            of a frame sum to 1.
    """

    frames: int
    length: int
    starts: tuple[int, ...]
    weights: Tensor

    @classmethod
    def plan(cls, frames: int, window: int, overlap: int) -> Windows:
        """As few windows as overlap by at least `overlap` frames, evenly spread.

        The outer quarter of an overlap is left to the neighbour, since a window sees nothing beyond
        its edge; over the rest the two are cross-faded.
        """
        if window < 1 or not 0 <= overlap < window:
            raise BadInput(
                f"Windows of {window} frames that overlap by {overlap} can't be laid out; "
                "use a window of at least 1 and an overlap that is shorter than it."
            )
        if frames <= window:
            return cls(frames, frames, (0,), torch.ones(1, frames, dtype=torch.float32, device="cpu"))
        count = math.ceil((frames - overlap) / (window - overlap))
        starts = tuple(round(index * (frames - window) / (count - 1)) for index in range(count))
        return cls(frames, window, starts, _blend_weights(frames, window, overlap, starts))

    def split(self, sequence: Tensor) -> Tensor:
        """`[T, C]` -> `[n, length, C]`."""
        return torch.stack([sequence[start : start + self.length] for start in self.starts])

    def blend(self, parts: Tensor) -> Tensor:
        """`[n, length, C]` -> `[T, C]`: each frame the weighted mean of the windows that hold it."""
        if len(self.starts) == 1:
            return parts[0]
        weighted = parts * self.weights.to(parts).unsqueeze(-1)
        whole = parts.new_zeros(self.frames, parts.shape[-1])
        for start, part in zip(self.starts, weighted, strict=True):
            whole[start : start + self.length] += part
        return whole


def _blend_weights(frames: int, window: int, overlap: int, starts: tuple[int, ...]) -> Tensor:
    """[windows, window] weights that ramp over the middle half of an overlap and sum to 1 at each frame."""
    margin = overlap // 4
    ramp = overlap - 2 * margin
    position = torch.arange(window, dtype=torch.float64, device="cpu")
    rise = ((position - margin + 0.5) / max(ramp, 1)).clamp(0, 1)
    total = torch.zeros(frames, dtype=torch.float64, device="cpu")
    weights = []
    for index, start in enumerate(starts):
        weight = torch.ones(window, dtype=torch.float64, device="cpu")
        if index > 0:
            weight = torch.minimum(weight, rise)
        if index + 1 < len(starts):
            weight = torch.minimum(weight, rise.flip(0))
        total[start : start + window] += weight
        weights.append(weight)
    shares = [weight / total[start : start + window] for start, weight in zip(starts, weights, strict=True)]
    return torch.stack(shares).float()
