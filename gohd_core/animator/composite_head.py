"""The built-in decoder's head: sees the warped source, finishes masks, planes and synthesis at full size."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gohd_core.animator.config import AnimatorConfig
from gohd_core.animator.layers import EqualConv2d, StyledConv, frugal, plain_conv
from gohd_core.animator.layouts import in_blocks, joined, spread
from gohd_core.animator.planes import COUNT, FACE
from gohd_core.animator.resizing import sized

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
        self.out = plain_conv(width, _FINE * pixels + 3)

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
        fine, shading = self._finished(x)
        fine = spread(fine, self.block)
        logits = logits + F.pad(fine[:, 1:COUNT], (0, 0, 0, 0, 1, 0))
        size = self.side * self.block
        return HeadOutput(mask + fine[:, :1], logits, fine[:, COUNT:], _SHADING_STEP * sized(shading, size))

    def _finished(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What `out` gives: of every block, and of every cell the mean colour of the shading."""
        cell = _SHADING_CELL // self.block
        if not frugal(x):
            out = self.out.biased(x)
            return out[:, :-3], F.avg_pool2d(out[:, -3:], cell)
        kernel, _ = self.out.constants(x.dtype)
        fine, bias = self.out.bias.split([len(kernel) - 3, 3])
        # The mean of a cell's outputs is one convolution with a large kernel, at every cell once.
        mean = F.conv_transpose2d(
            kernel[-3:],
            kernel.new_full((kernel.shape[1], 1, cell, cell), 1 / cell**2),
            groups=kernel.shape[1],
        )
        return F.conv2d(x, kernel[:-3], fine, padding=1), F.conv2d(x, mean, bias, stride=cell, padding=1)


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
