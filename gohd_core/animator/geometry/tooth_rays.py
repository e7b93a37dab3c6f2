"""Ray casting onto rows of teeth: arches in the head behind a mouth; the lower one turns with the jaw."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gohd_core.constants import N_EXPRESSION, N_POSE
from gohd_core.face.geometry.camera import Camera, rotation

_JAW = 0
"""Column of the expression that opens the jaw."""
_JAW_ANGLE = 0.34
"""Radians by which a 1 there opens it."""
_HINGE = (-0.10, -0.10)
"""Height and depth of the jaw's hinge, model units."""
_SHEAR = 0.7
"""Forward motion of the teeth as it opens, as a share of a rigid jaw's."""
_ARCHES = ((0.76, -0.016, -0.105, 0.129), (0.84, 0.085, -0.022, 0.107))
"""Lower and upper row: half their width as a share of the mouth's; top and bottom from its middle up, and
depth behind its foremost point, model units."""
_BEND = 1.25
"""Angle of an arch's end, radians."""
_CURVE = 0.5
"""Depth of a dental arch at its ends, in half widths."""
_ROUNDS = 5
"""Fixed-point rounds of an intersection."""
_BEYOND = 1.15
"""Places stay within this: there a row's texture is empty."""


def tooth_places(edge: Tensor, descriptor: Tensor, column: Tensor, row: Tensor, size: int) -> Tensor:
    """Places [B,2,h,w,2] along and down both rows (the lower first), -1..1 within a row.

    Args:
        edge: [1 or B,48,3] the lips' edge in the head, without expression.
        descriptor: [B,72] in the network's order.
        column, row: [B,h,w] pixels of a picture of `size`.
    """
    start, way = _rays(descriptor, column, row, size)
    middle, front = edge.mean(1), edge[..., 2].amax(1)
    half = (edge[:, 0, 0] - edge[:, edge.shape[1] // 2, 0]) / 2
    rays = zip(_with_jaw(start, way, descriptor[:, _JAW]), (start, way), strict=True)
    width, top, bottom, _ = edge.new_tensor(_ARCHES).T[..., None, None]
    arches = [torch.stack([middle[:, 0], middle[:, 1], front - arch[-1]], -1) for arch in _ARCHES]
    arch, half = torch.stack(arches, 1)[:, :, None, None], half[:, None, None, None] * width
    along, up = _intersect(*(torch.stack(each, 1) for each in rays), arch, half)
    down = 2 * (up - top) / (bottom - top) - 1
    return torch.stack([along, down], -1).clamp(-_BEYOND, _BEYOND)


def _rays(descriptor: Tensor, column: Tensor, row: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Start [B,1,1,3] and direction [B,h,w,3] of the pixels' rays, in the head."""
    camera = Camera.of_size(size)
    pose = descriptor[:, N_EXPRESSION : N_EXPRESSION + N_POSE]
    back = rotation(pose[:, :3]).mT[:, None]
    eye = pose.new_tensor([0, 0, camera.distance]) - pose[:, 3:]
    return (eye[:, None, None] @ back), camera.rays(column, row) @ back


def _with_jaw(start: Tensor, way: Tensor, opened: Tensor) -> tuple[Tensor, Tensor]:
    """Rays in the jaw's own coordinates."""
    angle = (_JAW_ANGLE * opened)[:, None, None]
    sine, cosine = angle.sin(), angle.cos()
    scale = 1 / (cosine.square() + _SHEAR * sine.square())
    hinge = start.new_tensor([0, *_HINGE])

    def with_jaw(points: Tensor) -> Tensor:
        x, y, z = points.unbind(-1)
        up, front = cosine * y + sine * z, cosine * z - _SHEAR * sine * y
        return torch.stack([x, up * scale, front * scale], -1)

    return with_jaw(start - hinge) + hinge, with_jaw(way)


def _intersect(start: Tensor, way: Tensor, arch: Tensor, half: Tensor) -> tuple[Tensor, Tensor]:
    """Intersections of rays and arches: along them, -1..1, and height above their middles, [B,2,h,w] each."""
    back = torch.zeros_like(way[..., 0])
    for _ in range(_ROUNDS):
        far = (arch[..., 2] - back - start[..., 2]) / way[..., 2]
        across = (start[..., 0] + far * way[..., 0] - arch[..., 0]) / half * math.sin(_BEND)
        along = across.clamp(-1, 1).asin() / _BEND
        back = _CURVE * half * along.square()
    # Beyond its ends an arch goes on straight.
    along = along + (across - across.clamp(-1, 1))
    return along, start[..., 1] + far * way[..., 1] - arch[..., 1]
