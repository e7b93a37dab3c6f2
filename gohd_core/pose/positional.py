"""TISA: positional attention scores that depend on the distance between two frames alone."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

_FLOOR = 1e-8
"""Keeps the logarithm finite; also the decay at the edge of a head's view."""


def decay_slopes(heads: int, nearest_view: float, farthest_view: float) -> Tensor:
    """Decay per frame of each head `[H]`: geometric between the two fields of view (in frames)."""
    steepest, flattest = (-math.log(_FLOOR) / (view / 2) for view in (nearest_view, farthest_view))
    ratio = (flattest / steepest) ** (1 / max(heads - 1, 1))
    return torch.tensor([steepest * ratio**head for head in range(heads)], dtype=torch.float32, device="cpu")


class PositionalScores(nn.Module):
    """Scores added to q.k: log(|bias| + sum of sigmoid kernels of i - j) - slope * |i - j|, per head.

    They depend on the weights and on the length alone, so that 2T - 1 values a head say everything:
    the sampler computes them once per length.
    """

    def __init__(self, heads: int, kernels: int, nearest_view: float, farthest_view: float) -> None:
        super().__init__()
        self.offsets = nn.Parameter(torch.randn(kernels, heads, dtype=torch.float32, device="cpu") * 15)
        self.amplitudes = nn.Parameter(torch.randn(kernels, heads, dtype=torch.float32, device="cpu") * 0.01)
        self.sharpness = nn.Parameter(torch.full((kernels, heads), 5.0, dtype=torch.float32, device="cpu"))
        self.bias = nn.Parameter(torch.ones(heads, dtype=torch.float32, device="cpu"))
        self.register_buffer("slopes", decay_slopes(heads, nearest_view, farthest_view))

    def by_distance(self, length: int) -> Tensor:
        """Scores `[H, 2T-1]` of the distances i - j = -(T-1) .. T-1, always in float32."""
        span = length - 1
        distance = torch.arange(-span, span + 1, dtype=torch.float32, device=self.bias.device)
        amplitudes, offsets, sharpness = (
            value.float().unsqueeze(-1) for value in (self.amplitudes, self.offsets, self.sharpness)
        )
        kernels = torch.sigmoid(amplitudes.sign() * (distance - offsets) / sharpness)
        total = _FLOOR + self.bias.float().abs().unsqueeze(-1) + (amplitudes.abs() * kernels).sum(0)
        return total.log() - self.slopes.float().unsqueeze(-1) * distance.abs()

    def forward(self, length: int) -> Tensor:
        """Scores `[H, T, T]` of query i and key j, in the dtype of the weights."""
        frame = torch.arange(length, device=self.bias.device, dtype=torch.long)
        distance = frame[:, None] - frame[None, :] + length - 1
        return self.by_distance(length)[:, distance].to(self.bias.dtype)
