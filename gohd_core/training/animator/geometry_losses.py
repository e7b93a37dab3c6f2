"""What parts that are drawn by geometry learn: shape of the face, eyeballs, teeth; also by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.animator.config import INNER
from gohd_core.animator.geometry.contours import OwnShape
from gohd_core.animator.geometry.face_parts import FaceParts, PartsInFrame
from gohd_core.animator.geometry.teeth import Layer, laid
from gohd_core.errors import BadInput
from gohd_core.face.camera import Camera
from gohd_core.training.animator.ground_truth import own_planes
from gohd_core.training.framework.config import is_on
from gohd_core.training.framework.task import Batch, Terms
from gohd_core.training.losses import animator as loss

if TYPE_CHECKING:
    from gohd_core.animator.geometry.eyes import EyesInFrame
    from gohd_core.animator.geometry.face_mesh import FaceSheet
    from gohd_core.animator.geometry.shape_encoder import ShapeReader
    from gohd_core.animator.layered.decoder import CompositeDecoder
    from gohd_core.animator.network import AnimatorNetwork
    from gohd_core.training.animator.config import AnimatorLosses

_ALONE = {"eyes": "eyes", "shape": "shape", "teeth": "decoder.teeth"}
"""Parts of the animator that can learn by themselves."""
_PLACE_WEIGHTS = (5.0, 5.0, 1.0)
"""Of an eyeball's place in the head, model units, beside its colours; a picture hardly shows its depth."""
_IN_HEAD, _LASHES = 0.3, 2.0
"""Of what rings owe to the truth beside their places in the portrait: places in the head (pixels that they
would be there), and length of lashes."""
_NEAR = 0.25
"""Pixels below which an error of a ring turns from a line into a parabola."""


def alone(net: AnimatorNetwork, only: str) -> list[Tensor]:
    """Parameters of the part of a network that alone learns."""
    parts = dict(net.named_modules())
    if _ALONE.get(only) not in parts:
        raise BadInput(f"only={only}: of this config's network these learn alone: {', '.join(_ALONE)}.")
    return list(parts[_ALONE[only]].parameters())


def parts_of(net: AnimatorNetwork, batch: Batch, source: Tensor) -> PartsInFrame | None:
    """The targets' parts: true shapes, and eyes read off the sources by a gaze that is a little off."""
    if "own_read" not in batch:
        return None
    inner = own_planes(batch["source_planes"])[:, INNER, None]
    eyeballs = net.eyes(source, inner, batch["own_read"])
    trust = torch.ones_like(batch["lashes"][:, 0])
    return net.in_frame(FaceParts(true_shape(batch, net.shape.sheet), eyeballs, trust), _told(batch))


def add_parts(
    terms: Terms,
    weights: AnimatorLosses,
    batch: Batch,
    net: AnimatorNetwork,
    parts: PartsInFrame,
    source: Tensor,
    target: Tensor,
) -> None:
    """Adds what eyes and the reader of shapes owe, while all of the animator learns."""
    add_eyeballs(terms, weights, batch, parts.eyes, target)
    if is_on(weights.shape):
        add_shape(terms, weights, batch, net.shape, net.shape.looks(source.float(), batch["own_guess"]))


def add_alone(
    terms: Terms,
    weights: AnimatorLosses,
    only: str,
    batch: Batch,
    net: AnimatorNetwork,
    source: Tensor,
    target: Tensor,
) -> None:
    """Adds what one part learns by itself: the decoder, which costs most, is not run."""
    if only == "shape":
        add_shape(terms, weights, batch, net.shape, net.shape.looks(source.float(), batch["own_guess"]))
    elif only == "eyes":
        add_eyeballs(terms, weights, batch, parts_of(net, batch, source).eyes, target)
    else:
        with torch.no_grad():
            encoded = replace(net.encode(source), descriptor=batch["own"])
            latent = net.latent(encoded, net.motion(encoded, batch["window"]))
            parts = parts_of(net, batch, source)
        add_teeth(terms, weights, batch, net.decoder, latent, parts, target)


