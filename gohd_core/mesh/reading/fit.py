"""Crop, head pose and own points of a face mesh: weighted Procrustes, and exact unprojection.

A face mesh gives pixels and a relative depth in pixels. The canonical face laid on it tells how large a model
unit is and how the head is turned; then each point is put on its pixel's ray at its depth, so that it
projects exactly where it was found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gohd_core.errors import BadInput
from gohd_core.face.geometry.camera import ALIGNED_SIZE, DISTANCE, FOCAL, Camera, rotation_angles
from gohd_core.mesh.contours import N_FACE, N_POINTS
from gohd_core.mesh.reading.canonical import canonical_face

_FRAME = 1.1 * ALIGNED_SIZE * DISTANCE / FOCAL
"""Side of a crop in model units: that at which the head lies at depth 0, and room for hair."""
_LIFT = 0.05
"""Height of the crop's middle above the head's origin, in sides."""


@dataclass(frozen=True)
class FaceFit:
    """Faces in square pictures.

    Attributes:
        pose: [B,6] rotation angles and translation in the picture's camera (`Camera.of_size`).
        points_in_head: [B,478,3] own points in head space, model units, at the canonical face's scale.
    """

    pose: Tensor
    points_in_head: Tensor


def procrustes(start: Tensor, end: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Similarities that map points [N,3] best onto points [B,N,3]: end ~ scale * start @ turn + shift.

    weights [N]. Returns scale [B,1,1], turn [B,3,3] (a proper rotation) and shift [B,1,3] (Umeyama 1991).
    """
    weights = (weights / weights.sum())[:, None]
    start_middle, end_middle = (weights * start).sum(0), (weights * end).sum(1, keepdim=True)
    a, b = start - start_middle, end - end_middle
    u, d, vt = torch.linalg.svd((a * weights).T @ b)  # [B,3,3]
    sign = torch.ones_like(d)
    sign[:, 2] = torch.linalg.det(u @ vt).sign()
    turn = (u * sign[:, None]) @ vt
    scale = ((d * sign).sum(-1) / (weights * a.square()).sum())[:, None, None]
    return scale, turn, end_middle - scale * (start_middle @ turn)[:, None]


def face_square(points: Tensor, most: float = math.inf) -> tuple[float, float, float]:
    """The square (left, top, side) around one mesh [478,3] that its head is drawn in; it may reach past the
    picture.

    Pixel centres are whole numbers; left and top are edges of pixels (0 is the picture's own edge). most: the
    largest side.
    """
    face = canonical_face()
    scale, _, shift = procrustes(face.points, _upright(points[None, :N_FACE]).cpu().double(), face.rigidity)
    side = min(_FRAME * scale.item(), most)
    across, down = shift[0, 0, 0].item() + 0.5, 0.5 - shift[0, 0, 1].item()
    return across - side / 2, down - (0.5 + _LIFT) * side, side


def face_box(points: Tensor, height: int, width: int) -> tuple[float, float, float]:
    """The same square moved into a picture, and no larger."""
    left, top, side = face_square(points, float(min(height, width)))
    return min(max(left, 0.0), width - side), min(max(top, 0.0), height - side), side


def into_box(points: Tensor, box: tuple[float, float, float], size: int) -> Tensor:
    """Mesh points [...,478,3] of a picture in pixels of its square `box` drawn at `size`."""
    left, top, side = box
    k = size / side
    corner = points.new_tensor([left, top])
    flat = (points[..., :2] + 0.5 - corner) * k - 0.5
    return torch.cat([flat, points[..., 2:] * k], -1)


def fit_face(points: Tensor, size: int) -> FaceFit:
    """Poses and own points from meshes [B,478,3] in pixels of square pictures of `size`.

    Points keep their pixels exactly: `Camera.of_size(size).pixels(transform(points_in_head, pose))`.

    Raises:
        BadInput: another shape, or values that are not finite.
    """
    camera, flat = Camera.of_size(size), centred_pixels(points, size)
    face = canonical_face()
    canonical, weights = (each.to(points.device) for each in (face.points, face.rigidity))
    scale = procrustes(canonical, flat[:, :N_FACE], weights)[0][:, 0]  # pixels a unit, [B,1]
    # That is the scale at the points' mean depth.
    mean = (weights * flat[:, :N_FACE, 2]).sum(1, keepdim=True)
    return pose_at_scale(points.double(), camera, scale, flat[..., 2] - mean, weights)


def centred_pixels(points: Tensor, size: int) -> Tensor:
    """Meshes [B,478,3] from the camera's axis, y up and z towards the viewer, in pixels (float64)."""
    if points.ndim != 3 or tuple(points.shape[1:]) != (N_POINTS, 3) or not torch.isfinite(points).all():
        raise BadInput(f"A face mesh is [B, {N_POINTS}, 3] finite pixels; got {list(points.shape)}.")
    column, row, depth = points.double().unbind(-1)
    centre = Camera.of_size(size).centre
    return torch.stack([column - centre, centre - 1 - row, -depth], -1)


def pose_at_scale(points: Tensor, camera: Camera, scale: Tensor, depth: Tensor, weights: Tensor) -> FaceFit:
    """Fits the canonical face to points [B,478,3] in space, their perspective undone.

    Args:
        scale: [B,1] pixels of a model unit where `depth` [B,478] (pixels) is 0.
        weights: [468] of the points.
    """
    z = camera.distance - camera.focal / scale + depth / scale
    rays = camera.rays(points[..., 0], points[..., 1])
    placed = torch.cat([rays[..., :2] * (camera.distance - z)[..., None], z[..., None]], -1)
    reference = canonical_face().points.to(points.device)
    _, turn, shift = procrustes(reference, placed[:, :N_FACE], weights)
    pose = torch.cat([rotation_angles(turn), shift[:, 0]], -1)
    return FaceFit(pose.float(), ((placed - shift) @ turn.mT).float())


def _upright(points: Tensor) -> Tensor:
    """Pixels, y down and away from the viewer -> y up and towards the viewer."""
    return points * points.new_tensor([1.0, -1.0, -1.0])
