"""TISA: positional attention scores that depend on the distance between two frames alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

_FLOOR = 1e-8
"""Keeps the logarithm finite; also what the decay falls to at the edge of a head's view."""

_NEGLIGIBLE = 30.0
"""Frames whose score is this far below a frame's own have e^-30 = 1e-13 of its share, content apart."""

_BLOCK = 64
"""Most queries that share one range of keys."""


def decay_slopes(heads: int, nearest_view: float, farthest_view: float) -> Tensor:
    """Decay per frame of each head `[H]`: geometric between the two fields of view (in frames)."""
    steepest, flattest = (-math.log(_FLOOR) / (view / 2) for view in (nearest_view, farthest_view))
    ratio = (flattest / steepest) ** (1 / max(heads - 1, 1))
    return torch.tensor([steepest * ratio**head for head in range(heads)], dtype=torch.float32)


class PositionalScores(nn.Module):
    """Scores added to q.k: log(|bias| + sum of sigmoid kernels of i - j) - slope * |i - j|, per head.

    They depend on the weights and on the length alone, so that 2T - 1 values a head say everything:
    the sampler computes them once per length.
    """

    def __init__(self, heads: int, kernels: int, nearest_view: float, farthest_view: float) -> None:
        super().__init__()
        self.offsets = nn.Parameter(torch.randn(kernels, heads) * 15)
        self.amplitudes = nn.Parameter(torch.randn(kernels, heads) * 0.01)
        self.sharpness = nn.Parameter(torch.full((kernels, heads), 5.0))
        self.bias = nn.Parameter(torch.ones(heads))
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
        frame = torch.arange(length, device=self.bias.device)
        distance = frame[:, None] - frame[None, :] + length - 1
        return self.by_distance(length)[:, distance].to(self.bias.dtype)


@dataclass(frozen=True)
class Band:
    """The positional scores of those pairs of frames that are near enough to count, for attention.

    Attributes:
        blocks: of each block of queries, their frames, the frames of their keys, scores `[1, H, q, k]`.
    """

    blocks: tuple[tuple[slice, slice, Tensor], ...]

    @classmethod
    def of(cls, scores: Tensor) -> Band:
        """From all scores `[H, T, T]`. On the CPU, keys that decay makes negligible are left out."""
        length = scores.shape[-1]
        reach = reach_of(scores) if scores.device.type == "cpu" else length
        if length <= reach + _BLOCK:
            return cls(((slice(0, length), slice(0, length), scores.unsqueeze(0)),))
        count = math.ceil(length / _BLOCK)
        edges = [round(index * length / count) for index in range(count + 1)]
        blocks = []
        for first, last in pairwise(edges):
            queries, keys = slice(first, last), slice(max(first - reach, 0), min(last + reach, length))
            blocks.append((queries, keys, scores[None, :, queries, keys].contiguous()))
        return cls(tuple(blocks))


def reach_of(scores: Tensor) -> int:
    """How many frames away the farthest is that is not negligible for some head, of scores `[H, T, T]`."""
    later, earlier = scores[:, :, 0], scores[:, 0, :]
    counts = torch.maximum(later, earlier) > scores[:, :1, 0] - _NEGLIGIBLE
    return int(counts.any(0).nonzero().max())
