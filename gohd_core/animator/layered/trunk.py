"""Trunk of the layered decoder: coarse-to-fine flows, masks, occlusion and synthesis up to `flow_size`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gohd_core.animator.config import AnimatorConfig, level_sizes
from gohd_core.animator.layered.motion_layers import MotionLayers
from gohd_core.animator.layers import (
    GAIN,
    LEAKY,
    EqualConv2d,
    EqualLinear,
    StyledConv,
    all_biased,
    plain_conv,
)
from gohd_core.kernels.resize import resize
from gohd_core.kernels.warp import warp_by_flow

_FLOW_STEP = 0.05
"""Flow (half images) that a unit output of a level's flow head adds: about 6 pixels of 256."""
_STYLE_STEP = 0.3
"""Factor on the residual of the style mapping."""
_WEAK_BASIS = 0.05
"""Factor on the initial weights of the linear flows."""


class _LinearField(NamedTuple):
    """A field that is linear in the latent: its channels, and the step of a unit output."""

    channels: int
    step: float


_LINEAR_FIELDS = {
    "flow": _LinearField(2, 0.1),  # of the face, in half images
    "occlusion": _LinearField(1, 8.0),  # logit of what the source shows
    "colour": _LinearField(3, 2.0),  # of the synthesis
    "layers": _LinearField(2, 8.0),  # logits of the inner layer and of the background
}
_LINEAR_SIDE = 32
"""Side of those fields, before any convolution."""
_INNER_SIDE = 16
"""Side of the inner layer's linear flow, which is smoother: an eye turns as a whole."""
_SKIPS_FROM = 16
"""Smallest level that sees the source's features, warped by the level below's flow."""
_LAYERS_FROM = 32
"""Smallest level with layer masks; below, an eye is a pixel or two."""


@dataclass(frozen=True)
class TrunkOutput:
    """The levels up to `flow_size`.

    Attributes:
        features: [B,C,s,s] of the last level.
        style: [B,D] the latent as later styled convolutions take it.
        flows: per level, smallest first: [B,2,s,s] composed backward flow in half images.
        occlusion_logits: per level: [B,1,s,s], whose sigmoid is the share that the source shows.
        layers: per level from `_LAYERS_FROM` on.
        coarse: [B,3,s,s] synthesis of the last level.
    """

    features: Tensor
    style: Tensor
    flows: list[Tensor]
    occlusion_logits: list[Tensor]
    layers: list[MotionLayers]
    coarse: Tensor


