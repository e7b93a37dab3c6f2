"""The built-in decoder up to `flow_size`: flows, masks, planes and a coarse synthesis from a latent."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gohd_core.animator.config import AnimatorConfig, level_sizes
from gohd_core.animator.layered import motion_layers as planes
from gohd_core.animator.layered.motion_layers import Planes
from gohd_core.animator.layers import (
    GAIN,
    LEAKY,
    EqualConv2d,
    EqualLinear,
    StyledConv,
    all_biased,
    plain_conv,
)
from gohd_core.kernels.resize import sized

_FLOW_STEP = 0.05
"""Flow (half images) that a unit output of a level's head adds: about 6 pixels of 256."""
_MODULATION = 0.2
_BASIS = 0.05
_BASIS_FIELDS = {"flow": (2, 0.1), "mask": (1, 8.0), "colour": (3, 2.0), "planes": (2, 8.0)}
"""Fields that the latent mixes linearly, with their channels and steps: flow of the face, logit of what
the source shows, colour of the synthesis, logits of the inner plane and of the background."""
_BASIS_SIDE = 32
"""Side of the fields that the latent mixes linearly, before any convolution."""
_INNER_SIDE = 16
"""The same for the inner plane's flow, which is smoother: an eye turns as a whole."""
_LOOK_FROM = 16
"""From this size on a level first looks at the source through the level below's flow."""
_PLANES_FROM = 32
"""From this size on planes are told apart; below, an eye is a pixel or two."""


@dataclass(frozen=True)
class Trunk:
    """What the levels up to `flow_size` make.

    Attributes:
        x: features [B,C,s,s] of the last level.
        latent: [B,D] as the styles of what follows want it.
        flows, masks: per size, smallest first: [B,2,s,s] in half images, and [B,1,s,s] logits of what the
            source shows.
        planes: per size from which they are told apart.
        coarse: [B,3,s,s] synthesis of the last level.
    """

    x: Tensor
    latent: Tensor
    flows: list[Tensor]
    masks: list[Tensor]
    planes: list[Planes]
    coarse: Tensor


