"""Depth and rigidity of a portrait's pixels, and the flow that turns its head.

Every pixel lies somewhere: on the fitted skull, or on hair, hats, necks and shoulders at a depth grown from it.
It moves with the head above the chin, less and less down the neck; shoulders are shifted a little, without shear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.animator.face_points import MOVING
from gohd_core.face.camera import Camera, rotation, transform
from gohd_core.mesh.inpaint import push_pull
from gohd_core.mesh.shape import FaceShape
from gohd_core.stylised.morphable import stylised_basis

GRID = 128
"""Side of the grid on which flows are worked out."""
_PER_EDGE = 3
"""Steps along an edge of the head's triangles at which they are drawn."""
_BEHIND = 0.30
"""How far behind its neighbours a part of the skull may lie before it is left out, model units."""
_HAIR = 0.12
"""Depth of what lies far from the skull in the picture, before the head's origin, model units."""
_DEPTHS = (-0.15, 1.2)
_NECK = 0.80
"""Length below the chin over which the head's motion fades, model units."""
_SIDES = (0.55, 1.5)
"""Distances from the head's middle plane between which hair and shoulders below the face stay behind."""
_BODY = 0.30
"""How far shoulders follow the neck."""
_WITHOUT_MATTE = 0.12
"""Without a person mask, the distance from the head over which motion fades, picture sides."""
_HELD = 0.16
"""Width along held sides of the picture over which motion fades, picture sides."""
_HELD_HEAD = 0.10
"""The same where the picture cuts the head itself."""
_INVERSIONS = 6
_CHIN = 152


@dataclass(frozen=True)
class HeadWarp:
    """How a portrait's pixels move, on a grid of n x n places of the picture.

    Attributes:
        at: [n,n,2] pixels of the places.
        points: [n,n,3] where they lie in head space.
        directions: [14,n,n,3] what each moving column of the expression does there.
        rigid: [1,1,n,n] how far they go with the head, 0..1.
        body: [1,1,n,n] how far they go with the shoulders' shift.
        neck: [n,n] weights that sum to 1, of the neck.
        own: [1,72] the portrait's own descriptor.
        size: S of the frames.
    """

    at: Tensor
    points: Tensor
    directions: Tensor
    rigid: Tensor
    body: Tensor
    neck: Tensor
    own: Tensor
    size: int

    def flow(self, descriptor: Tensor, *, expression: bool = True) -> Tensor:
        """Backward flow [B,2,n,n] in pixels of the frame, for descriptors [B,72]."""
        points = self.points.expand(len(descriptor), -1, -1, -1)
        if expression:
            change = (descriptor - self.own)[:, list(MOVING)]
            points = points + torch.einsum("bm,mhwc->bhwc", change, self.directions)
        placed = transform(points.flatten(1, 2), descriptor[:, 64:70])
        moved = Camera.of_size(self.size).pixels(placed).unflatten(1, points.shape[1:3])
        shift = (moved - self.at).permute(0, 3, 1, 2)  # [B,2,n,n] forward
        body = (shift * self.neck).sum((2, 3), keepdim=True)
        return _inverse(shift * self.rigid + body * self.body, self.size)

    def to(self, device: torch.device | str) -> HeadWarp:
        return replace(
            self, **{name: value.to(device) for name, value in vars(self).items() if torch.is_tensor(value)}
        )


def head_warp(
    shape: FaceShape,
    own: Tensor,
    points_in_head: Tensor,
    size: int,
    *,
    alpha: Tensor | None,
    held: Sequence[bool] = (True, True, True, True),
) -> HeadWarp:
    """The warp of one portrait.

    Args:
        shape: its geometry.
        own: [1,72] its own descriptor.
        points_in_head: [478,3].
        size: S of the picture.
        alpha: [1,1,S,S] the person's matte, or None where nothing tells it from the wall.
        held: whether the left, top, right and bottom side must stay as they are, since they lie inside a
            larger picture.
    """
    camera = Camera.of_size(size)
    step = size / GRID
    line = (torch.arange(GRID, device=own.device, dtype=own.dtype) + 0.5) * step - 0.5
    at = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)
    depth, directions, covered = _raster(shape, own, camera, at, step)
    depth = depth.clamp(own[0, 69] + _DEPTHS[0], own[0, 69] + _DEPTHS[1])
    rays = camera.rays(*at.unbind(-1))
    placed = torch.cat([rays[..., :2] * (camera.distance - depth)[..., None], depth[..., None]], -1)
    points = (placed - own[0, 67:70]) @ rotation(own[0, 64:67]).mT
    below = points_in_head[_CHIN, 1] - points[..., 1]
    across = points[..., 0]
    rigid = 1 - _smoothstep(0.0, _NECK, below)
    rigid = rigid * (1 - _smoothstep(*_SIDES, across.abs()) * _smoothstep(-0.80, 0.05, below))
    if alpha is None:
        rigid = rigid * torch.exp(-((_distance(covered) / GRID / _WITHOUT_MATTE) ** 2))
    neck = torch.exp(-((across / 0.25) ** 2 + ((below - 0.20) / 0.15) ** 2))
    pin = _pin(alpha, own, held)
    rigid = rigid * pin
    return HeadWarp(
        at,
        points,
        directions,
        rigid[None, None],
        ((pin - rigid) * _BODY)[None, None],
        neck / neck.sum(),
        own,
        size,
    )


