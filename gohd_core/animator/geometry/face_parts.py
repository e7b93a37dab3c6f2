"""Face parts that are drawn by geometry: skin, lips, lids, eyeballs and teeth, read off a portrait once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gohd_core.animator.geometry.contour_warp import ProjectedContours, project_contours
from gohd_core.animator.geometry.contours import EDGE, FaceContours, SourceShape
from gohd_core.animator.geometry.eyes import Eyeballs, EyesInFrame, eyes_in_frame
from gohd_core.animator.geometry.face_mesh import FrontalMesh, MeshFlow, mesh_flow
from gohd_core.animator.geometry.tooth_rays import tooth_places
from gohd_core.kernels.tree import tree_map


@dataclass(frozen=True)
class FaceParts:
    """A portrait's parts.

    Attributes:
        shape: places of lips, lids and skin.
        eyeballs: place and textures of the eyes.
        trust: [B] 1 where they agree with the portrait, 0 where they do not and must not be drawn.
    """

    shape: SourceShape
    eyeballs: Eyeballs
    trust: Tensor


@dataclass(frozen=True)
class PartsInFrame:
    """Face parts in frames; `teeth` [B,2,w,w,2] are coordinates on both rows in the mouth's window."""

    mesh: MeshFlow
    contours: ProjectedContours
    eyes: EyesInFrame
    teeth: Tensor

    def refine_flow(self, flow: Tensor) -> Tensor:
        """The face's flow [B,2,S,S] with that of skin, lips and lids."""
        return self.contours.refine_flow(self.mesh.refine_flow(flow))


def source_contours(model: FaceContours, shape: SourceShape, size: int) -> ProjectedContours:
    """A portrait's contours in itself."""
    source = model(shape.neutral, shape.lashes, shape.descriptor, size)
    return project_contours(source, source, torch.ones_like(source[:, 0, 0, 0, 0]), size)


def parts_in_frame(
    contours: FaceContours, mesh: FrontalMesh, parts: FaceParts, descriptor: Tensor, size: int
) -> PartsInFrame:
    """Parts in frames with descriptors [B,72], of one portrait or of as many."""
    shape, trust = parts.shape, parts.trust
    # Frames and the portrait in one go.
    both, counts = torch.cat([descriptor, shape.descriptor]), [len(descriptor), len(shape.descriptor)]
    heads = tree_map(shape, lambda each: each if len(each) == 1 else torch.cat([each, each]))
    points = mesh(heads.mesh, both, size).split(counts)
    skin = mesh_flow(*points, shape.skin * trust[:, None, None], size)
    placed = contours(heads.neutral, heads.lashes, both, size).split(counts)
    edges = project_contours(*placed, trust, size)
    eyes = eyes_in_frame(parts.eyeballs, descriptor, trust, size)
    mouth = edges.window[0]
    teeth = tooth_places(shape.neutral[:, 0, EDGE - 1], descriptor, mouth.column, mouth.row, size)
    return PartsInFrame(skin, edges, eyes, teeth)


def agreement(contours: ProjectedContours, inner: Tensor) -> Tensor:
    """Intersection over union of lid openings and the inner layer's mask [B,1,S,S] around the eyes, [B].

    Near 0 where a picture shows no eyes, or eyes unlike those of stylised heads, such as a photograph's.
    """
    drawn = (contours.opening * contours.weight)[:, 1:].flatten(1)  # [B,2*w*w]
    shown = contours.window[1:].read(inner.float())[:, 0]
    both, either = torch.minimum(drawn, shown), torch.maximum(drawn, shown)
    return both.sum(1) / either.sum(1).clamp_min(1)
