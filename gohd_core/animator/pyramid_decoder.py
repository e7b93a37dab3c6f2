"""The official decoder: a flow and an occlusion map per size warp source features, which feed an RGB
pyramid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from gohd_core.animator.config import AnimatorConfig, level_sizes
from gohd_core.animator.layered.motion_layers import MotionLayers
from gohd_core.animator.layers import LEAKY, EqualConv2d, EqualLinear, Freezable, StyledConv, act, upsample
from gohd_core.kernels.policy import flow_dtype
from gohd_core.kernels.warp import corner_grid, warp

if TYPE_CHECKING:
    from gohd_core.animator.geometry.teeth import ToothRows

_PLANAR_UP_TO = 64
"""Largest side that float32 computes plane by plane (NCHW).

On the CPU the channels-last kernels sum all inputs in one chain, which rounds about three times as
much, and errors of the small levels are magnified by each warp above. From 128 on channels-last is faster.
"""

_CHUNKS = {4: 8, 8: 8, 16: 8, 32: 4, 64: 4, 128: 4}
"""Partial sums into which each side's convolutions are split, for the same reason (`StyledConv`)."""


@dataclass(frozen=True)
class Decoded:
    """A decoder's output.

    Attributes:
        pyramid: frames [B,3,S,S], the largest (the result) first.
        flows: per size, smallest first: [B,2,S,S] flow (x, y) in units of half an image.
        occlusion_logits: per size, smallest first: [B,1,S,S], whose sigmoid (FOMM's `occlusion_map`) is the
            share taken from the warped source.
        layers: per size at which the layered decoder has layers, smallest first; None for the pyramid's.
        coarse: [B,3,s,s] synthesis at the layered decoder's flow size; likewise.
        warped, synthesis, shading: [B,3,S,S] parts of the layered decoder's frame; likewise.
        tooth_rows: places and light of the teeth, for decoders that composite them into the mouth.
        teeth: [B,2,S,S] opacity of each row; likewise.
    """

    pyramid: list[Tensor]
    flows: list[Tensor]
    occlusion_logits: list[Tensor]
    layers: list[MotionLayers] | None = None
    coarse: Tensor | None = None
    warped: Tensor | None = None
    synthesis: Tensor | None = None
    shading: Tensor | None = None
    tooth_rows: ToothRows | None = None
    teeth: Tensor | None = None


class FlowHead(nn.Module):
    """Modulated, not demodulated 1x1 convolution to flow and occlusion logit, on top of the level below."""

    def __init__(self, inputs: int, latent: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, inputs, dtype=torch.float32, device="cpu"))
        self.modulation = EqualLinear(latent, inputs, bias=1.0)
        self.bias = nn.Parameter(torch.zeros(3, dtype=torch.float32, device="cpu"))

    def forward(self, x: Tensor, latent: Tensor, below: Tensor | None) -> Tensor:
        """x [B,C,S,S], the level below's output [B,3,S/2,S/2] -> [B,3,S,S], float32 or, on the CPU, float64.

        A flow is the sum over all levels below, and a warp magnifies its rounding errors.
        """
        dtype = flow_dtype(x)
        style = self.modulation(latent.to(dtype))
        kernel = self.weight.to(dtype) * (style / self.weight.shape[1] ** 0.5)[:, None]
        flat = rearrange(x, "b c h w -> b (h w) c")
        # kernel [B,3,C] -> [B,C,3]
        out = torch.baddbmm(self.bias.to(dtype), flat.to(dtype), kernel.transpose(1, 2))
        out = rearrange(out, "b (h w) c -> b c h w", h=x.shape[2])
        return out if below is None else out + upsample(below)


