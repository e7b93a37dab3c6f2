"""The built-in decoder: flow and mask at low resolution, refined, warp the full-resolution source.

Crisp by construction: what the source shows is sampled from it once, at full size; only what it hides
is synthesised, and what is added to the sampled part (shading) is low-passed, so that it can't blur it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gohd_core.animator.config import AnimatorConfig, level_sizes
from gohd_core.animator.decoder import Decoded
from gohd_core.animator.layers import GAIN, LEAKY, EqualConv2d, EqualLinear, Freezable, StyledConv
from gohd_core.animator.warp import centre_grid, warp

_FLOW_STEP = 0.05
"""Flow (half images) that a unit output of a level's head adds: about 6 pixels of 256."""
_FINE_STEP = 0.05
_MODULATION = 0.2
_BASIS = 0.05
_BASIS_STEPS = (0.1, 0.1, 8.0, 2.0, 2.0, 2.0)
_BASIS_FIELDS = len(_BASIS_STEPS)
"""Fields that the latent mixes linearly: flow x and y, mask logit, colour of the synthesis."""
_BASIS_SIDE = 32
"""Side of the flow fields that the latent mixes linearly, before any convolution."""
_LOOK_FROM = 16
"""From this size on a level first looks at the source through the level below's flow."""
_SHADING_CELL = 16
"""Side in output pixels of the cells that shading is averaged over."""