def _raster(
    shape: FaceShape, own: Tensor, camera: Camera, at: Tensor, step: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The skull on the grid: depth [n,n], grown beyond it; what expressions do [14,n,n,3]; and where it is."""
    faces = torch.tensor(stylised_basis().faces, dtype=torch.long, device=own.device)
    moving = own[0, list(MOVING)]
    head = shape.head + torch.einsum("m,mvc->vc", moving, shape.head_directions)
    placed = transform(head, own[0, 64:70])
    pixels = torch.cat([camera.pixels(placed), placed[:, 2:]], -1)  # [V,3]
    weights = _barycentric(_PER_EDGE, own)  # [k,3]
    dense = torch.einsum("kv,fvc->fkc", weights, pixels[faces]).flatten(0, 1)  # [F*k,3]
    cell = ((dense[:, :2] + 0.5) / step).floor().long()
    inside = ((cell >= 0) & (cell < GRID)).all(1)
    index = (cell[:, 1] * GRID + cell[:, 0])[inside]
    which = inside.nonzero()[:, 0]
    depth = dense[inside, 2]
    nearest = depth.new_full((GRID**2,), -torch.inf).scatter_reduce(0, index, depth, "amax")
    front = depth >= nearest[index]
    index, which = index[front], which[front]
    face, place = which // len(weights), which % len(weights)
    corners = shape.head_directions[:, faces[face]]  # [14,m,3 corners,3]
    moved = torch.einsum("mk,cmkx->cmx", weights[place], corners)
    count = 3 * len(MOVING)
    grid = moved.new_zeros(count, GRID**2).index_copy(
        1, index, moved.permute(0, 2, 1).reshape(count, -1)
    )
    hit = torch.isfinite(nearest).view(1, 1, GRID, GRID)
    nearest = torch.where(hit, nearest.view_as(hit), torch.zeros_like(nearest.view_as(hit)))
    highest = F.max_pool2d(torch.where(hit, nearest, -9.0), 9, 1, 4)
    covered = (hit & (nearest > highest - _BEHIND)).float()
    far = 1 - F.max_pool2d(covered, 9, 1, 4)
    depth = nearest * covered + (_HAIR + own[0, 69]) * far
    depth = push_pull(depth, covered + far)
    for _ in range(2):
        depth = F.avg_pool2d(F.pad(depth, (2,) * 4, mode="replicate"), 5, 1)
    known = covered + 1 - F.max_pool2d(covered, 7, 1, 3)
    grid = push_pull(grid.view(1, count, GRID, GRID) * covered, known)
    grid = F.avg_pool2d(F.pad(grid, (1,) * 4, mode="replicate"), 3, 1)
    return depth[0, 0], grid.view(len(MOVING), 3, GRID, GRID).permute(0, 2, 3, 1), covered[0, 0]


def _barycentric(steps: int, like: Tensor) -> Tensor:
    """Weights [k,3] of places spread over a triangle."""
    places = [(i, j, steps - i - j) for i in range(steps + 1) for j in range(steps + 1 - i)]
    return torch.tensor(places, device=like.device, dtype=like.dtype) / steps


def _pin(alpha: Tensor | None, own: Tensor, held: Sequence[bool]) -> Tensor:
    """[n,n] 0 along held sides, 1 within."""
    line = (torch.arange(GRID, device=own.device, dtype=own.dtype) + 0.5) / GRID
    left, top, right, bottom = held
    cut_above = alpha is None or alpha[0, 0, 0].mean().item() > 0.05
    ends = [(line, left, _HELD), (1 - line, right, _HELD)]
    across = torch.ones_like(line)
    for distance, is_held, width in ends:
        across = across * (_smoothstep(0.0, width, distance) if is_held else 1.0)
    down = torch.ones_like(line)
    ends = [(line, top or cut_above, _HELD if top else _HELD_HEAD), (1 - line, bottom, _HELD)]
    for distance, is_held, width in ends:
        down = down * (_smoothstep(0.0, width, distance) if is_held else 1.0)
    return down[:, None] * across[None]


def _distance(covered: Tensor) -> Tensor:
    """Cells to the nearest covered one [n,n]."""
    import cv2

    empty = (covered < 0.5).cpu().numpy().astype("uint8")
    return torch.from_numpy(cv2.distanceTransform(empty, cv2.DIST_L2, 5)).to(covered)


def _inverse(shift: Tensor, size: int) -> Tensor:
    """The backward flow of a forward one [B,2,n,n], both in pixels of frames of `size`, by fixed-point steps."""
    side = shift.shape[-1]
    line = (torch.arange(side, device=shift.device, dtype=shift.dtype) * 2 + 1) / side - 1
    places = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)
    flow = -shift
    for _ in range(_INVERSIONS):
        grid = places + flow.permute(0, 2, 3, 1) * (2 / size)
        flow = -F.grid_sample(shift, grid, "bilinear", "border", align_corners=False)
    return flow


def _smoothstep(low: float, high: float, x: Tensor) -> Tensor:
    share = ((x - low) / (high - low)).clamp(0, 1)
    return share * share * (3 - 2 * share)
