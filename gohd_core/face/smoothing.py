"""Smoothing of a coefficient track and stretching it to a length by playing back and forth."""

from __future__ import annotations

import torch
from torch import Tensor

from gohd_core.errors import BadInput

WINDOW = 5
"""Frames averaged (0.2 s)."""


def smooth(values: Tensor, window: int = WINDOW) -> Tensor:
    """Mean over `window` frames centred on each one, [T, C] -> [T, C]; ends repeat their frame.

    Every output is made of raw frames, so the filter has no lag and no feedback.
    """
    _check(values)
    if window < 1 or window % 2 == 0:
        raise BadInput(f"The smoothing window is {window} frames; give an odd number, at least 1.")
    index = (
        torch.arange(len(values), dtype=torch.long, device="cpu")[:, None]
        + torch.arange(window, dtype=torch.long, device="cpu")
        - window // 2
    )
    return values[index.clamp(0, len(values) - 1)].mean(1)


def smooth_in_place(values: Tensor) -> Tensor:
    """The official 5-frame mean, [T, C] -> [T, C]: each step sees two frames it has smoothed already.

    The first and last two frames stay as they are. Kept for comparing with the official code; what
    it has smoothed echoes on for some ten frames. The argument is left untouched.
    """
    _check(values)
    result, half = values.clone(), WINDOW // 2
    for t in range(half, len(result) - half):
        result[t] = result[t - half : t + half + 1].mean(0)
    return result


def repeat_back_and_forth(values: Tensor, length: int) -> Tensor:
    """Plays a track forward, backward, forward ... until it has `length` frames, [T, C] -> [length, C].

    The turning frames are played twice, as in the official code, which however stops at the last
    whole pass and so comes out too short.
    """
    _check(values)
    if length < 0:
        raise BadInput(f"The wanted length is {length} frames; it can't be negative.")
    index = torch.arange(length, dtype=torch.long, device="cpu") % (2 * len(values))
    return values[torch.where(index < len(values), index, 2 * len(values) - 1 - index)]


def _check(values: Tensor) -> None:
    if values.ndim < 1 or len(values) == 0:
        raise BadInput("The track has no frames; give at least one.")
