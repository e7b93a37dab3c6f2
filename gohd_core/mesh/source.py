"""A portrait made ready for drawing: its shape, layers, and what mouth and eyes need."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from gohd_core.constants import N_DESCRIPTOR
from gohd_core.face.geometry.camera import Camera
from gohd_core.mesh.contours import N_POINTS
from gohd_core.mesh.encoding.far_side import FarSide
from gohd_core.mesh.encoding.matte import Layers, split
from gohd_core.mesh.encoding.own_face import OwnFace
from gohd_core.mesh.encoding.seam import FOLLOW, seam_offset
from gohd_core.mesh.eyes.eye_outline import with_lower_lids
from gohd_core.mesh.eyes.eyes import Eyes
from gohd_core.mesh.frame import EDGE, LIPS
from gohd_core.mesh.geometry.head import HeadWarp, head_warp
from gohd_core.mesh.geometry.head_maps import GRID
from gohd_core.mesh.geometry.shape import FaceShape, face_shape
from gohd_core.mesh.geometry.warping import Cells
from gohd_core.mesh.mouth.mouth import Mouth
from gohd_core.mesh.picture.photometry import as_array
from gohd_core.mesh.reading.columns import DRAWN
from gohd_core.mesh.reading.fit import fit_face
from gohd_core.mesh.reading.gaze import eyes_in_head, from_head, into_head
from gohd_core.mesh.sampling import doubled, extend_sides


@dataclass(frozen=True)
class MeshSource:
    """One portrait.

    Attributes:
        own: [1,72] its own motion in the network's order.
        shape: its geometry.
        warp: how its head's pixels move.
        texture: [2n-1,2n-1,4] the person's premultiplied colours in [-1, 1] and matte, grown beyond the
            picture's sides to n pixels (`sampling.extend_sides`, `sampling.doubled`).
        background: [1,3,S,S] what is behind; None where all is the person.
        fringe: [1,3,S,S] what the picture shows beyond these around a person who has not moved.
        mouth, eyes: what lies between lips and lids.
        face: what those were made from.
        reference: [1,72] the motion that shows the portrait as it is; `own` unless it was read otherwise.
        cells: which of the layers parts of the picture hold.
        contours: [1,3,7,48,2] of lips and lids in the picture's pixels.
        far_side: the far cheek of a turned face; None of others.
    """

    own: Tensor
    shape: FaceShape
    warp: HeadWarp
    texture: Tensor
    background: Tensor | None
    fringe: Tensor
    mouth: Mouth
    eyes: Eyes
    face: OwnFace
    reference: Tensor
    cells: Cells
    contours: Tensor
    far_side: FarSide | None

    def counted_from(self, reference: Tensor) -> MeshSource:
        """A copy for motion that is relative to another descriptor [1,72] of the portrait."""
        return replace(self, reference=reference)

    @cached_property
    def gaze_in_head(self) -> Tensor:
        """[1,2] own gaze relative to the head, radians."""
        return into_head(self.own[:, 64:70], self.own[:, 70:])

    @property
    def identity_code(self) -> Tensor:
        """One row: one portrait."""
        return self.own

    @property
    def size(self) -> int:
        """Side of its frames."""
        return self.warp.size


def mesh_source(
    image: Tensor, mesh: Tensor, mask: Tensor | None, held: Sequence[bool] = (True, True, True, True)
) -> MeshSource:
    """Prepares a portrait.

    Args:
        image: [1,3,S,S] in [-1, 1].
        mesh: [478,3] its face mesh in pixels of that picture.
        mask: [1,1,S,S] person mask in 0..1, or None.
        held: sides (left, top, right, bottom) that must stay as they are, inside a larger picture.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="gohd-layers") as beside:
        # What needs the picture alone is made beside what needs the face.
        layering = beside.submit(torch.no_grad()(_layers), image, mask)
        face, shape = _own_face(image, mesh)
        mouth, eyes = Mouth.of(face), Eyes.of(face)
        layers, texture = layering.result()
    own, size = face.descriptor, image.shape[-1]
    alpha = None if bool((layers.alpha == 1).all()) else layers.alpha
    warp = head_warp(shape, own, face.points_in_head, size, alpha=alpha, held=held)
    return MeshSource(
        own,
        shape,
        warp,
        texture,
        None if alpha is None else layers.background,
        layers.fringe,
        mouth,
        eyes,
        face,
        own,
        Cells.of(alpha, layers.fringe, GRID),
        shape.contours_in(own, size),
        FarSide.of(face, warp),
    )


def _layers(image: Tensor, mask: Tensor | None) -> tuple[Layers, Tensor]:
    """A picture's layers, and the person's texture."""
    layers = split(image, mask)
    return layers, doubled(extend_sides(torch.cat([layers.person, layers.alpha], 1)))


def _own_face(image: Tensor, mesh: Tensor) -> tuple[OwnFace, FaceShape]:
    """The face of a picture, and its geometry."""
    size = image.shape[-1]
    mesh = _laid_on(image, mesh.to(image.device, torch.float32))
    fitted = fit_face(mesh[None], size)
    points = fitted.points_in_head[0]
    shape = face_shape(points).to(image.device)
    gaze = eyes_in_head(points[None])
    own = image.new_zeros(1, N_DESCRIPTOR)
    own[:, list(DRAWN)] = shape.own
    own[:, 64:70] = fitted.pose
    own[:, 70:] = from_head(fitted.pose, gaze.mean(1))
    unit = Camera.of_size(size).focal / (Camera.of_size(size).distance - own[0, 69].item())
    if not shape.jaw:
        shape = _with_seam(shape, image, own, unit)
    contours = shape.contours + torch.einsum("m,mprkc->prkc", shape.own, shape.directions)
    face = OwnFace(
        image, mesh[:, :2], points, contours, shape.contours, own, gaze[0], shape.gap, shape.jaw, unit
    )
    return face, shape


def _laid_on(image: Tensor, mesh: Tensor) -> Tensor:
    """A mesh [478,3] whose lower lids lie where the picture [1,3,S,S] has them."""
    if len(mesh) != N_POINTS or not torch.isfinite(mesh).all():
        return mesh  # `fit_face` tells what is wrong
    flat = with_lower_lids(as_array(image), mesh[:, :2].double().cpu().numpy())
    return torch.cat([torch.from_numpy(flat).to(mesh), mesh[:, 2:]], 1)


def _with_seam(shape: FaceShape, image: Tensor, own: Tensor, unit: float) -> FaceShape:
    """A shut mouth's shape with the lips' inner contours on the line between them."""
    edge = shape.contours_in(own, image.shape[-1])[0, LIPS, EDGE]
    offset = seam_offset(image, edge, unit)
    contours = shape.contours.clone()
    for contour, share in enumerate(FOLLOW):
        contours[LIPS, contour, :, 1] += share * offset
    return replace(shape, contours=contours)
