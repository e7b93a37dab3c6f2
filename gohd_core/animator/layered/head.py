"""The built-in decoder's head: sees the warped source, finishes masks, planes and synthesis at full size."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gohd_core.animator.config import FACE, AnimatorConfig
from gohd_core.animator.layered.motion_layers import COUNT
from gohd_core.animator.layers import SMALL_AT_FIRST, EqualConv2d, StyledConv
from gohd_core.kernels.pixel_blocks import in_blocks, joined, spread
from gohd_core.kernels.policy import uses_cpu_kernels
from gohd_core.kernels.resize import sized

_SHADING_CELL = 16
"""Side in output pixels of the cells that shading is averaged over."""
_SHADING_STEP = 0.3
_FINE = 1 + (COUNT - 1) + 3
"""Outputs a pixel: logit of what the source shows, of the planes but the face, and colour."""


@dataclass(frozen=True)
class HeadOutput:
    """All at full size: mask [B,1,S,S] and planes [B,3,S,S] as logits, detail and shading [B,3,S,S]."""

    mask: Tensor
    logits: Tensor
    detail: Tensor
    shading: Tensor


class CompositeHead(nn.Module):
    """Works at the encoder's size, in blocks of output pixels."""

    def __init__(self, config: AnimatorConfig, trunk: int) -> None:
        super().__init__()
        latent, width = config.identity_dim, config.head_channels
        self.block = config.size // config.encoder_size
        self.side = config.encoder_size
        pixels = self.block**2
        seen = config.width(config.encoder_size)
        self.reduce = EqualConv2d(trunk, width, 1, bias=False)
        self.surroundings = Surroundings(width, latent) if config.surroundings else None
        self.first = StyledConv(width + seen + (3 + COUNT) * pixels, width, latent)
        self.second = StyledConv(width, width, latent)
        self.out = FineAndShading(width, _FINE * pixels, _SHADING_CELL // self.block)

    def forward(
        self,
        x: Tensor,
        latent: Tensor,
        seen: Tensor,
        warped: Tensor,
        mask: Tensor,
        logits: Tensor,
        shares: Tensor,
        owned: Tensor | float = 1.0,
    ) -> HeadOutput:
        """Finishes a frame.

        Args:
            x, latent: the decoder's features at its flow size, and the latent.
            seen: warped source features at the encoder's size.
            warped: warped source image [B,3,S,S].
            mask: logits of what the source shows [B,1,S,S].
            logits, shares: of the planes [B,3,S,S].
            owned: share of each pixel that the source's own planes can give [B,1,S,S].
        """
        apart = shares[:, FACE + 1 :]
        given = torch.sigmoid(mask) * owned
        x = self.reduce(x)
        if self.surroundings is not None:
            x = x + self.surroundings(x, latent, warped, given, apart)
        known = torch.cat([warped, given * 2 - 1, apart], dim=1)
        known = in_blocks(known, self.block).to(x.dtype)
        x = sized(x, self.side)
        x = self.second(self.first(joined(x, seen, known), latent), latent)
        fine, shading = self.out(x)
        fine = spread(fine, self.block)
        logits = logits + F.pad(fine[:, 1:COUNT], (0, 0, 0, 0, 1, 0))
        size = self.side * self.block
        return HeadOutput(mask + fine[:, :1], logits, fine[:, COUNT:], _SHADING_STEP * sized(shading, size))


class FineAndShading(EqualConv2d):
    """A 3x3 convolution, small at first: of every block the fine outputs, of every cell the mean shading."""

    def __init__(self, inputs: int, fine: int, cell: int) -> None:
        super().__init__(inputs, fine + 3, 3, padding=1)
        self.fine, self.cell = fine, cell
        self.register_buffer("frozen_mean", None, persistent=False)
        with torch.no_grad():
            self.weight.mul_(SMALL_AT_FIRST)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x [B,C,S,S] -> [B,fine,S,S] and [B,3,S/cell,S/cell], float32."""
        if not uses_cpu_kernels(x) or self.frozen_mean is None:
            out = self.biased(x)
            return out[:, : self.fine], F.avg_pool2d(out[:, self.fine :], self.cell)
        kernel, _ = self.constants(x.dtype)
        fine, shading = self.bias.split([self.fine, 3])
        mean = F.conv2d(x, self.frozen_mean.to(x.dtype), shading, stride=self.cell, padding=1)
        return F.conv2d(x, kernel[: self.fine], fine, padding=1), mean

    def freeze(self, dtype: torch.dtype, layout: torch.memory_format = torch.channels_last) -> None:
        """Keeps also the kernel that gives the mean of a cell's shading at once, at every cell."""
        super().freeze(dtype, layout)
        channels, cell = self.weight.shape[1], self.cell
        with torch.no_grad():
            box = self.weight.new_full((channels, 1, cell, cell), 1 / cell**2)
            mean = F.conv_transpose2d(self.kernel()[self.fine :], box, groups=channels)
            self.frozen_mean = mean.to(dtype).contiguous(memory_format=layout)

    def train(self, mode: bool = True) -> FineAndShading:
        if mode:
            self.frozen_mean = None
        return super().train(mode)


class Surroundings(nn.Module):
    """What the source gives around a pixel, so that what it hides goes on from there.

    A hidden part of an eye is as wide as the head's own view; here colours are averaged, all of them and
    the inner plane's apart, at the flow's size, where two convolutions see sixteen output pixels and more.
    """

    def __init__(self, width: int, latent: int) -> None:
        super().__init__()
        self.first = StyledConv(width + 2 * (3 + 1) + COUNT - 1, width, latent)
        self.second = StyledConv(width, width, latent)
        self.out = EqualConv2d(width, width, 1, bias=False)
        with torch.no_grad():
            self.out.weight.mul_(0.1)

    def forward(self, x: Tensor, latent: Tensor, warped: Tensor, given: Tensor, apart: Tensor) -> Tensor:
        """What to add to x [B,C,F,F]; warped [B,3,S,S], the share that the source gives [B,1,S,S], and
        the shares of the planes but the face [B,2,S,S]."""
        inner = given * apart[:, :1]
        known = torch.cat([warped * given, given, warped * inner, inner, apart], dim=1)
        known = sized(known, x.shape[-1]).to(x.dtype)
        return self.out(self.second(self.first(joined(x, known), latent), latent))
