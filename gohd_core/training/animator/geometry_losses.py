"""Losses of face parts that are drawn by geometry: contours, eyeballs, teeth; also trained by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.animator.config import INNER
from gohd_core.animator.geometry.contours import SourceShape
from gohd_core.animator.geometry.face_parts import FaceParts, PartsInFrame
from gohd_core.animator.geometry.teeth import Layer, composite_over
from gohd_core.animator.geometry.window import sample_pixels
from gohd_core.errors import BadInput
from gohd_core.face.geometry.camera import Camera
from gohd_core.training.animator.ground_truth import true_confidence
from gohd_core.training.framework.config import is_on
from gohd_core.training.framework.task import Batch, Terms
from gohd_core.training.losses import animator as loss

if TYPE_CHECKING:
    from gohd_core.animator.geometry.eyes import EyesInFrame
    from gohd_core.animator.geometry.face_mesh import FrontalMesh
    from gohd_core.animator.geometry.shape_encoder import ShapeEncoder
    from gohd_core.animator.layered.decoder import LayeredDecoder
    from gohd_core.animator.network import AnimatorNetwork
    from gohd_core.training.animator.config import AnimatorLosses

_TRAINABLE = {"eyes": "eyes", "shape": "shape", "teeth": "decoder.teeth"}
"""Parts of the animator that can learn by themselves."""
_PLACE_WEIGHTS = (5.0, 5.0, 1.0)  # across, up, depth
"""Weights of an eyeball's place, model units, beside its colours; a picture hardly shows its depth."""
_IN_HEAD = 0.3
"""Weight of contours' places in the head (as pixels), beside their places in the portrait."""
_LASHES = 2.0
"""Weight of the length of lashes, likewise."""
_NEAR = 0.25
"""Pixels below which an error of a ring turns from a line into a parabola."""


def parameters_of(net: AnimatorNetwork, only: str) -> list[Tensor]:
    """Parameters of the part of a network that alone learns."""
    parts = dict(net.named_modules())
    if _TRAINABLE.get(only) not in parts:
        raise BadInput(f"only={only}: of this config's network these learn alone: {', '.join(_TRAINABLE)}.")
    return list(parts[_TRAINABLE[only]].parameters())


def target_parts(net: AnimatorNetwork, batch: Batch, source: Tensor) -> PartsInFrame | None:
    """The targets' parts: true shapes, and eyes encoded from the sources with a gaze that is a little off."""
    if "own_read" not in batch:
        return None
    inner = true_confidence(batch["source_planes"])[:, INNER, None]
    eyeballs = net.eyes(source, inner, batch["own_read"])
    trust = torch.ones_like(batch["lashes"][:, 0])
    return net.in_frame(
        FaceParts(true_shape(batch, net.shape.mesh), eyeballs, trust), _target_descriptor(batch)
    )


def add_parts(
    terms: Terms,
    weights: AnimatorLosses,
    batch: Batch,
    net: AnimatorNetwork,
    parts: PartsInFrame,
    source: Tensor,
    target: Tensor,
) -> None:
    """Adds the losses of eyes and shape encoder to a training of the whole animator."""
    add_eyeballs(terms, weights, batch, parts.eyes, target)
    if is_on(weights.shape):
        add_shape(
            terms, weights, batch, net.shape, net.shape.refinement_steps(source.float(), batch["own_guess"])
        )


def add_part(
    terms: Terms,
    weights: AnimatorLosses,
    only: str,
    batch: Batch,
    net: AnimatorNetwork,
    source: Tensor,
    target: Tensor,
) -> None:
    """Adds the losses of one part trained by itself, without running the decoder, which costs most."""
    if only == "shape":
        add_shape(
            terms, weights, batch, net.shape, net.shape.refinement_steps(source.float(), batch["own_guess"])
        )
    elif only == "eyes":
        add_eyeballs(terms, weights, batch, target_parts(net, batch, source).eyes, target)
    else:
        with torch.no_grad():
            encoded = replace(net.encode(source), descriptor=batch["own"])
            latent = net.latent(encoded, net.motion(encoded, batch["window"]))
            parts = target_parts(net, batch, source)
        add_teeth(terms, weights, batch, net.decoder, latent, parts, target)


