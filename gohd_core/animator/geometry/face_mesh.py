"""Dense flow of the face's skin from the morphable face (3DMM), in any pose and for any expression.

The flow of a turning head depends on depth, which a network estimates to a pixel or two; the mean face,
shaped by the contours, is more exact. Mesh points are splatted into a coarse grid where the frame has
them, each with the shift to its place in the source, and gaps are inpainted.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.animator.geometry.linear_shape import MOVING, FacePoints
from gohd_core.animator.geometry.push_pull import erode, push_pull_inpaint
from gohd_core.constants import N_EXPRESSION, N_POSE
from gohd_core.face.geometry.camera import Camera, transform
from gohd_core.kernels.resize import resize

ROWS, COLUMNS = 24, 24
"""Points of the mesh, down and across."""
_DENSE = 4
"""Points that are interpolated from one of the mesh to the next."""
_CELLS = 64
"""Side of the grid that points are splatted into."""
_FACING = 0.35
"""Cosine between skin and viewing direction from which its flow counts wholly."""
_BEHIND = 0.06
"""Depth behind the foremost point of a cell within which others still count, model units."""
_EDGE = 3
"""Side in cells of the square that must be skin around a cell whose flow is the mesh's."""


class FrontalMesh(FacePoints):
    """A head's mesh and a descriptor -> its points in the picture, [B,3,24,24]: x right, y down, depth."""

    def __init__(self) -> None:
        super().__init__(ROWS, COLUMNS)

    def forward(self, neutral: Tensor, descriptor: Tensor, size: int) -> Tensor:
        """neutral [1 or B,24,24,3], descriptor [B,72] in the network's order."""
        points = self.deform(neutral, descriptor[:, list(MOVING)]).flatten(1, 2)  # [B,24*24,3]
        placed = transform(points, descriptor[:, N_EXPRESSION : N_EXPRESSION + N_POSE])
        points = torch.cat([Camera.of_size(size).pixels(placed), placed[..., 2:]], -1)
        return points.mT.unflatten(2, (ROWS, COLUMNS))  # [B,N,3] -> [B,3,24,24]


@dataclass(frozen=True)
class MeshFlow:
    """Flow of the skin in frames.

    Attributes:
        flow: [B,2,S,S] backward, in half images.
        weight: [B,1,S,S] how far it is known there, 0..1.
    """

    flow: Tensor
    weight: Tensor

    def refine_flow(self, flow: Tensor) -> Tensor:
        """The face's flow [B,2,S,S] with that of the skin, where it is known."""
        return torch.lerp(flow, self.flow.to(flow.dtype), self.weight.to(flow.dtype))


def mesh_flow(target: Tensor, source: Tensor, skin: Tensor, size: int) -> MeshFlow:
    """Dense flow from the mesh in frames to the mesh in the source.

    Args:
        target: [B,3,24,24] the mesh in the frames (`FrontalMesh`), in pixels of `size`.
        source: [1 or B,3,24,24] the same in the source.
        skin: [1 or B,24,24] how far the source shows skin at each point, 0..1.
        size: side S of the frames.
    """
    count = len(target)
    carried = [
        target,
        (source - target)[:, :2],
        skin[:, None].expand(count, -1, -1, -1),
        _facing(target, size),
    ]
    sides = ((ROWS - 1) * _DENSE + 1, (COLUMNS - 1) * _DENSE + 1)
    dense = F.interpolate(torch.cat(carried, 1), size=sides, mode="bilinear", align_corners=True)
    place, shift, skin, facing = dense.flatten(2).split((3, 2, 1, 1), dim=1)  # [B,.,N] each
    cell = ((place[:, :2] + 0.5) * (_CELLS / size)).floor().long()
    inside = ((cell >= 0) & (cell < _CELLS)).all(1, keepdim=True) & (facing > 0)
    at = (cell[:, 1:] * _CELLS + cell[:, :1]).clamp(0, _CELLS**2 - 1)
    depth = torch.where(inside, place[:, 2:], -torch.inf)
    front = depth.new_full((count, 1, _CELLS**2), -torch.inf).scatter_reduce(2, at, depth, "amax")
    weight = facing * (inside & (depth > front.gather(2, at) - _BEHIND))
    known = skin * (facing / _FACING).clamp(max=1)
    splats = torch.cat([shift, known, torch.ones_like(skin)], dim=1) * weight
    cells = splats.new_zeros(count, 4, _CELLS**2).scatter_add(2, at.expand(-1, 4, -1), splats)
    cells = cells.unflatten(2, (_CELLS, _CELLS))  # [B,4,64,64]
    hit = (cells[:, 3:] > 0).float()
    found = push_pull_inpaint(cells[:, :3] / cells[:, 3:].clamp_min(1e-6), hit)
    near = F.max_pool2d(hit, _EDGE, 1, _EDGE // 2)
    known = torch.cat([found[:, :2] * (2 / size), erode(found[:, 2:] * near, _EDGE)], dim=1)
    return MeshFlow(*resize(known, size).split([2, 1], dim=1))


def _facing(points: Tensor, size: int) -> Tensor:
    """Cosine between skin and viewing direction at each point [B,3,24,24], [B,1,24,24]; 0 from behind."""
    camera = Camera.of_size(size)
    unit = points.new_tensor([1.0, 1.0, camera.focal / camera.distance])[:, None, None]
    padded = F.pad(points * unit, (1, 1, 1, 1), mode="replicate")
    across = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    normal = torch.linalg.cross(across, down, dim=1)
    return (normal[:, 2:] / normal.norm(dim=1, keepdim=True).clamp_min(1e-6)).clamp_min(0)