class LayeredTrunk(nn.Module):
    """Latent and source features at 8 ... `flow_size` -> `TrunkOutput`."""

    def __init__(self, config: AnimatorConfig) -> None:
        super().__init__()
        latent = config.identity_dim
        sides = level_sizes(config.flow_size)
        self.sides = sides[1:]
        self.layers_from = min(_LAYERS_FROM, config.flow_size)
        width = config.width(sides[0])
        self.constant = nn.Parameter(
            torch.randn(1, width, sides[0], sides[0], dtype=torch.float32, device="cpu")
        )
        self.entrance = EqualLinear(latent, width * sides[0] ** 2)
        self.style = nn.ModuleList([EqualLinear(latent, latent), EqualLinear(latent, latent)])
        self.initial = StyledConv(width, width, latent)
        # Most of a flow is linear in the motion (a head turns, a jaw drops): these fields learn that in
        # a few hundred steps, and the convolutions add what depends on the face.
        self.basis_side = min(_LINEAR_SIDE, config.flow_size)
        self.inner_side = min(_INNER_SIDE, config.flow_size)
        channels = sum(field.channels for field in _LINEAR_FIELDS.values())
        self.basis = EqualLinear(latent, channels * self.basis_side**2)
        self.inner_basis = EqualLinear(latent, 2 * self.inner_side**2)
        self.ups = nn.ModuleList()
        self.convs = nn.ModuleList()
        self.warped_skips = nn.ModuleDict()
        self.flows = nn.ModuleList()
        self.layer_heads = nn.ModuleDict()
        for below, side in zip(sides, self.sides, strict=False):
            width = config.width(side)
            self.ups.append(StyledConv(config.width(below), width, latent, up=True))
            self.convs.append(StyledConv(width, width, latent))
            self.flows.append(plain_conv(width, 3))
            if side >= _SKIPS_FROM:
                self.warped_skips[str(side)] = EqualConv2d(width, width, 1, bias=False)
            if side >= self.layers_from:
                self.layer_heads[str(side)] = plain_conv(width, 4)
        self.coarse = plain_conv(width, 3)

    @torch.no_grad()
    def soften(self) -> None:
        """Weak linear fields at first: only the flow's are not zero."""
        flow = _LINEAR_FIELDS["flow"].channels * self.basis_side**2
        self.basis.weight[:flow].mul_(_WEAK_BASIS)
        self.basis.weight[flow:].zero_()
        self.inner_basis.weight.mul_(_WEAK_BASIS)

    def forward(self, latent: Tensor, maps: tuple[Tensor, ...]) -> TrunkOutput:
        """Level by level: features are upsampled, see the source warped by the flow so far, and refine it.

        Notation (variable -> what it is, at a level of side s):
            x -> decoder features [B,C,s,s]; maps[i] -> source features [B or 1,C,s,s]
            linear -> flow that is linear in the latent; residual -> sum of the levels' heads
            flow = linear + residual -> the face's backward flow [B,2,s,s]
            layers -> `MotionLayers` of that flow, the inner layer's flow and the layer masks
            occlusion -> logit of the share of the warped source in the next level's input

        Args:
            latent: [B,D] z_D of eq. 9.
            maps: source features at 8 ... `flow_size`.
        """
        linear_fields = self._linear_fields(latent)
        style = self.restyled(latent)
        x = self.constant + self.entrance(style).unflatten(1, self.constant.shape[1:])  # [B,C,4,4]
        x = x.to(maps[0].dtype).contiguous(memory_format=torch.channels_last)
        x = self.initial(x, style)
        residual = torch.zeros_like(linear_fields["flow"][:, :, :1, :1])
        flows, occlusions, found = [], [], []
        for i, side in enumerate(self.sides):
            x = self.ups[i](x, style)
            linear, residual = resize(linear_fields["flow"], side), resize(residual, side)
            layers = found[-1] if found else None
            if str(side) in self.warped_skips:
                through = layers.resized(side) if layers else None
                x = x + self.warped_skips[str(side)](_warp_features(maps[i], linear + residual, through))
            x = self.convs[i](x, style)
            out, *others = all_biased(self._heads(i), x)
            occlusion = out[:, 2:] + resize(linear_fields["occlusion"], side)
            residual = residual + _FLOW_STEP * out[:, :2]
            flow = linear + residual
            if str(side) in self.layer_heads:
                layers = self._layers(others[0], flow, linear_fields, layers)
                found.append(layers)
            flows.append(layers.flow() if layers else flow)
            occlusions.append(occlusion)
            if side != self.sides[-1]:
                occlusion_map = torch.sigmoid(occlusion).to(x.dtype)
                x = torch.lerp(x, _warp_features(maps[i], flow, layers), occlusion_map)
        coarse = others[-1] + resize(linear_fields["colour"], self.sides[-1])
        return TrunkOutput(x, style, flows, occlusions, found, coarse)

    def _heads(self, level: int) -> list[EqualConv2d]:
        """A level's output convolutions: flow and occlusion; layers, where it has them; colours at the
        last."""
        side = self.sides[level]
        layers = [self.layer_heads[str(side)]] if str(side) in self.layer_heads else []
        return [self.flows[level], *layers, *([self.coarse] if side == self.sides[-1] else [])]

    def restyled(self, latent: Tensor) -> Tensor:
        """The style mapping: a latent [B,D] as styled convolutions take it, [B,D]."""
        hidden = F.leaky_relu(self.style[0](latent), LEAKY) * GAIN
        return latent + _STYLE_STEP * self.style[1](hidden)

    def _linear_fields(self, latent: Tensor) -> dict[str, Tensor]:
        """The fields that are linear in the latent, [B,C,n,n] by name."""
        counts = [field.channels for field in _LINEAR_FIELDS.values()]
        # [B,K s^2] -> [B,K,s,s]
        whole = self.basis(latent).float().unflatten(1, (sum(counts), self.basis_side, self.basis_side))
        split = zip(_LINEAR_FIELDS.items(), whole.split(counts, 1), strict=True)
        fields = {name: part * field.step for (name, field), part in split}
        # [B,2 s^2] -> [B,2,s,s]
        inner = self.inner_basis(latent).float().unflatten(1, (2, self.inner_side, self.inner_side))
        fields["inner"] = inner * _LINEAR_FIELDS["flow"].step
        return fields

    def _layers(
        self, out: Tensor, flow: Tensor, linear: dict[str, Tensor], below: MotionLayers | None
    ) -> MotionLayers:
        """A level's layers: linear fields, the level below's residual, and what its head [B,4,s,s] adds."""
        side = out.shape[-1]
        inner = resize(linear["inner"], side) + _FLOW_STEP * out[:, :2]
        if below is not None:
            residual = below.inner - resize(linear["inner"], below.inner.shape[-1])
            inner = inner + resize(residual, side)
        logits = out[:, 2:] + resize(linear["layers"], side)
        return MotionLayers(flow, inner, F.pad(logits, (0, 0, 0, 0, 1, 0)))  # the face's logit is 0


def _warp_features(features: Tensor, face: Tensor, layers: MotionLayers | None) -> Tensor:
    """Warped source features, by the face's flow alone where there are no layers yet."""
    if layers is None:
        return warp_by_flow(features, face)
    return MotionLayers(face, layers.inner, layers.logits).warp(features)
