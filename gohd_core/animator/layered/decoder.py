"""The built-in decoder: planes with smooth flows at low resolution, refined, warp the full-resolution source.

Crisp by construction: what the source shows is sampled from it once, at full size; only what it hides
is synthesised, and what is added to the sampled part (shading) is low-passed, so that it can't blur it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.animator.config import BACKGROUND, INNER, AnimatorConfig, level_sizes
from gohd_core.animator.geometry.face_parts import PartsInFrame
from gohd_core.animator.geometry.teeth import Layer, Rows, Teeth, inside, laid
from gohd_core.animator.layered.head import CompositeHead
from gohd_core.animator.layered.motion_layers import COUNT, Planes, blend, warped
from gohd_core.animator.layered.trunk import CompositeTrunk, Trunk
from gohd_core.animator.layers import Freezable, plain_conv
from gohd_core.animator.pyramid import Decoded
from gohd_core.kernels.pixel_blocks import spread
from gohd_core.kernels.policy import draws_in_passes
from gohd_core.kernels.resize import sized
from gohd_core.kernels.tree import unbatch

_FINE_STEP = 0.05
"""Flow (half images) that a unit output of the last, fine step adds."""
_BARED_FROM, _BARED_STEP = 0.25, 0.2
"""By how much a pixel must show more wall than the portrait does there before the plate gives it, and the
further step at which the plate gives all: what stays keeps the portrait's own edge."""


@dataclass(frozen=True)
class _Portrait:
    """What a frame is finished from.

    Attributes:
        guide: [.,C,e,e] source features at `encoder_size`.
        moving: [.,2,4,S,S] for the face and the inner plane the source image, and how far its pixels can be
            taken for that plane; [.,2,3,S,S] where that is not told.
        still: [.,4,S,S] or [.,3,S,S] the same for the background.
        bare: [.,4,S,S] what the wall without the head differs from `still` by; where it is told.
        wall: [.,1,S,S] how much wall the source shows; likewise.
    """

    guide: Tensor
    moving: Tensor
    still: Tensor
    bare: Tensor | None
    wall: Tensor | None


@dataclass(frozen=True)
class _Finished:
    """A frame [B,3,S,S] and what it is made of (see `Decoded`); `share` [B,1,S,S] the source gives."""

    frame: Tensor
    warped: Tensor
    synthesis: Tensor
    share: Tensor
    shading: Tensor
    planes: Planes
    mask: Tensor
    rows: Rows | None
    layers: list[Layer] | None


