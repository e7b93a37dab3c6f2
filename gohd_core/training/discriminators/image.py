"""The animator's image discriminator (eq. 16): residual blocks down to 4 x 4, one score an image."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from gohd_core.animator.encoder import ResidualBlock
from gohd_core.animator.layers import EqualConv2d, EqualLinear, act

_LAST = 4
_WIDEST = 512
"""Channels of a level at most."""


class ImageDiscriminator(nn.Module):
    """D: images [B, 3, S, S] in [-1, 1] -> logits [B], positive for real."""

    def __init__(self, size: int, width: int = 64) -> None:
        """size: side of the images, a power of two from 8; width: channels there, doubled per level."""
        super().__init__()
        levels = int(math.log2(size // _LAST))
        widths = [min(width << level, _WIDEST) for level in range(levels + 1)]
        self.stem = EqualConv2d(3, widths[0], 1)
        self.blocks = nn.ModuleList(ResidualBlock(a, b) for a, b in pairwise(widths))
        # One more channel: the batch's own spread, by which a lack of variety shows.
        self.last = EqualConv2d(widths[-1] + 1, widths[-1], 3, padding=1)
        self.score = EqualLinear(widths[-1] * _LAST**2, 1)

    def forward(self, images: Tensor) -> Tensor:
        x = act(self.stem(images), self.stem.bias)
        for block in self.blocks:
            x = block(x)
        spread = (x.var(0, unbiased=False) + 1e-8).sqrt().mean().expand(len(x), 1, _LAST, _LAST)
        x = act(self.last(torch.cat([x, spread], 1)), self.last.bias)
        return self.score(x.flatten(1).float())[:, 0]