def add_eyeballs(
    terms: Terms, weights: AnimatorLosses, batch: Batch, eyes: EyesInFrame, target: Tensor
) -> None:
    """Adds what the eyes owe to the truth: their place, and colours where the target shows them."""
    seen = batch["eyeballs"]
    drawn = eyes.laid(target, seen)
    gaps = (eyes.place - batch["eye_place"]).abs().mean(0)
    place = (gaps * gaps.new_tensor(_PLACE_WEIGHTS)).sum()
    colours = loss.visible_difference(target, drawn, seen, torch.ones_like(seen))
    terms.add("eyeballs", weights.eyeballs, colours + place)
    terms.watch("eye_place", place)


def add_teeth(
    terms: Terms,
    weights: AnimatorLosses,
    batch: Batch,
    decoder: CompositeDecoder,
    latent: Tensor,
    parts: PartsInFrame,
    target: Tensor,
) -> None:
    """Adds what rows of teeth and the cavity behind them owe to the inside of the targets' mouths."""
    size = target.shape[-1]
    at = parts.rings.pixels(size)[:, 0].flatten(1)[:, None]
    wanted = target.flatten(2).gather(2, at.expand(-1, 3, -1))
    shown = batch["mouth"].flatten(2).gather(2, at)
    rows = [
        Layer(layer.colour.flatten(2), layer.opacity.flatten(2)) for layer in decoder.lit_teeth(latent, parts)
    ]
    cavity = decoder.teeth.cavity[:, None].expand_as(wanted)
    drawn = laid(rows, cavity, torch.ones_like(shown))
    error = (drawn - wanted).abs().mean(1, keepdim=True)
    terms.add("teeth", weights.teeth, (error * shown).sum() / shown.sum().clamp_min(1))


def true_shape(batch: Batch, sheet: FaceSheet) -> OwnShape:
    """What a reader of shapes would read if it made no mistake."""
    image = batch["skin"]
    size = image.shape[-1]
    places = sheet(batch["sheet"], batch["own"], size)[:, :2].permute(0, 2, 3, 1)
    skin = F.grid_sample(image, (places * 2 + 1) / size - 1, "nearest", "border", align_corners=False)[:, 0]
    return OwnShape(batch["rings"], batch["lashes"], batch["sheet"], skin, batch["own"])


def add_shape(
    terms: Terms, weights: AnimatorLosses, batch: Batch, reader: ShapeReader, looks: Sequence[OwnShape]
) -> None:
    """Adds what the shapes of every look owe to the truth, by how much rings are off in pixels, and skin."""
    truth, size = true_shape(batch, reader.sheet), batch["skin"].shape[-1]
    rings = reader.rings(truth.neutral, truth.lashes, truth.descriptor, size)
    unit = Camera.of_size(size).focal / Camera.distance
    total = 0.0
    for found in looks:
        shown = _distance(reader.rings(found.neutral, found.lashes, found.descriptor, size) - rings)
        in_head = _distance((found.neutral - truth.neutral) * unit)
        lashes = (found.lashes - truth.lashes).abs().mean()
        total = total + shown + _IN_HEAD * in_head + _LASHES * lashes
    skin = F.binary_cross_entropy(looks[-1].skin.clamp(1e-5, 1 - 1e-5), truth.skin)
    terms.add("shape", weights.shape, total / len(looks) + skin)
    terms.watch("rings_pixels", shown)
    terms.watch("rings_in_head", in_head)
    terms.watch("skin", skin)


def _distance(gap: Tensor) -> Tensor:
    """Mean length of gaps [...,2 or 3], with a parabola at the bottom."""
    return ((gap.square().sum(-1) + _NEAR**2).sqrt() - _NEAR).mean()


def _told(batch: Batch) -> Tensor:
    """The targets' descriptors [B,72]."""
    window = batch["window"]
    return window[:, :, window.shape[2] // 2]