class RgbHead(nn.Module):
    """1x1 convolution and activation, another bias, on top of the smaller image."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.conv = EqualConv2d(inputs, 3, 1)
        self.bias = nn.Parameter(torch.zeros(3, dtype=torch.float32, device="cpu"))

    def forward(self, x: Tensor, below: Tensor | None) -> Tensor:
        out = act(self.conv(x).float(), self.conv.bias) + self.bias[:, None, None]
        return out if below is None else out + upsample(below)


class FeatureModulation(nn.Module):
    """Scales and shifts warped features by what styled convolutions make of them (sft)."""

    def __init__(self, channels: int, latent: int, chunks: int) -> None:
        super().__init__()
        # A leaky ReLU (0.2, no gain) follows the styled convolution's own: together one of slope 0.04.
        slope = LEAKY * LEAKY
        self.scale_in = StyledConv(channels, channels, latent, slope=slope, accumulation_chunks=chunks)
        self.shift_in = StyledConv(channels, channels, latent, slope=slope, accumulation_chunks=chunks)
        self.scale_out = nn.Conv2d(channels, channels, 3, padding=1)
        self.shift_out = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, latent: Tensor) -> Tensor:
        scale = _plain(self.scale_out, self.scale_in(x, latent))
        shift = _plain(self.shift_out, self.shift_in(x, latent))
        return torch.addcmul(shift, x, scale).add_(x)


def _plain(conv: nn.Conv2d, x: Tensor) -> Tensor:
    planar = x.is_contiguous()
    weight = conv.weight.to(x.dtype)
    weight = weight if planar else weight.contiguous(memory_format=torch.channels_last)
    return F.conv2d(x, weight, conv.bias.to(x.dtype), padding=1)


def _layout(side: int, dtype: torch.dtype) -> torch.memory_format:
    planar = dtype == torch.float32 and side <= _PLANAR_UP_TO
    return torch.contiguous_format if planar else torch.channels_last


class PyramidDecoder(nn.Module):
    """Latent and source features -> frame (§3.3), as the official weights were trained."""

    cpu_side_by_side = False
    cpu_pass = 1
    """Frames per pass on the CPU: larger passes leave the caches and cost page faults."""

    def __init__(self, config: AnimatorConfig) -> None:
        super().__init__()
        latent = config.identity_dim
        sides = level_sizes(config.size)
        self.sides = sides[1:]
        self.modulate_from = config.modulate_from
        self.constant = nn.Parameter(
            torch.randn(1, config.width(sides[0]), sides[0], sides[0], dtype=torch.float32, device="cpu")
        )
        width = config.width(sides[0])
        self.initial = StyledConv(width, width, latent, accumulation_chunks=_CHUNKS.get(sides[0], 1))
        convs, flows, rgbs, fusions = [], [], [], []
        for below, side in zip(sides, self.sides, strict=False):
            width, chunks = config.width(side), _CHUNKS.get(side, 1)
            convs += [
                StyledConv(config.width(below), width, latent, up=True, accumulation_chunks=chunks),
                StyledConv(width, width, latent, accumulation_chunks=chunks),
            ]
            flows.append(FlowHead(width, latent))
            rgbs.append(RgbHead(width))
            if side >= config.modulate_from:
                fusions.append(FeatureModulation(width, latent, chunks if side <= _PLANAR_UP_TO else 1))
        self.convs, self.flows = nn.ModuleList(convs), nn.ModuleList(flows)
        self.rgbs, self.fusions = nn.ModuleList(rgbs), nn.ModuleList(fusions)

    def freeze(self, dtype: torch.dtype) -> None:
        """Keeps every constant kernel in `dtype` and in the layout that its level computes in."""
        self.initial.freeze(dtype, _layout(0, dtype))
        fusions = [None] * (len(self.sides) - len(self.fusions)) + list(self.fusions)
        for i, side in enumerate(self.sides):
            parts = [self.convs[2 * i], self.convs[2 * i + 1], self.rgbs[i], fusions[i]]
            for part in parts:
                for layer in part.modules() if part is not None else ():
                    if isinstance(layer, Freezable):
                        layer.freeze(dtype, _layout(side, dtype))

    def forward(self, latent: Tensor, features: tuple[Tensor, ...], eyes: None = None) -> Decoded:
        """latent [B,D] float32, features at 8, 16 ... size -> frames and flows of every size."""
        x = self.constant.to(features[0].dtype).expand(len(latent), -1, -1, -1)
        x = self.initial(x.contiguous(memory_format=_layout(0, x.dtype)), latent)
        flow = rgb = None
        fusions = iter(self.fusions)
        pyramid, flows, occlusions = [], [], []
        for i, side in enumerate(self.sides):
            layout = _layout(side, x.dtype)
            x = self.convs[2 * i](x.contiguous(memory_format=layout), latent)
            x = self.convs[2 * i + 1](x, latent)
            flow = self.flows[i](x, latent, flow)
            offset, occlusion_map = torch.tanh(flow[:, :2]), torch.sigmoid(flow[:, 2:])
            grid = corner_grid(side, x.device) + rearrange(offset, "b xy h w -> b h w xy")
            warped = warp(features[i], grid, occlusion_map).contiguous(memory_format=layout)
            modulated = warped
            if side >= self.modulate_from:
                modulated = next(fusions)(warped, latent)
            rgb = self.rgbs[i](modulated, rgb)
            if side != self.sides[-1]:
                x = self._next(x, warped, modulated, occlusion_map.to(x.dtype), side)
            pyramid.insert(0, rgb)
            flows.append(offset.float())
            occlusions.append(flow[:, 2:].float())
        return Decoded(pyramid, flows, occlusions)

    def frames(self, latent: Tensor, features: tuple[Tensor, ...], parts: None = None) -> Tensor:
        """The frames alone, [B,3,S,S]."""
        return self(latent, features, parts).pyramid[0]

    def _next(self, x: Tensor, warped: Tensor, modulated: Tensor, occlusion_map: Tensor, side: int) -> Tensor:
        """The next level's input: warped features where the source shows them, x elsewhere."""
        fused = torch.addcmul(warped, x, 1 - occlusion_map)
        if side < self.modulate_from:
            return fused
        # The official code blends by the fused features instead of the map; its weights were trained so.
        return torch.addcmul(modulated, x, 1 - fused)
