"""Windows over the frames of sequences [B, T, C]; frames beyond the ends are like the first and the last."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

SMOOTH = (0.25, 0.5, 0.25)
"""Kernel of `smoothed`."""


def over_frames(values: Tensor, reach: int, reduce: Callable[[Tensor], Tensor]) -> Tensor:
    """`reduce` over the last axis of windows [B, T, C, 2 reach + 1] around each frame of [B, T, C]."""
    padded = functional.pad(values.transpose(1, 2), (reach, reach), mode="replicate")  # [B,C,T + 2r]
    return reduce(padded.transpose(1, 2).unfold(1, 2 * reach + 1, 1))  # [B,T,C,2r + 1]


def smoothed(values: Tensor) -> Tensor:
    """Sequences [B, T, C] with a quarter of both neighbours in each frame."""
    return over_frames(values, len(SMOOTH) // 2, lambda x: (x * x.new_tensor(SMOOTH)).sum(-1))
