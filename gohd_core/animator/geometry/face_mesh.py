"""The face as a sheet of points: its skin's flow in any pose, for any expression, from the morphable face.

What a head's turn does to a pixel depends on its depth, which a network guesses to a pixel or two; the mean
face with what the rings tell of its shape knows it better. Points are thrown into a coarse grid where the
frame has them, each with the way to where the portrait has it, and what lies between is grown.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.animator.geometry.linear_shape import MOVING, FacePoints
from gohd_core.animator.geometry.push_pull import grown, least
from gohd_core.constants import N_EXPRESSION, N_POSE
from gohd_core.face.camera import Camera, transform
from gohd_core.kernels.resize import sized

ROWS, COLUMNS = 24, 24
_DENSE = 4
"""Points between two of the sheet's."""
_CELLS = 64
"""Side of the grid that points are thrown into."""
_FACING = 0.35
"""Cosine between skin and viewing direction from which its flow counts wholly."""
_BEHIND = 0.06
"""How far behind the foremost point of a cell others still count, model units."""
_EDGE = 3
"""Side in cells of the square that must be skin around a cell whose flow is that of the sheet."""


class FaceSheet(FacePoints):
    """A head's sheet and a descriptor -> its points in the picture, [B,3,24,24]: x right, y down, depth."""

    def __init__(self) -> None:
        super().__init__(ROWS, COLUMNS)

    def forward(self, neutral: Tensor, descriptor: Tensor, size: int) -> Tensor:
        """neutral [1 or B,24,24,3], descriptor [B,72] in the network's order."""
        points = self.moved(neutral, descriptor[:, list(MOVING)]).flatten(1, 2)
        placed = transform(points, descriptor[:, N_EXPRESSION : N_EXPRESSION + N_POSE])
        points = torch.cat([Camera.of_size(size).pixels(placed), placed[..., 2:]], -1)
        return points.mT.unflatten(2, (ROWS, COLUMNS))


@dataclass(frozen=True)
class SheetInFrame:
    """The skin of frames.

    Attributes:
        flow: [B,2,S,S] backward, in half images.
        share: [B,1,S,S] how far it is known there, 0..1.
    """

    flow: Tensor
    share: Tensor

    def moved(self, flow: Tensor) -> Tensor:
        """A flow of the face [B,2,S,S] with that of the skin."""
        return torch.lerp(flow, self.flow.to(flow.dtype), self.share.to(flow.dtype))


def sheet_in_frame(target: Tensor, own: Tensor, skin: Tensor, size: int) -> SheetInFrame:
    """The sheet of frames [B,3,24,24] and of the portrait [1 or B,3,24,24] (`FaceSheet`) in pixels of `size`.

    `skin` [1 or B,24,24] is how far the portrait shows skin at each point, 0..1.
    """
    count = len(target)
    carried = [target, (own - target)[:, :2], skin[:, None].expand(count, -1, -1, -1), _facing(target, size)]
    sides = ((ROWS - 1) * _DENSE + 1, (COLUMNS - 1) * _DENSE + 1)
    dense = F.interpolate(torch.cat(carried, 1), size=sides, mode="bilinear", align_corners=True)
    place, shift, skin, facing = dense.flatten(2).split((3, 2, 1, 1), dim=1)
    cell = ((place[:, :2] + 0.5) * (_CELLS / size)).floor().long()
    inside = ((cell >= 0) & (cell < _CELLS)).all(1, keepdim=True) & (facing > 0)
    at = (cell[:, 1:] * _CELLS + cell[:, :1]).clamp(0, _CELLS**2 - 1)
    depth = torch.where(inside, place[:, 2:], -torch.inf)
    front = depth.new_full((count, 1, _CELLS**2), -torch.inf).scatter_reduce(2, at, depth, "amax")
    weight = facing * (inside & (depth > front.gather(2, at) - _BEHIND))
    known = skin * (facing / _FACING).clamp(max=1)
    thrown = torch.cat([shift, known, torch.ones_like(skin)], dim=1) * weight
    cells = thrown.new_zeros(count, 4, _CELLS**2).scatter_add(2, at.expand(-1, 4, -1), thrown)
    cells = cells.unflatten(2, (_CELLS, _CELLS))
    hit = (cells[:, 3:] > 0).float()
    found = grown(cells[:, :3] / cells[:, 3:].clamp_min(1e-6), hit)
    near = F.max_pool2d(hit, _EDGE, 1, _EDGE // 2)
    known = torch.cat([found[:, :2] * (2 / size), least(found[:, 2:] * near, _EDGE)], dim=1)
    return SheetInFrame(*sized(known, size).split([2, 1], dim=1))


def _facing(points: Tensor, size: int) -> Tensor:
    """Cosine between skin and viewing direction at each point [B,3,24,24], [B,1,24,24]; 0 from behind."""
    camera = Camera.of_size(size)
    unit = points.new_tensor([1.0, 1.0, camera.focal / camera.distance])[:, None, None]
    padded = F.pad(points * unit, (1, 1, 1, 1), mode="replicate")
    across = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    normal = torch.linalg.cross(across, down, dim=1)
    return (normal[:, 2:] / normal.norm(dim=1, keepdim=True).clamp_min(1e-6)).clamp_min(0)