def add_eyeballs(
    terms: Terms, weights: AnimatorLosses, batch: Batch, eyes: EyesInFrame, target: Tensor
) -> None:
    """Adds the eyes' losses: of their place, and of their colours where the target shows them."""
    seen = batch["eyeballs"]
    drawn = eyes.composite_over(target, seen)
    gaps = (eyes.place - batch["eye_place"]).abs().mean(0)
    place = (gaps * gaps.new_tensor(_PLACE_WEIGHTS)).sum()
    colours = loss.visible_difference(target, drawn, seen, torch.ones_like(seen))
    terms.add("eyeballs", weights.eyeballs, colours + place)
    terms.watch("eye_place", place)


def add_teeth(
    terms: Terms,
    weights: AnimatorLosses,
    batch: Batch,
    decoder: LayeredDecoder,
    latent: Tensor,
    parts: PartsInFrame,
    target: Tensor,
) -> None:
    """Adds the loss of teeth and the cavity behind them inside the targets' mouths."""
    mouth = parts.contours.window[0]
    wanted, shown = mouth.read(target), mouth.read(batch["mouth"])
    rows = [
        Layer(layer.colour.flatten(2), layer.opacity.flatten(2)) for layer in decoder.lit_teeth(latent, parts)
    ]
    cavity = decoder.teeth.cavity[:, None].expand_as(wanted)
    drawn = composite_over(rows, cavity, torch.ones_like(shown))
    error = (drawn - wanted).abs().mean(1, keepdim=True)
    terms.add("teeth", weights.teeth, (error * shown).sum() / shown.sum().clamp_min(1))


def true_shape(batch: Batch, mesh: FrontalMesh) -> SourceShape:
    """The ground truth of the shape encoder."""
    image = batch["skin"]
    size = image.shape[-1]
    places = mesh(batch["mesh"], batch["own"], size)[:, :2].permute(0, 2, 3, 1)
    skin = sample_pixels(image, places, "nearest")[:, 0]
    return SourceShape(batch["contours"], batch["lashes"], batch["mesh"], skin, batch["own"])


def add_shape(
    terms: Terms, weights: AnimatorLosses, batch: Batch, encoder: ShapeEncoder, steps: Sequence[SourceShape]
) -> None:
    """Adds the losses of every refinement step's contours, in pixels, and of the skin classifier."""
    truth, size = true_shape(batch, encoder.mesh), batch["skin"].shape[-1]
    contours = encoder.contours(truth.neutral, truth.lashes, truth.descriptor, size)
    unit = Camera.of_size(size).focal / Camera.distance
    total = 0.0
    for found in steps:
        shown = _distance(encoder.contours(found.neutral, found.lashes, found.descriptor, size) - contours)
        in_head = _distance((found.neutral - truth.neutral) * unit)
        lashes = (found.lashes - truth.lashes).abs().mean()
        total = total + shown + _IN_HEAD * in_head + _LASHES * lashes
    skin = F.binary_cross_entropy(steps[-1].skin.clamp(1e-5, 1 - 1e-5), truth.skin)
    terms.add("shape", weights.shape, total / len(steps) + skin)
    terms.watch("contours_pixels", shown)
    terms.watch("contours_in_head", in_head)
    terms.watch("skin", skin)


def _distance(gap: Tensor) -> Tensor:
    """Mean length of gaps [...,2 or 3], with a parabola at the bottom."""
    return ((gap.square().sum(-1) + _NEAR**2).sqrt() - _NEAR).mean()


def _target_descriptor(batch: Batch) -> Tensor:
    """The targets' descriptors [B,72]."""
    window = batch["window"]
    return window[:, :, window.shape[2] // 2]
