"""The built-in decoder: layered flows at low resolution, refined, warp the full-resolution source.

Crisp by construction: visible pixels are sampled from the source once, at full size; only disoccluded pixels
are synthesised, and the shading that is added to sampled ones is low-passed, so that it can't blur them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gohd_core.animator.config import BACKGROUND, INNER, AnimatorConfig, level_sizes
from gohd_core.animator.geometry.face_parts import PartsInFrame
from gohd_core.animator.geometry.teeth import (
    Layer,
    Teeth,
    ToothRows,
    composite_mouth_interior,
    composite_over,
)
from gohd_core.animator.layered.head import LayeredHead
from gohd_core.animator.layered.motion_layers import N_LAYERS, MotionLayers
from gohd_core.animator.layered.trunk import LayeredTrunk, TrunkOutput
from gohd_core.animator.layers import Freezable, StyledConv, plain_conv
from gohd_core.animator.pyramid_decoder import Decoded
from gohd_core.kernels.pixel_blocks import pixel_shuffle
from gohd_core.kernels.policy import draws_in_passes
from gohd_core.kernels.resize import resize
from gohd_core.kernels.tree import unbatch
from gohd_core.kernels.warp import blend, warp_by_flow

_FINE_STEP = 0.05
"""Flow (half images) that a unit output of the last, fine step adds."""
_WEAK_MODULATION = 0.2
"""Factor on the initial weights of modulations, see `LayeredDecoder.soften`."""
_DISOCCLUDED_FROM = 0.25
"""Difference of the target's and the source's background masks from which the inpainted background begins to
replace the source; below, the source's own pixel keeps its edge."""
_DISOCCLUDED_STEP = 0.2
"""Further difference at which it replaces it wholly."""


@dataclass(frozen=True)
class _SourceMaps:
    """A source's maps as frames are finished from them.

    Attributes:
        features: [.,C,e,e] at `encoder_size`.
        moving: [.,2,4,S,S] the image for the face and the inner layer, each with that layer's confidence;
            [.,2,3,S,S] without confidences.
        still: [.,4,S,S] or [.,3,S,S] the same for the background.
        background_residual: [.,4,S,S] inpainted background minus `still`; None without confidences.
        background_mask: [.,1,S,S] the source's own, likewise.
    """

    features: Tensor
    moving: Tensor
    still: Tensor
    background_residual: Tensor | None
    background_mask: Tensor | None


@dataclass(frozen=True)
class _Composed:
    """A frame [B,3,S,S] and its components, see `Decoded`; `source_share` [B,1,S,S] is the warped source's
    weight."""

    frame: Tensor
    warped: Tensor
    synthesis: Tensor
    source_share: Tensor
    shading: Tensor
    layers: MotionLayers
    occlusion_logits: Tensor
    tooth_rows: ToothRows | None
    teeth: list[Layer] | None