class CompositeDecoder(nn.Module):
    """Latent, source features and source image -> frame."""

    def __init__(self, config: AnimatorConfig) -> None:
        super().__init__()
        latent = config.identity_dim
        sides = level_sizes(config.flow_size)
        self.sides = sides[1:]
        self.size, self.head_size = config.size, config.encoder_size
        width = config.width(sides[0])
        self.constant = nn.Parameter(torch.randn(1, width, sides[0], sides[0]))
        self.entrance = EqualLinear(latent, width * sides[0] ** 2)
        self.style = nn.ModuleList([EqualLinear(latent, latent), EqualLinear(latent, latent)])
        self.initial = StyledConv(width, width, latent)
        # Most of a flow is linear in the motion (a head turns, a jaw drops): these fields learn that in
        # a few hundred steps, and the convolutions add what depends on the face.
        self.basis_side = min(_BASIS_SIDE, config.flow_size)
        self.basis = EqualLinear(latent, _BASIS_FIELDS * self.basis_side**2)
        scale = torch.tensor(_BASIS_STEPS).view(1, -1, 1, 1)
        self.register_buffer("basis_scale", scale, persistent=False)
        self.ups = nn.ModuleList()
        self.convs = nn.ModuleList()
        self.looks = nn.ModuleDict()
        self.flows = nn.ModuleList()
        for below, side in zip(sides, self.sides, strict=False):
            width = config.width(side)
            self.ups.append(StyledConv(config.width(below), width, latent, up=True))
            self.convs.append(StyledConv(width, width, latent))
            self.flows.append(_flow_head(width, 3))
            if side >= _LOOK_FROM:
                self.looks[str(side)] = EqualConv2d(width, width, 1, bias=False)
        self.coarse = _flow_head(width, 3)
        self.refine = config.size // config.flow_size
        self.fine = _flow_head(width, 3 * self.refine**2)
        self.head = CompositeHead(config, width)
        self._soften()

    @torch.no_grad()
    def _soften(self) -> None:
        """Weak modulation at first: flow is nearly linear in the motion, and ten layers of strong
        products would make it a polynomial of high degree, which fits a batch and nothing else."""
        for part in self.modules():
            if isinstance(part, StyledConv):
                part.modulation.weight.mul_(_MODULATION)
        flow = 2 * self.basis_side**2
        self.basis.weight[:flow].mul_(_BASIS)
        self.basis.weight[flow:].zero_()

    def freeze(self, dtype: torch.dtype) -> None:
        """Keeps every constant kernel in `dtype`."""
        for part in self.modules():
            if isinstance(part, Freezable):
                part.freeze(dtype)

    def forward(self, latent: Tensor, features: tuple[Tensor, ...], *, whole: bool = True) -> Decoded:
        """latent [B,D] float32; features at 8 ... encoder_size, then the image -> Decoded.

        Without `whole` only flows, masks and the coarse synthesis up to `flow_size` are made: in the
        first part of a training that is all there is to learn, at half the cost.
        """
        *maps, image = features
        shape = (_BASIS_FIELDS, self.basis_side, self.basis_side)
        basis = self.basis(latent).float().unflatten(1, shape) * self.basis_scale
        basis, hides, colour = basis[:, :2], basis[:, 2:3], basis[:, 3:]
        latent = latent + self._restyle(latent)
        x = self.constant + self.entrance(latent).unflatten(1, self.constant.shape[1:])
        x = x.to(maps[0].dtype).contiguous(memory_format=torch.channels_last)
        x = self.initial(x, latent)
        added = torch.zeros_like(basis[:, :, :1, :1])
        flows, masks = [], []
        for i, side in enumerate(self.sides):
            x = self.ups[i](x, latent)
            linear, added = _sized(basis, side), _sized(added, side)
            if str(side) in self.looks:
                x = x + self.looks[str(side)](_warp(maps[i], linear + added, side))
            x = self.convs[i](x, latent)
            out = _head(self.flows[i], x)
            mask = out[:, 2:] + _sized(hides, side)
            added = added + _FLOW_STEP * out[:, :2]
            flow = linear + added
            flows.append(flow)
            masks.append(mask)
            if side != self.sides[-1]:
                share = torch.sigmoid(mask).to(x.dtype)
                x = torch.lerp(x, _warp(maps[i], flow, side), share)
        coarse = _head(self.coarse, x) + _sized(colour, self.sides[-1])
        if not whole:
            return Decoded([], flows, masks, coarse=coarse)
        flow, mask = self._refined(x, flow, masks[-1])
        flows.append(flow)
        warped = _warp(image, flow, self.size).float()
        seen = _warp(maps[-1], F.avg_pool2d(flow, self.size // self.head_size), self.head_size)
        mask, detail, shading = self.head(x, latent, warped, seen, mask)
        synthesis = _resized(coarse, self.size) + detail
        masks.append(mask)
        # Detached: the mask is taught what is visible, not to hide what is hard to predict.
        share = torch.sigmoid(mask).detach()
        frame = share * (warped + shading) + (1 - share) * synthesis
        shading = share * shading
        return Decoded([frame], flows, masks, coarse, warped, synthesis, shading)

    def _restyle(self, latent: Tensor) -> Tensor:
        hidden = F.leaky_relu(self.style[0](latent), LEAKY) * GAIN
        return 0.3 * self.style[1](hidden)

    def _refined(self, x: Tensor, flow: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        fine = F.pixel_shuffle(_head(self.fine, x), self.refine)
        flow = _resized(flow, self.size) + _FINE_STEP * fine[:, :2]
        return flow, _resized(mask, self.size) + fine[:, 2:]


class CompositeHead(nn.Module):
    """At the encoder's size, in blocks of output pixels: final mask, synthesis and shading."""

    def __init__(self, config: AnimatorConfig, trunk: int) -> None:
        super().__init__()
        latent, width = config.identity_dim, config.head_channels
        self.block = config.size // config.encoder_size
        self.side = config.encoder_size
        pixels = self.block**2
        seen = config.width(config.encoder_size)
        self.reduce = EqualConv2d(trunk, width, 1, bias=False)
        self.first = StyledConv(width + seen + 4 * pixels, width, latent)
        self.second = StyledConv(width, width, latent)
        self.out = _flow_head(width, 4 * pixels + 3)

    def forward(
        self, x: Tensor, latent: Tensor, warped: Tensor, seen: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Trunk, warped image and features, mask logits -> mask logits, synthesis, shading at full size."""
        known = torch.cat([warped, torch.sigmoid(mask) * 2 - 1], dim=1)
        known = F.pixel_unshuffle(known, self.block).to(x.dtype)
        x = _resized(self.reduce(x), self.side)
        x = torch.cat([x, seen, known], dim=1).contiguous(memory_format=torch.channels_last)
        x = self.second(self.first(x, latent), latent)
        out = _head(self.out, x)
        fine = F.pixel_shuffle(out[:, :-3], self.block)
        cell = _SHADING_CELL // self.block
        shading = F.avg_pool2d(out[:, -3:], cell)
        size = self.side * self.block
        return mask + fine[:, :1], fine[:, 1:], 0.3 * _resized(shading, size)


def _flow_head(inputs: int, outputs: int) -> EqualConv2d:
    conv = EqualConv2d(inputs, outputs, 3, padding=1)
    with torch.no_grad():
        conv.weight.mul_(0.3)
    return conv


def _head(conv: EqualConv2d, x: Tensor) -> Tensor:
    """A plain convolution with bias, result in float32."""
    return conv(x).float() + conv.bias[:, None, None]


def _warp(features: Tensor, flow: Tensor, side: int) -> Tensor:
    grid = centre_grid(side, flow.device) + flow.permute(0, 2, 3, 1)
    return warp(features, grid, border=True)


def _sized(flow: Tensor, side: int) -> Tensor:
    """A flow averaged down or interpolated up to `side`."""
    if flow.shape[-1] > side:
        return F.avg_pool2d(flow, flow.shape[-1] // side)
    return _resized(flow, side)


def _resized(x: Tensor, side: int) -> Tensor:
    if x.shape[-1] == side:
        return x
    return F.interpolate(x, size=(side, side), mode="bilinear", align_corners=False)
