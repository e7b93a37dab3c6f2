"""The appearance encoder: a source image to its identity code z_R and the features that are warped."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import Tensor, nn

from gohd_core.animator.config import AnimatorConfig, level_sizes
from gohd_core.animator.layers import EqualConv2d, act, blur

if TYPE_CHECKING:
    from gohd_core.animator.geometry.face_parts import FaceParts

_HALF = 1 / math.sqrt(2.0)


@dataclass(frozen=True)
class Source:
    """One or more encoded source images.

    Attributes:
        identity_code: z_R, [B, D] float32.
        features: maps that the decoder warps, smallest first, each [B, C, S, S].
        descriptor: the source's own motion descriptor [B, 72] in the network's order, for networks
            that are driven relative to it; None for the official ones.
        parts: lips, lids and eyes as read off the images, for networks that draw them by geometry.
    """

    identity_code: Tensor
    features: tuple[Tensor, ...]
    descriptor: Tensor | None = None
    parts: FaceParts | None = None


class ResidualBlock(nn.Module):
    """Halves the side: (3x3, blur, 3x3 stride 2) beside (blur, 1x1 stride 2), summed over sqrt 2."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = EqualConv2d(inputs, inputs, 3, padding=1)
        self.down = EqualConv2d(inputs, outputs, 3, stride=2)
        self.skip = EqualConv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        main = act(self.conv(x), self.conv.bias)
        main = act(self.down(blur(main, padding=2)), self.down.bias)
        return (main + self.skip(blur(x, padding=1, stride=2))) * _HALF


class AppearanceEncoder(nn.Module):
    """1x1 stem, residual blocks down to 4 x 4, and a 4x4 convolution to the identity code (§3.3)."""

    def __init__(self, config: AnimatorConfig) -> None:
        super().__init__()
        sides = level_sizes(config.encoder_size)[::-1]
        widths = [config.width(side) for side in sides]
        self.side = config.encoder_size
        stem = EqualConv2d(3, widths[0], 1)
        blocks = [ResidualBlock(a, b) for a, b in pairwise(widths)]
        head = EqualConv2d(widths[-1], config.identity_dim, 4, bias=False)
        self.layers = nn.ModuleList([stem, *blocks, head])

    def forward(self, image: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """image [B,3,S,S] -> identity code [B,D] float32, features at 8 ... encoder_size."""
        if image.shape[-1] != self.side:
            image = F.avg_pool2d(image, image.shape[-1] // self.side)
        stem, *blocks, head = self.layers
        x = act(stem(image), stem.bias)
        features = [x]
        for block in blocks:
            x = block(x)
            features.append(x)
        return head(x).flatten(1).float(), tuple(features[-2::-1])  # [B,D,1,1] -> [B,D]