class LayeredDecoder(nn.Module):
    """Latent, source features and source image -> frame."""

    cpu_side_by_side = True
    cpu_pass = 8
    """Frames per pass on the CPU: many small steps, which cost as much for one frame as for a few."""

    def __init__(self, config: AnimatorConfig) -> None:
        super().__init__()
        width = config.width(config.flow_size)
        self.size, self.head_size = config.size, config.encoder_size
        self.n_maps = len(level_sizes(config.encoder_size)) - 1
        self.refine = config.size // config.flow_size
        self.trunk = LayeredTrunk(config)
        self.fine = plain_conv(width, 5 * self.refine**2)
        self.head = LayeredHead(config, width)
        self.teeth = Teeth(config.identity_dim, width) if config.teeth else None
        self.soften()

    @torch.no_grad()
    def soften(self) -> None:
        """Weak modulation at first: flow is nearly linear in the motion, and ten layers of strong products
        would make it a polynomial of high degree, which fits a batch and nothing else."""
        for module in self.modules():
            if isinstance(module, StyledConv):
                module.modulation.weight.mul_(_WEAK_MODULATION)
        self.trunk.soften()

    def freeze(self, dtype: torch.dtype) -> None:
        """Keeps every constant kernel in `dtype`."""
        for module in self.modules():
            if isinstance(module, Freezable):
                module.freeze(dtype)

    def forward(
        self,
        latent: Tensor,
        features: tuple[Tensor, ...],
        parts: PartsInFrame | None = None,
        *,
        whole: bool = True,
    ) -> Decoded:
        """Frames from latents.

        Args:
            latent: [B,D] float32.
            features: source features at 8 ... encoder_size, then the image [.,3,S,S]; then, where known, the
                source's layer confidence [.,3,S,S] (`layer_confidence`): a layer is sampled only where the
                source shows it, so that an eyeball that turns out from under a lid is not; then the inpainted
                background with its mask [.,4,S,S] (`inpaint_background`), for disocclusions by a moving head.
            parts: lips, lids, eyes and teeth by geometry in these frames.
            whole: False stops at `flow_size` (flows, occlusion, layers, coarse synthesis): in the first part
                of a training that is all there is to learn, at half the cost.
        """
        trunk = self.trunk(latent, features[: self.n_maps])
        if not whole:
            return Decoded([], trunk.flows, trunk.occlusion_logits, trunk.layers, coarse=trunk.coarse)
        made = self._compose(trunk, self._source_maps(features), parts)
        return Decoded(
            [made.frame],
            [*trunk.flows, made.layers.flow()],
            [*trunk.occlusion_logits, made.occlusion_logits],
            [*trunk.layers, made.layers],
            trunk.coarse,
            made.warped,
            made.synthesis,
            made.source_share * made.shading,
            made.tooth_rows,
            None if made.teeth is None else torch.cat([layer.opacity for layer in made.teeth], dim=1),
        )

    def frames(
        self, latent: Tensor, features: tuple[Tensor, ...], parts: PartsInFrame | None = None
    ) -> Tensor:
        """The frames alone, [B,3,S,S]; on the CPU each is finished by itself: its maps stay in the caches."""
        trunk, source = self.trunk(latent, features[: self.n_maps]), self._source_maps(features)
        if not draws_in_passes(latent.device):
            return self._compose(trunk, source, parts).frame
        one_by_one = unbatch((trunk, source, parts), len(latent))
        return torch.cat([self._compose(*each).frame for each in one_by_one])

    def source_layer_masks(self, latent: Tensor, features: tuple[Tensor, ...]) -> Tensor:
        """Layer masks of the source itself, [B,3,S,S], from the latent that reconstructs it.

        Those of `flow_size`, enlarged: what follows is finer, but learnt with confidences given.
        """
        return self.trunk(latent, features[: self.n_maps]).layers[-1].resized(self.size).masks

    def lit_teeth(self, latent: Tensor, parts: PartsInFrame) -> list[Layer]:
        """Both rows of teeth in the mouth's window, from the latent [B,D] of a frame."""
        return self.teeth.draw_at(parts.teeth, self.teeth.lit(self.trunk.restyled(latent)))

    def _source_maps(self, features: tuple[Tensor, ...]) -> _SourceMaps:
        guide, image, *known = features[self.n_maps - 1 :]
        if not known:
            return _SourceMaps(guide, torch.stack([image, image], dim=1), image, None, None)
        confidence = known[0].split(1, dim=1)
        face, inner, still = (torch.cat([image, each], dim=1) for each in confidence)  # [.,4,S,S] each
        moving = torch.stack([face, inner], dim=1)  # [.,2,4,S,S]
        if len(known) == 1:
            return _SourceMaps(guide, moving, still, None, None)
        background, mask = known[1].split([3, 1], dim=1)
        return _SourceMaps(guide, moving, still, F.pad(background - image, (0, 0, 0, 0, 0, 1)), mask)

    def _compose(self, trunk: TrunkOutput, source: _SourceMaps, parts: PartsInFrame | None) -> _Composed:
        """The frame: refined flows warp the source, the head refines masks, warped source and synthesis mix.

        Notation (variable -> what it is, all [B,.,S,S]):
            layers, masks -> flow composition: which layer each pixel shows, and from where it is sampled
            samples -> the source image (and its confidence) warped by each layer's flow
            known -> samples blended by masks: the warped source, and how far it can be trusted
            occlusion_map -> sigmoid of the occlusion logits: share of the warped source that is right
            disocclusion -> where the head has left, so that the inpainted background shows
            frame = synthesis + source_share * (known + shading - synthesis)
        """
        layers, occlusion, coarse = self._refine(trunk)
        masks = layers.masks
        if parts is not None:
            layers = replace(layers, face=parts.refine_flow(layers.face))
            masks = parts.contours.refine_layer_masks(masks)
        # Both layers at once: PyTorch's threads share the pictures of a batch, not the rows of one.
        moving = source.moving.expand(len(masks), -1, -1, -1, -1).flatten(0, 1)  # [2B,4,S,S]
        # flows [B,2 layers,2,h,w] -> [2B,2,h,w]
        samples = warp_by_flow(moving, torch.stack([layers.face, layers.inner], dim=1).flatten(0, 1))
        samples = *samples.unflatten(0, (-1, 2)).unbind(1), source.still  # [B,4,S,S] each
        known = blend(samples, masks).float()
        guide = layers.resized(self.head_size).warp(source.features)
        args = trunk.features, trunk.style, guide, known[:, :3], occlusion, layers.logits, masks
        made = self.head(*args, _confidence(known))
        layers = MotionLayers(layers.face, layers.inner, made.layer_logits)
        # Detached: masks are to learn visibility, not to hide pixels that are hard to predict.
        masks = layers.masks.detach()
        if parts is not None:
            masks = parts.contours.refine_layer_masks(masks)
        occlusion_map = torch.sigmoid(made.occlusion_logits).detach()
        known = blend(samples, masks).float()
        source_share = occlusion_map * _confidence(known)
        if source.background_residual is not None:
            background = masks[:, BACKGROUND, None]
            ahead = background - source.background_mask - _DISOCCLUDED_FROM
            disocclusion = background * (ahead / _DISOCCLUDED_STEP).clamp(0, 1)
            known = torch.addcmul(known, source.background_residual.float(), disocclusion)
            source_share = source_share + disocclusion * (1 - occlusion_map * source.still[:, 3:])
        inner = masks[:, INNER, None]
        synthesis, rows, teeth = self._with_teeth(trunk, coarse + made.detail, inner, parts)
        frame = torch.lerp(synthesis, known[:, :3] + made.shading, source_share)
        if parts is not None:
            frame = parts.eyes.composite_over(frame, inner)
        return _Composed(
            frame,
            known[:, :3],
            synthesis,
            source_share,
            made.shading,
            layers,
            made.occlusion_logits,
            rows,
            teeth,
        )

    def _with_teeth(
        self, trunk: TrunkOutput, synthesis: Tensor, inner: Tensor, parts: PartsInFrame | None
    ) -> tuple[Tensor, ToothRows | None, list[Layer] | None]:
        """A synthesis with teeth, where there are any; and the rows as predicted, if that is asked for.

        Where geometry knows the mouth, teeth lie where it has them; elsewhere where they are predicted to.
        """
        rows = layers = None
        if self.teeth is None:
            return synthesis, rows, layers
        if parts is None or self.training:
            rows = self.teeth(trunk.features, trunk.style)
            layers = self.teeth.draw(rows, self.size)
        if parts is None:
            return composite_over(layers, synthesis, inner), rows, layers
        known = self.teeth.draw_at(parts.teeth, self.teeth.lit(trunk.style))
        mouth = parts.contours.window[0]
        return composite_mouth_interior(self.teeth, synthesis, inner, mouth, known), rows, layers

    def _refine(self, trunk: TrunkOutput) -> tuple[MotionLayers, Tensor, Tensor]:
        """At full size: layers, occlusion logits and the coarse synthesis, all enlarged in one go."""
        fine = pixel_shuffle(self.fine.biased(trunk.features), self.refine)  # [B,5,S,S]
        low = trunk.layers[-1]
        fields = [low.face, low.inner, low.logits[:, 1:], trunk.occlusion_logits[-1], trunk.coarse]
        enlarged = resize(torch.cat(fields, dim=1), self.size)
        face, inner, others, occlusion, coarse = enlarged.split([2, 2, N_LAYERS - 1, 1, 3], dim=1)
        logits = F.pad(others + fine[:, 3:], (0, 0, 0, 0, 1, 0))  # the face's logit is 0
        face = torch.add(face, fine[:, :2], alpha=_FINE_STEP)
        return MotionLayers(face, inner, logits), occlusion + fine[:, 2:3], coarse


def _confidence(known: Tensor) -> Tensor | float:
    """Fourth channel of the blended samples, [B,1,S,S]: how far they can be trusted; 1 where not known."""
    return known[:, 3:] if known.shape[1] > 3 else 1.0