class CompositeDecoder(CompositeTrunk):
    """Latent, source features and source image -> frame."""

    cpu_side_by_side = True
    cpu_pass = 8
    """Frames per pass on the CPU: many small steps, which cost as much for one frame as for a few."""

    def __init__(self, config: AnimatorConfig) -> None:
        super().__init__(config)
        width = config.width(config.flow_size)
        self.size, self.head_size = config.size, config.encoder_size
        self.n_maps = len(level_sizes(config.encoder_size)) - 1
        self.refine = config.size // config.flow_size
        self.fine = plain_conv(width, 5 * self.refine**2)
        self.head = CompositeHead(config, width)
        self.teeth = Teeth(config.identity_dim, width) if config.teeth else None
        self.soften()

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
        trunk = self.trunk(latent, features[: self.n_maps])
        if not whole:
            return Decoded([], trunk.flows, trunk.masks, trunk.planes, coarse=trunk.coarse)
        made = self._finished(trunk, self._portrait(features), parts)
        return Decoded(
            [made.frame],
            [*trunk.flows, made.planes.flow()],
            [*trunk.masks, made.mask],
            [*trunk.planes, made.planes],
            trunk.coarse,
            made.warped,
            made.synthesis,
            made.share * made.shading,
            made.rows,
            None if made.layers is None else torch.cat([layer.opacity for layer in made.layers], dim=1),
        )

    def frames(
        self, latent: Tensor, features: tuple[Tensor, ...], parts: PartsInFrame | None = None
    ) -> Tensor:
        """The frames alone, [B,3,S,S]; on the CPU each is finished by itself: its maps stay in the caches."""
        trunk, portrait = self.trunk(latent, features[: self.n_maps]), self._portrait(features)
        if not draws_in_passes(latent.device):
            return self._finished(trunk, portrait, parts).frame
        one_by_one = unbatch((trunk, portrait, parts), len(latent))
        return torch.cat([self._finished(*each).frame for each in one_by_one])

    def own_shares(self, latent: Tensor, features: tuple[Tensor, ...]) -> Tensor:
        """How much of each plane the source itself shows, [B,3,S,S], from the latent that draws it again.

        As told up to `flow_size`: what follows is finer, but made to be told the source's own planes.
        """
        *_, seen = self.trunk(latent, features[: self.n_maps]).planes
        return seen.sized(self.size).shares

    def lit_teeth(self, latent: Tensor, parts: PartsInFrame) -> list[Layer]:
        """Both rows in the mouth's window, from the latent [B,D] of a frame."""
        return self.teeth.draw_at(parts.teeth, self.teeth.lit(self.restyled(latent)))

    def _portrait(self, features: tuple[Tensor, ...]) -> _Portrait:
        """A source's maps as the frames want them."""
        guide, image, *told = features[self.n_maps - 1 :]
        if not told:
            return _Portrait(guide, torch.stack([image, image], dim=1), image, None, None)
        own = told[0].split(1, dim=1)
        face, inner, still = (torch.cat([image, each], dim=1) for each in own)
        moving = torch.stack([face, inner], dim=1)
        if len(told) == 1:
            return _Portrait(guide, moving, still, None, None)
        plate, wall = told[1].split([3, 1], dim=1)
        return _Portrait(guide, moving, still, F.pad(plate - image, (0, 0, 0, 0, 0, 1)), wall)

    def _finished(self, trunk: Trunk, portrait: _Portrait, parts: PartsInFrame | None) -> _Finished:
        """The frame: fine flows and masks, the head's view of the warped source, and both mixed."""
        seen, mask, coarse = self._refined(trunk)
        shares = seen.shares
        if parts is not None:
            seen, shares = replace(seen, face=parts.moved(seen.face)), parts.rings.parted(shares)
        # Both at once: PyTorch's threads share the pictures of a batch, not the rows of one.
        moving = portrait.moving.expand(len(shares), -1, -1, -1, -1).flatten(0, 1)
        samples = warped(moving, torch.stack([seen.face, seen.inner], dim=1).flatten(0, 1))
        samples = *samples.unflatten(0, (-1, 2)).unbind(1), portrait.still
        known = blend(samples, shares).float()
        guide = seen.sized(self.head_size).warp(portrait.guide)
        made = self.head(trunk.x, trunk.latent, guide, known[:, :3], mask, seen.logits, shares, _shown(known))
        seen = Planes(seen.face, seen.inner, made.logits)
        # Detached: masks are taught what is there, not to hide what is hard to predict.
        shares = seen.shares.detach()
        if parts is not None:
            shares = parts.rings.parted(shares)
        given = torch.sigmoid(made.mask).detach()
        known = blend(samples, shares).float()
        share = given * _shown(known)
        if portrait.bare is not None:
            wall = shares[:, BACKGROUND, None]
            bared = wall * ((wall - portrait.wall - _BARED_FROM) / _BARED_STEP).clamp(0, 1)
            known = torch.addcmul(known, portrait.bare.float(), bared)
            share = share + bared * (1 - given * portrait.still[:, 3:])
        synthesis, rows, layers = self._synthesis(trunk, coarse + made.detail, shares[:, INNER, None], parts)
        frame = torch.lerp(synthesis, known[:, :3] + made.shading, share)
        if parts is not None:
            frame = parts.eyes.laid(frame, shares[:, INNER, None])
        return _Finished(frame, known[:, :3], synthesis, share, made.shading, seen, made.mask, rows, layers)

    def _synthesis(
        self, trunk: Trunk, synthesis: Tensor, inner: Tensor, parts: PartsInFrame | None
    ) -> tuple[Tensor, Rows | None, list[Layer] | None]:
        """With teeth, where there are any; and where they are predicted to lie, if that is asked for.

        Where the mouth is known, teeth lie where it has them; elsewhere where they are predicted to.
        """
        rows = layers = None
        if self.teeth is None:
            return synthesis, rows, layers
        if parts is None or self.training:
            rows = self.teeth(trunk.x, trunk.latent)
            layers = self.teeth.draw(rows, self.size)
        if parts is None:
            return laid(layers, synthesis, inner), rows, layers
        known = self.teeth.draw_at(parts.teeth, self.teeth.lit(trunk.latent))
        pixels = parts.rings.pixels(self.size)[:, 0]
        return inside(self.teeth, synthesis, inner, pixels, known), rows, layers

    def _refined(self, trunk: Trunk) -> tuple[Planes, Tensor, Tensor]:
        """At full size: planes, the mask's logits and the coarse synthesis, all made larger in one go."""
        fine = spread(self.fine.biased(trunk.x), self.refine)
        low = trunk.planes[-1]
        fields = torch.cat([low.face, low.inner, low.logits[:, 1:], trunk.masks[-1], trunk.coarse], dim=1)
        face, inner, apart, mask, coarse = sized(fields, self.size).split([2, 2, COUNT - 1, 1, 3], dim=1)
        logits = F.pad(apart + fine[:, 3:], (0, 0, 0, 0, 1, 0))
        face = torch.add(face, fine[:, :2], alpha=_FINE_STEP)
        return Planes(face, inner, logits), mask + fine[:, 2:3], coarse


def _shown(known: Tensor) -> Tensor | float:
    """Share of each pixel that the source's own planes can give, [B,1,S,S]; all where they are not told."""
    return known[:, 3:] if known.shape[1] > 3 else 1.0
