"""The built-in decoder: planes with smooth flows at low resolution, refined, warp the full-resolution source.

Crisp by construction: what the source shows is sampled from it once, at full size; only what it hides
is synthesised, and what is added to the sampled part (shading) is low-passed, so that it can't blur it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gohd_core.animator import planes
from gohd_core.animator.composite_head import CompositeHead, plain, plain_conv
from gohd_core.animator.config import AnimatorConfig, level_sizes
from gohd_core.animator.decoder import Decoded
from gohd_core.animator.face_parts import PartsInFrame
from gohd_core.animator.layers import GAIN, LEAKY, EqualConv2d, EqualLinear, Freezable, StyledConv
from gohd_core.animator.planes import Planes, sized
from gohd_core.animator.teeth import Layer, Teeth, inside, laid

_FLOW_STEP = 0.05
"""Flow (half images) that a unit output of a level's head adds: about 6 pixels of 256."""
_FINE_STEP = 0.05
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
_BARED_FROM, _BARED_STEP = 0.25, 0.2
"""By how much a pixel must show more wall than the portrait does there before the plate gives it, and the
further step at which the plate gives all: what stays keeps the portrait's own edge."""
_PLANES_FROM = 32
"""From this size on planes are told apart; below, an eye is a pixel or two."""


@dataclass(frozen=True)
class _Trunk:
    """What the levels up to `flow_size` make: features, latent, and per size flows, masks and planes."""

    x: Tensor
    latent: Tensor
    flows: list[Tensor]
    masks: list[Tensor]
    planes: list[Planes]
    coarse: Tensor