class CompositeTrunk(nn.Module):
    """Latent and source features at 8 ... `flow_size` -> `Trunk`."""

    def __init__(self, config: AnimatorConfig) -> None:
        super().__init__()
        latent = config.identity_dim
        sides = level_sizes(config.flow_size)
        self.sides = sides[1:]
        self.planes_from = min(_PLANES_FROM, config.flow_size)
        width = config.width(sides[0])
        self.constant = nn.Parameter(
            torch.randn(1, width, sides[0], sides[0], dtype=torch.float32, device="cpu")
        )
        self.entrance = EqualLinear(latent, width * sides[0] ** 2)
        self.style = nn.ModuleList([EqualLinear(latent, latent), EqualLinear(latent, latent)])
        self.initial = StyledConv(width, width, latent)
        # Most of a flow is linear in the motion (a head turns, a jaw drops): these fields learn that in
        # a few hundred steps, and the convolutions add what depends on the face.
        self.basis_side = min(_BASIS_SIDE, config.flow_size)
        self.inner_side = min(_INNER_SIDE, config.flow_size)
        channels = sum(count for count, _ in _BASIS_FIELDS.values())
        self.basis = EqualLinear(latent, channels * self.basis_side**2)
        self.inner_basis = EqualLinear(latent, 2 * self.inner_side**2)
        self.ups = nn.ModuleList()
        self.convs = nn.ModuleList()
        self.looks = nn.ModuleDict()
        self.flows = nn.ModuleList()
        self.parts = nn.ModuleDict()
        for below, side in zip(sides, self.sides, strict=False):
            width = config.width(side)
            self.ups.append(StyledConv(config.width(below), width, latent, up=True))
            self.convs.append(StyledConv(width, width, latent))
            self.flows.append(plain_conv(width, 3))
            if side >= _LOOK_FROM:
                self.looks[str(side)] = EqualConv2d(width, width, 1, bias=False)
            if side >= self.planes_from:
                self.parts[str(side)] = plain_conv(width, 4)
        self.coarse = plain_conv(width, 3)

    @torch.no_grad()
    def soften(self) -> None:
        """Weak modulation at first: flow is nearly linear in the motion, and ten layers of strong
        products would make it a polynomial of high degree, which fits a batch and nothing else."""
        for part in self.modules():
            if isinstance(part, StyledConv):
                part.modulation.weight.mul_(_MODULATION)
        flow = 2 * self.basis_side**2
        self.basis.weight[:flow].mul_(_BASIS)
        self.basis.weight[flow:].zero_()
        self.inner_basis.weight.mul_(_BASIS)

    def trunk(self, latent: Tensor, maps: tuple[Tensor, ...]) -> Trunk:
        """Level by level up to `flow_size`: what is known so far is looked at through the flow so far."""
        basis = self._basis(latent)
        latent = self.restyled(latent)
        x = self.constant + self.entrance(latent).unflatten(1, self.constant.shape[1:])
        x = x.to(maps[0].dtype).contiguous(memory_format=torch.channels_last)
        x = self.initial(x, latent)
        added = torch.zeros_like(basis["flow"][:, :, :1, :1])
        flows, masks, found = [], [], []
        for i, side in enumerate(self.sides):
            x = self.ups[i](x, latent)
            linear, added = sized(basis["flow"], side), sized(added, side)
            below = found[-1] if found else None
            if str(side) in self.looks:
                through = below.sized(side) if below else None
                x = x + self.looks[str(side)](_seen(maps[i], linear + added, through))
            x = self.convs[i](x, latent)
            out, *others = all_biased(self._outputs(i), x)
            mask = out[:, 2:] + sized(basis["mask"], side)
            added = added + _FLOW_STEP * out[:, :2]
            flow = linear + added
            if str(side) in self.parts:
                below = self._planes(others[0], flow, basis, below)
                found.append(below)
            flows.append(below.flow() if below else flow)
            masks.append(mask)
            if side != self.sides[-1]:
                share = torch.sigmoid(mask).to(x.dtype)
                x = torch.lerp(x, _seen(maps[i], flow, below), share)
        coarse = others[-1] + sized(basis["colour"], self.sides[-1])
        return Trunk(x, latent, flows, masks, found, coarse)

    def _outputs(self, level: int) -> list[EqualConv2d]:
        """What a level tells: its flow and mask; planes, where they are told apart; colours at the last."""
        side = self.sides[level]
        apart = [self.parts[str(side)]] if str(side) in self.parts else []
        return [self.flows[level], *apart, *([self.coarse] if side == self.sides[-1] else [])]

    def restyled(self, latent: Tensor) -> Tensor:
        """The latent as styles want it, [B,D]."""
        hidden = F.leaky_relu(self.style[0](latent), LEAKY) * GAIN
        return latent + 0.3 * self.style[1](hidden)

    def _basis(self, latent: Tensor) -> dict[str, Tensor]:
        """The fields that are linear in the latent, by name."""
        counts = [count for count, _ in _BASIS_FIELDS.values()]
        fields = self.basis(latent).float().unflatten(1, (sum(counts), self.basis_side, self.basis_side))
        parts = zip(_BASIS_FIELDS.items(), fields.split(counts, 1), strict=True)
        basis = {name: part * step for (name, (_, step)), part in parts}
        inner = self.inner_basis(latent).float().unflatten(1, (2, self.inner_side, self.inner_side))
        basis["inner"] = inner * _BASIS_FIELDS["flow"][1]
        return basis

    def _planes(self, out: Tensor, flow: Tensor, basis: dict[str, Tensor], below: Planes | None) -> Planes:
        """A level's planes: its own linear fields, the level below's correction, and what it adds."""
        side = out.shape[-1]
        inner = sized(basis["inner"], side) + _FLOW_STEP * out[:, :2]
        if below is not None:
            correction = below.inner - sized(basis["inner"], below.inner.shape[-1])
            inner = inner + sized(correction, side)
        logits = out[:, 2:] + sized(basis["planes"], side)
        return Planes(flow, inner, F.pad(logits, (0, 0, 0, 0, 1, 0)))


def _seen(features: Tensor, face: Tensor, found: Planes | None) -> Tensor:
    """Warped source features, by the face's flow alone where planes are not told apart yet."""
    if found is None:
        return planes.warped(features, face)
    return Planes(face, found.inner, found.logits).warp(features)
