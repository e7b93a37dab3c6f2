"""Maps over a portrait's picture, on a coarse grid: the depth of its head, and what of it must stay."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.animator.geometry.push_pull import push_pull_inpaint
from gohd_core.face.geometry.camera import Camera, transform
from gohd_core.mesh.geometry.shape import FaceShape
from gohd_core.mesh.reading.columns import DRAWN
from gohd_core.motion.curves import smoothstep
from gohd_core.stylised.head.morphable import stylised_basis

GRID = 128
"""Side of the grid on which flows are worked out."""
_PER_EDGE = 3
"""Steps along an edge of the head's triangles at which they are drawn."""
_BEHIND = 0.30
"""Depth behind its neighbours at which a part of the skull is left out, model units."""
HAIR = 0.12
"""Depth of hair and clothes far from the skull, in front of the head's origin, model units."""
_HELD, _FREE = 0.16, 0.20
"""Width along held sides of the picture over which the motion of a person who crosses them fades, and along
the picture's own sides over which skin is stretched; picture sides."""
_BARED = 0.5
"""Share of the disocclusion along the picture's own sides that shows the grown picture, where a person
crosses them; for the rest skin is stretched."""
_SIDE_BLUR, _SIDE_DEPTH = 4.0, 6.0
"""Cells over which the skull's depth is blurred at its own outline, and within which that fades."""


def skull_maps(
    shape: FaceShape, own: Tensor, camera: Camera, at: Tensor, step: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The skull on the grid: depth [n,n], grown beyond it; what expressions do [19,n,n,3]; and where it
    is."""
    faces = torch.tensor(stylised_basis().faces, dtype=torch.long, device=own.device)
    moving = own[0, list(DRAWN)]
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
    corners = shape.head_directions[:, faces[face]]  # [19,m,3 corners,3]
    moved = torch.einsum("mk,cmkx->cmx", weights[place], corners)
    count = 3 * len(DRAWN)
    grid = moved.new_zeros(count, GRID**2).index_copy(1, index, moved.permute(0, 2, 1).reshape(count, -1))
    hit = torch.isfinite(nearest).view(1, 1, GRID, GRID)
    nearest = torch.where(hit, nearest.view_as(hit), torch.zeros_like(nearest.view_as(hit)))
    highest = F.max_pool2d(torch.where(hit, nearest, -9.0), 9, 1, 4)
    covered = (hit & (nearest > highest - _BEHIND)).float()
    far = 1 - F.max_pool2d(covered, 9, 1, 4)
    depth = nearest * covered + (HAIR + own[0, 69]) * far
    depth = push_pull_inpaint(depth, covered + far)
    depth = _blur(depth, 2.0)
    # At its outline the skull's sides are steep: what turning shows of them is shared with what lies beside.
    within = (distance_to(1 - covered[0, 0]) / _SIDE_DEPTH).clamp(0, 1)
    depth = torch.lerp(_blur(depth, _SIDE_BLUR), depth, smoothstep(0.0, 1.0, within))
    known = covered + 1 - F.max_pool2d(covered, 7, 1, 3)
    grid = push_pull_inpaint(grid.view(1, count, GRID, GRID) * covered, known)
    grid = F.avg_pool2d(F.pad(grid, (1,) * 4, mode="replicate"), 3, 1)
    return depth[0, 0], grid.view(len(DRAWN), 3, GRID, GRID).permute(0, 2, 3, 1), covered[0, 0]


def _barycentric(steps: int, like: Tensor) -> Tensor:
    """Weights [k,3] of places spread over a triangle."""
    places = [(i, j, steps - i - j) for i in range(steps + 1) for j in range(steps + 1 - i)]
    return torch.tensor(places, device=like.device, dtype=like.dtype) / steps


def side_masks(alpha: Tensor | None, own: Tensor, held: Sequence[bool]) -> tuple[Tensor, Tensor]:
    """Masks by distance: from held sides that the person crosses [n,n], and from the picture's own ones
    [4,n,n] (left, top, right, bottom). 0 at a side, 1 within and along sides that show background alone."""
    is_held = torch.tensor(held, device=own.device, dtype=torch.bool)[:, None, None]
    crossing = 1.0 if alpha is None else _crossing(F.adaptive_avg_pool2d(alpha, GRID))
    pin, inner = (1 - crossing * (1 - _from_sides(own, width)) for width in (_HELD, _FREE))
    inner = _BARED + (1 - _BARED) * inner
    return torch.where(is_held, pin, 1.0).prod(0), torch.where(is_held, 1.0, inner)


def _crossing(matte: Tensor) -> Tensor:
    """Coverage of each side (left, top, right, bottom) by the person of a matte [1,1,n,n]: [4,n,n]."""
    across, down = (matte[..., :2], matte[..., -2:]), (matte[..., :2, :], matte[..., -2:, :])
    (left, right), (top, bottom) = (x.amax(3) for x in across), (x.amax(2) for x in down)
    ends = (left, top, right, bottom)
    lines = [_blur(end[:, :, None], 3.0).flatten().clamp(0, 1) for end in ends]
    left, top, right, bottom = (line.expand(GRID, GRID) for line in lines)
    return torch.stack([left.mT, top, right.mT, bottom])


def _from_sides(own: Tensor, width: float) -> Tensor:
    """[4,n,n] from 0 at the left, top, right and bottom side to 1 within."""
    line = smoothstep(0.0, width, (torch.arange(GRID, device=own.device, dtype=own.dtype) + 0.5) / GRID)
    line = line[None].expand(GRID, GRID)
    return torch.stack([line, line.T, line.flip(1), line.T.flip(0)])


def outward_directions(alpha: Tensor | None, width: float, own: Tensor) -> Tensor:
    """Directions out of a person's outline [1,2,n,n], fading over `width` cells within it and beyond it."""
    if alpha is None:
        return own.new_zeros(1, 2, GRID, GRID)
    matte = F.adaptive_avg_pool2d(alpha, GRID)
    near = (1 - distance_to(1 - matte[0, 0]) / width).clamp(0, 1)
    near = near * (1 - distance_to(matte[0, 0]) / width).clamp(0, 1)
    blurred = _blur(matte, width / 2)
    padded = F.pad(blurred, (1, 1, 1, 1), mode="replicate")
    slope = torch.cat(
        [padded[..., 1:-1, :-2] - padded[..., 1:-1, 2:], padded[..., :-2, 1:-1] - padded[..., 2:, 1:-1]], 1
    )
    near = _blur(smoothstep(0.0, 1.0, near)[None, None], 1.0)
    return F.normalize(slope, dim=1, eps=1e-4) * near


def _blur(maps: Tensor, sigma: float) -> Tensor:
    """Maps [B,1,n,n] under a Gaussian of `sigma` cells."""
    reach = max(1, round(2.5 * sigma))
    line = torch.arange(-reach, reach + 1, device=maps.device, dtype=maps.dtype)
    kernel = torch.exp(-line.square() / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1)
    across = F.conv2d(F.pad(maps, (reach, reach, 0, 0), mode="replicate"), kernel)
    return F.conv2d(F.pad(across, (0, 0, reach, reach), mode="replicate"), kernel.mT)


def distance_to(covered: Tensor) -> Tensor:
    """Cells to the nearest covered one [n,n]."""
    import cv2

    empty = (covered < 0.5).cpu().numpy().astype("uint8")
    return torch.from_numpy(cv2.distanceTransform(empty, cv2.DIST_L2, 5)).to(covered)
