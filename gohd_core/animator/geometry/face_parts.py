"""What is read off a portrait once and drawn by geometry: skin, lips, lids, eyeballs and teeth."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gohd_core.animator.geometry.contour_warp import RingsInFrame, rings_in_frame
from gohd_core.animator.geometry.contours import EDGE, FaceRings, OwnShape
from gohd_core.animator.geometry.eyes import Eyeballs, EyesInFrame, eyes_in_frame
from gohd_core.animator.geometry.face_mesh import FaceSheet, SheetInFrame, sheet_in_frame
from gohd_core.animator.geometry.tooth_rays import tooth_places
from gohd_core.kernels.tree import tree_map


@dataclass(frozen=True)
class FaceParts:
    """A portrait's parts.

    Attributes:
        shape: where its lips, lids and skin are.
        eyeballs: what its eyes look like.
        trust: [B] 1 where they are what the portrait shows, 0 where they are not and must not be drawn.
    """

    shape: OwnShape
    eyeballs: Eyeballs
    trust: Tensor


@dataclass(frozen=True)
class PartsInFrame:
    """Those parts in frames; `teeth` [B,2,w,w,2] are places on both rows, in the mouth's window."""

    sheet: SheetInFrame
    rings: RingsInFrame
    eyes: EyesInFrame
    teeth: Tensor

    def moved(self, flow: Tensor) -> Tensor:
        """A flow of the face [B,2,S,S] with that of skin, lips and lids."""
        return self.rings.moved(self.sheet.moved(flow))


def own_in_frame(model: FaceRings, shape: OwnShape, size: int) -> RingsInFrame:
    """A portrait's rings as it shows them itself."""
    own = model(shape.neutral, shape.lashes, shape.descriptor, size)
    return rings_in_frame(own, own, torch.ones_like(own[:, 0, 0, 0, 0]), size)


def parts_in_frame(
    rings: FaceRings, sheet: FaceSheet, parts: FaceParts, descriptor: Tensor, size: int
) -> PartsInFrame:
    """Parts in frames with descriptors [B,72], of one portrait or of as many."""
    shape, trust = parts.shape, parts.trust
    # Frames and the portrait in one go.
    both, counts = torch.cat([descriptor, shape.descriptor]), [len(descriptor), len(shape.descriptor)]
    heads = tree_map(shape, lambda each: each if len(each) == 1 else torch.cat([each, each]))
    points = sheet(heads.sheet, both, size).split(counts)
    skin = sheet_in_frame(*points, shape.skin * trust[:, None, None], size)
    placed = rings(heads.neutral, heads.lashes, both, size).split(counts)
    edges = rings_in_frame(*placed, trust, size)
    eyes = eyes_in_frame(parts.eyeballs, descriptor, trust, size)
    window = edges.column[:, 0], edges.row[:, 0]
    teeth = tooth_places(shape.neutral[:, 0, EDGE - 1], descriptor, *window, size)
    return PartsInFrame(skin, edges, eyes, teeth)


def agreement(rings: RingsInFrame, inner: Tensor) -> Tensor:
    """How far eyes lie where a portrait shows what is behind lids [B,S,S]: both over either, [B].

    Nothing where a picture shows no eyes, or eyes that are no such ones, as a photograph's.
    """
    drawn = (rings.opening * rings.weight)[:, 1:].flatten(1)
    shown = inner.float().flatten(1).gather(1, rings.pixels(inner.shape[-1])[:, 1:].flatten(1))
    both, either = torch.minimum(drawn, shown), torch.maximum(drawn, shown)
    return both.sum(1) / either.sum(1).clamp_min(1)
