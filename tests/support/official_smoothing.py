"""The official smoothing of driving coefficients: a mean with feedback, and playing back and forth."""

from __future__ import annotations

import torch
from torch import Tensor


def smooth_in_place(values: Tensor) -> Tensor:
    """The official 5-frame mean, [T, C] -> [T, C]: each step sees two frames it has smoothed already.

    The first and last two frames stay as they are. Kept for comparing with the official code; what
    it has smoothed echoes on for some ten frames. The argument is left untouched.
    """
    result, half = values.clone(), 2
    for t in range(half, len(result) - half):
        result[t] = result[t - half : t + half + 1].mean(0)
    return result


def repeat_back_and_forth(values: Tensor, length: int) -> Tensor:
    """Plays a track forward, backward, forward ... until it has `length` frames, [T, C] -> [length, C].

    The turning frames are played twice, as in the official code, which however stops at the last
    whole pass and so comes out too short.
    """
    index = torch.arange(length) % (2 * len(values))
    return values[torch.where(index < len(values), index, 2 * len(values) - 1 - index)]