class CompositeDecoder(nn.Module):
    """Latent, source features and source image -> frame."""

    cpu_pass = 4
    """Frames per pass on the CPU: many small steps, which cost as much for one frame as for a few."""

    def __init__(self, config: AnimatorConfig) -> None:
        super().__init__()
        latent = config.identity_dim
        sides = level_sizes(config.flow_size)
        self.sides = sides[1:]
        self.size, self.head_size = config.size, config.encoder_size
        self.n_maps = len(level_sizes(config.encoder_size)) - 1
        self.planes_from = min(_PLANES_FROM, config.flow_size)
        width = config.width(sides[0])
        self.constant = nn.Parameter(torch.randn(1, width, sides[0], sides[0]))
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
        self.refine = config.size // config.flow_size
        self.fine = plain_conv(width, 5 * self.refine**2)
        self.head = CompositeHead(config, width)
        self.teeth = Teeth(latent, width) if config.teeth else None
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
        self.inner_basis.weight.mul_(_BASIS)

    def freeze(self, dtype: torch.dtype) -> None:
        """Keeps every constant kernel in `dtype`."""
        for part in self.modules():
            if isinstance(part, Freezable):
                part.freeze(dtype)

    def forward(
        self,
        latent: Tensor,
        features: tuple[Tensor, ...],
        parts: PartsInFrame | None = None,
        *,
        whole: bool = True,
    ) -> Decoded:
        """latent [B,D] float32; features at 8 ... encoder_size, then the image -> Decoded.

        Where the source's own planes follow (`planes.owned`), a plane is taken from there alone where the
        source shows that very plane: an eyeball that turns out from under a lid is not on the picture.
        Where the wall without the head follows (`plate_and_wall`), what the head bares is taken from there.
        Where the frame's parts follow, lips and lids are where rings have them, and eyes come from charts.
        Without `whole` only flows, masks and the coarse synthesis up to `flow_size` are made: in the
        first part of a training that is all there is to learn, at half the cost.
        """
        maps, image = features[: self.n_maps], torch.cat(features[self.n_maps : self.n_maps + 2], dim=1)
        plate = features[self.n_maps + 2] if len(features) > self.n_maps + 2 else None
        trunk = self._trunk(latent, maps)
        if not whole:
            return Decoded([], trunk.flows, trunk.masks, trunk.planes, coarse=trunk.coarse)
        return self._finished(trunk, maps[-1], image, plate, parts)

    def _trunk(self, latent: Tensor, maps: tuple[Tensor, ...]) -> _Trunk:
        """Level by level up to `flow_size`: what is known so far is looked at through the flow so far."""
        basis = self._basis(latent)
        latent = latent + self._restyle(latent)
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
            out = plain(self.flows[i], x)
            mask = out[:, 2:] + sized(basis["mask"], side)
            added = added + _FLOW_STEP * out[:, :2]
            flow = linear + added
            if str(side) in self.parts:
                below = self._planes(plain(self.parts[str(side)], x), flow, basis, below)
                found.append(below)
            flows.append(below.flow() if below else flow)
            masks.append(mask)
            if side != self.sides[-1]:
                share = torch.sigmoid(mask).to(x.dtype)
                x = torch.lerp(x, _seen(maps[i], flow, below), share)
        coarse = plain(self.coarse, x) + sized(basis["colour"], self.sides[-1])
        return _Trunk(x, latent, flows, masks, found, coarse)

    def _finished(
        self,
        trunk: _Trunk,
        guide: Tensor,
        image: Tensor,
        plate: Tensor | None,
        parts: PartsInFrame | None,
    ) -> Decoded:
        """The frame: fine flows and masks, the head's view of the warped source, and both mixed."""
        seen, mask = self._refined(trunk.x, trunk.planes[-1], trunk.masks[-1])
        shares = seen.shares
        if parts is not None:
            seen, shares = replace(seen, face=parts.moved(seen.face)), parts.rings.parted(shares)
        samples = seen.samples(image)
        pictures = tuple(sample[:, :3] for sample in samples)
        owned = tuple(sample[:, 3 + k, None] for k, sample in enumerate(samples) if image.shape[1] > 3)
        known = planes.blend(pictures, shares).float()
        guide = seen.sized(self.head_size).warp(guide)
        made = self.head(
            trunk.x, trunk.latent, guide, known, mask, seen.logits, shares, _shown(owned, shares)
        )
        seen = Planes(seen.face, seen.inner, made.logits)
        # Detached: masks are taught what is there, not to hide what is hard to predict.
        shares = seen.shares.detach()
        if parts is not None:
            shares = parts.rings.parted(shares)
        given = torch.sigmoid(made.mask).detach()
        share = given * _shown(owned, shares)
        if plate is not None:
            wall, was = shares[:, planes.BACKGROUND, None], plate[:, 3:]
            bared = ((wall - was - _BARED_FROM) / _BARED_STEP).clamp(0, 1)
            pictures = (*pictures[:-1], torch.lerp(pictures[-1], plate[:, :3], bared.to(plate.dtype)))
            share = share + bared * wall * (1 - given * owned[-1])
        warped = planes.blend(pictures, shares).float()
        synthesis = sized(trunk.coarse, self.size) + made.detail
        rows = layers = None
        if self.teeth is not None and (parts is None or self.training):
            rows = self.teeth(trunk.x, trunk.latent)
            layers = self.teeth.draw(rows, self.size)
        if self.teeth is not None:
            synthesis = self._with_teeth(trunk, synthesis, shares[:, planes.INNER, None], layers, parts)
        frame = share * (warped + made.shading) + (1 - share) * synthesis
        if parts is not None:
            frame = parts.eyes.laid(frame, shares[:, planes.INNER, None])
        return Decoded(
            [frame],
            [*trunk.flows, seen.flow()],
            [*trunk.masks, made.mask],
            [*trunk.planes, seen],
            trunk.coarse,
            warped,
            synthesis,
            share * made.shading,
            rows,
            None if layers is None else torch.cat([layer.opacity for layer in layers], dim=1),
        )

    def _with_teeth(
        self,
        trunk: _Trunk,
        synthesis: Tensor,
        inner: Tensor,
        layers: list[Layer] | None,
        parts: PartsInFrame | None,
    ) -> Tensor:
        """Where the mouth is known, teeth lie where it has them; elsewhere where they are predicted to."""
        if parts is None:
            return laid(layers, synthesis, inner)
        known = self.teeth.draw_at(parts.teeth, self.teeth.lit(trunk.latent))
        return inside(self.teeth, synthesis, inner, parts.rings.pixels(self.size)[:, 0], known)

    def lit_teeth(self, latent: Tensor, parts: PartsInFrame) -> list[Layer]:
        """Both rows in the mouth's window, from the latent [B,D] of a frame."""
        return self.teeth.draw_at(parts.teeth, self.teeth.lit(latent + self._restyle(latent)))

    def own_shares(self, latent: Tensor, features: tuple[Tensor, ...]) -> Tensor:
        """How much of each plane the source itself shows, [B,3,S,S], from the latent that draws it again.

        As told up to `flow_size`: what follows is finer, but made to be told the source's own planes.
        """
        *_, seen = self._trunk(latent, features[: self.n_maps]).planes
        return seen.sized(self.size).shares

    def _basis(self, latent: Tensor) -> dict[str, Tensor]:
        """The fields that are linear in the latent, by name."""
        counts = [count for count, _ in _BASIS_FIELDS.values()]
        fields = self.basis(latent).float().unflatten(1, (sum(counts), self.basis_side, self.basis_side))
        parts = zip(_BASIS_FIELDS.items(), fields.split(counts, 1), strict=True)
        basis = {name: part * step for (name, (_, step)), part in parts}
        inner = self.inner_basis(latent).float().unflatten(1, (2, self.inner_side, self.inner_side))
        basis["inner"] = inner * _BASIS_FIELDS["flow"][1]
        return basis

    def _restyle(self, latent: Tensor) -> Tensor:
        hidden = F.leaky_relu(self.style[0](latent), LEAKY) * GAIN
        return 0.3 * self.style[1](hidden)

    def _planes(self, out: Tensor, flow: Tensor, basis: dict[str, Tensor], below: Planes | None) -> Planes:
        """A level's planes: its own linear fields, the level below's correction, and what it adds."""
        side = out.shape[-1]
        inner = sized(basis["inner"], side) + _FLOW_STEP * out[:, :2]
        if below is not None:
            correction = below.inner - sized(basis["inner"], below.inner.shape[-1])
            inner = inner + sized(correction, side)
        logits = out[:, 2:] + sized(basis["planes"], side)
        return Planes(flow, inner, F.pad(logits, (0, 0, 0, 0, 1, 0)))

    def _refined(self, x: Tensor, coarse: Planes, mask: Tensor) -> tuple[Planes, Tensor]:
        fine = F.pixel_shuffle(plain(self.fine, x), self.refine)
        large = coarse.sized(self.size)
        logits = large.logits + F.pad(fine[:, 3:], (0, 0, 0, 0, 1, 0))
        refined = Planes(large.face + _FINE_STEP * fine[:, :2], large.inner, logits)
        return refined, sized(mask, self.size) + fine[:, 2:3]


def _seen(features: Tensor, face: Tensor, found: Planes | None) -> Tensor:
    """Warped source features, by the face's flow alone where planes are not told apart yet."""
    if found is None:
        return planes.warped(features, face)
    return Planes(face, found.inner, found.logits).warp(features)


def _shown(owned: tuple[Tensor, ...], shares: Tensor) -> Tensor | float:
    """Share of each pixel that the source's own planes can give, [B,1,S,S]; all where they are not told."""
    return planes.blend(owned, shares).float() if owned else 1.0
