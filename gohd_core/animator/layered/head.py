"""Head of the layered decoder: refines masks, occlusion and synthesis at full size, from the warped
source."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gohd_core.animator.config import FACE, AnimatorConfig
from gohd_core.animator.layered.motion_layers import N_LAYERS
from gohd_core.animator.layers import SMALL_AT_FIRST, EqualConv2d, StyledConv
from gohd_core.kernels.pixel_blocks import cat_channels_last, pixel_shuffle, pixel_unshuffle
from gohd_core.kernels.resize import resize

_SHADING_CELL = 16
"""Side in output pixels of the cells that shading is averaged over."""
_SHADING_STEP = 0.3
"""Shading (half the range is 1) that a unit output adds."""
_FINE = 1 + (N_LAYERS - 1) + 3
"""Outputs a pixel: occlusion logit, logits of the layers but the face, and colour."""


@dataclass(frozen=True)
class HeadOutput:
    """All at full size: occlusion [B,1,S,S] and layers [B,3,S,S] as logits, detail and shading [B,3,S,S]."""

    occlusion_logits: Tensor
    layer_logits: Tensor
    detail: Tensor
    shading: Tensor


class LayeredHead(nn.Module):
    """Works at the encoder's size, in blocks of output pixels."""

    def __init__(self, config: AnimatorConfig, trunk: int) -> None:
        super().__init__()
        latent, width = config.identity_dim, config.head_channels
        self.block = config.size // config.encoder_size
        self.side = config.encoder_size
        pixels = self.block**2
        source = config.width(config.encoder_size)
        self.reduce = EqualConv2d(trunk, width, 1, bias=False)
        self.surroundings = Surroundings(width, latent) if config.surroundings else None
        self.first = StyledConv(width + source + (3 + N_LAYERS) * pixels, width, latent)
        self.second = StyledConv(width, width, latent)
        self.out = FineAndShading(width, _FINE * pixels, _SHADING_CELL // self.block)

    def forward(
        self,
        x: Tensor,
        latent: Tensor,
        warped_features: Tensor,
        warped: Tensor,
        occlusion_logits: Tensor,
        layer_logits: Tensor,
        layer_masks: Tensor,
        confidence: Tensor | float = 1.0,
    ) -> HeadOutput:
        """Refines a frame.

        Args:
            x, latent: the trunk's features [B,C,f,f] at the flow size, and its style [B,D].
            warped_features: source features [B,C,e,e] at the encoder's size, warped.
            warped: source image [B,3,S,S], warped.
            occlusion_logits: [B,1,S,S].
            layer_logits, layer_masks: [B,3,S,S].
            confidence: how far each pixel can be sampled from the source [B,1,S,S].
        """
        others = layer_masks[:, FACE + 1 :]  # [B,2,S,S]: inner, background
        occlusion_map = torch.sigmoid(occlusion_logits) * confidence
        x = self.reduce(x)
        if self.surroundings is not None:
            x = x + self.surroundings(x, latent, warped, occlusion_map, others)
        known = torch.cat([warped, occlusion_map * 2 - 1, others], dim=1)
        known = pixel_unshuffle(known, self.block).to(x.dtype)  # [B,6*block^2,e,e]
        x = resize(x, self.side)
        x = self.second(self.first(cat_channels_last(x, warped_features, known), latent), latent)
        fine, shading = self.out(x)
        fine = pixel_shuffle(fine, self.block)  # [B,_FINE,S,S]
        logits = layer_logits + F.pad(fine[:, 1:N_LAYERS], (0, 0, 0, 0, 1, 0))
        shading = _SHADING_STEP * resize(shading, self.side * self.block)
        return HeadOutput(occlusion_logits + fine[:, :1], logits, fine[:, N_LAYERS:], shading)


class FineAndShading(EqualConv2d):
    """A 3x3 convolution, small at first, to fine outputs of every block and mean shading of every cell."""

    def __init__(self, inputs: int, fine: int, cell: int) -> None:
        super().__init__(inputs, fine + 3, 3, padding=1)
        self.fine, self.cell = fine, cell
        with torch.no_grad():
            self.weight.mul_(SMALL_AT_FIRST)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x [B,C,S,S] -> [B,fine,S,S] and [B,3,S/cell,S/cell], float32."""
        out = self.biased(x)
        return out[:, : self.fine], F.avg_pool2d(out[:, self.fine :], self.cell)


class Surroundings(nn.Module):
    """Context of a pixel from the warped source, so that a synthesis continues its surroundings.

    The hidden part of an eye is as wide as the head's own receptive field; here colours are averaged to the
    flow's size, all of them and the inner layer's alone, where two convolutions see sixteen output pixels.
    """

    def __init__(self, width: int, latent: int) -> None:
        super().__init__()
        self.first = StyledConv(width + 2 * (3 + 1) + N_LAYERS - 1, width, latent)
        self.second = StyledConv(width, width, latent)
        self.out = EqualConv2d(width, width, 1, bias=False)
        with torch.no_grad():
            self.out.weight.mul_(0.1)

    def forward(
        self, x: Tensor, latent: Tensor, warped: Tensor, occlusion_map: Tensor, others: Tensor
    ) -> Tensor:
        """A residual for x [B,C,f,f].

        Args:
            x, latent: as in `LayeredHead.forward`.
            warped: [B,3,S,S] warped source image.
            occlusion_map: [B,1,S,S] share that the source shows.
            others: [B,2,S,S] masks of the layers but the face.
        """
        inner = occlusion_map * others[:, :1]
        known = torch.cat([warped * occlusion_map, occlusion_map, warped * inner, inner, others], dim=1)
        known = resize(known, x.shape[-1]).to(x.dtype)  # [B,10,f,f]
        return self.out(self.second(self.first(cat_channels_last(x, known), latent), latent))
