"""Depth and rigidity of a portrait's pixels, and the flow that turns its head.

Every pixel lies somewhere: on the fitted skull, or on hair, hats, necks and shoulders at a depth grown from
it. It moves with the head above the chin, less and less down the neck; shoulders are shifted a little,
without shear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.animator.geometry.push_pull import push_pull_inpaint
from gohd_core.face.camera import Camera, rotation, transform
from gohd_core.mesh.columns import DRAWN
from gohd_core.mesh.flow_inverse import inverse_flow
from gohd_core.mesh.shape import DROP, FaceShape
from gohd_core.motion.curves import smoothstep
from gohd_core.stylised.morphable import stylised_basis

GRID = 128
"""Side of the grid on which flows are worked out."""
_PER_EDGE = 3
"""Steps along an edge of the head's triangles at which they are drawn."""
_BEHIND = 0.30
"""Depth behind its neighbours at which a part of the skull is left out, model units."""
_HAIR = 0.12
"""Depth of what lies far from the skull in the picture, before the head's origin, model units."""
_DEPTHS = (-0.15, 1.2)
_NECK = 0.80
"""Length below the chin over which the head's motion fades, model units."""
_SIDES = (0.55, 1.5)
"""Distances from the head's middle plane between which hair and shoulders below the face stay behind."""
_BODY = 0.30
"""Weight of the neck's motion at the shoulders."""
_WITHOUT_MATTE = 0.12
"""Without a person mask, the distance from the head over which motion fades, picture sides."""
_HELD, _FREE = 0.16, 0.20
"""Width along held sides of the picture over which the motion of a person who crosses them fades, and along
the picture's own sides over which skin is stretched; picture sides."""
_BARED = 0.5
"""Of what a person who crosses the picture's own sides would bare there, the share that is shown as the
picture is grown; for the rest skin is stretched."""
_OUTLINE = 0.18
"""Width within the person's outline over which skin is stretched rather than bare the wall, model units."""
_SIDE_BLUR, _SIDE_DEPTH = 4.0, 6.0
"""Cells over which the skull's depth is blurred at its own outline, and within which that fades."""
_THROAT, _TO_EYES = (0.02, 0.32), 0.72
"""Lengths below the chin between which expressions fade, model units; and of the way from nose to eyes, how
far up what the mouth does reaches.
"""
_CHIN, _NOSE, _EYES = 152, 2, (33, 133, 263, 362)
"""Mesh points: the chin, the nose's base and the corners of the eyes."""


@dataclass(frozen=True)
class HeadFlow:
    """Heads of frames, pixels of the frame on the grid of a `HeadWarp`.

    Attributes:
        skin: [B,2,n,n] backward flow.
        rigid: [B,2,n/2,n/2] the same without expression.
        held_back: [B,2,n,n] what a place of the picture moves by, less what it would if the whole picture
            turned with the head.
    """

    skin: Tensor
    rigid: Tensor
    held_back: Tensor


@dataclass(frozen=True)
class HeadWarp:
    """Motion of a portrait's pixels, on a grid of n x n places of the picture, N in all.

    Attributes:
        at: [2,N] pixels (x, y) of the places.
        points: [3,N] where they lie in head space.
        directions: [17,3,N] what each drawn column of the expression does there.
        rigid: [1,1,N] how far they go with the head, 0..1.
        body: [1,1,N] how far they go with the shoulders' shift.
        far: [3,N] where places would lie at the depth of the head's axis, in head space.
        outward: [2,N] direction (x, y) out of the person's outline, as long as a place is near it, 0..1.
        inner: [4,N] how far places lie from the left, top, right and bottom side, 0..1, where the picture
            itself ends there: skin is stretched rather than bare what the picture does not show; 1 elsewhere.
        neck: [N] weights that sum to 1, of the neck.
        own: [1,72] the portrait's own descriptor.
        size: S of the frames.
        side: n.
    """

    at: Tensor
    points: Tensor
    directions: Tensor
    rigid: Tensor
    body: Tensor
    far: Tensor
    outward: Tensor
    inner: Tensor
    neck: Tensor
    own: Tensor
    size: int
    side: int = GRID

    @cached_property
    def coarse(self) -> HeadWarp:
        """The same at half as many rows and columns."""

        def pooled(values: Tensor) -> Tensor:
            return F.avg_pool2d(values.view(1, -1, self.side, self.side), 2).view(*values.shape[:-1], -1)

        names = ("at", "points", "directions", "rigid", "body", "far", "outward", "inner")
        smaller = {name: pooled(getattr(self, name)) for name in names}
        return replace(self, **smaller, neck=4 * pooled(self.neck), side=self.side // 2)

    def flow(self, descriptor: Tensor) -> HeadFlow:
        """Motion of the head for descriptors [B,72]."""
        pose, coarse = descriptor[:, 64:70], self.coarse
        change = (descriptor - self.own)[:, list(DRAWN)]
        moved = torch.addmm(self.points.view(1, -1), change, self.directions.flatten(1))
        moved = self._turned(moved.view(len(pose), 3, -1), pose)
        still = coarse._turned(coarse.points.expand(len(pose), -1, -1), pose)
        # Shoulders go with the neck, but not with what the face does.
        body = (still @ coarse.neck)[..., None]
        shift, still = self._held(moved, body), coarse._held(still, body)
        skin, rigid = (
            inverse_flow(each.unflatten(2, (-1, side)), self.size)
            for each, side in ((shift, self.side), (still, coarse.side))
        )
        return HeadFlow(skin, rigid, (shift - moved).unflatten(2, (-1, self.side)))

    def _turned(self, points: Tensor, pose: Tensor) -> Tensor:
        """Displacement in pixels (x, y) [B,2,N] of places whose points [B,3,N] turn with poses [B,6]."""
        far = self.far.expand(len(pose), -1, -1)
        shift, axis = self._shift(torch.stack([points, far]), pose)
        # Where depth would pull the outline inwards, the head's hidden side comes into view: the outline
        # stays with the head's axis, and what is near it is stretched.
        relief = shift - axis
        inwards = -(relief * self.outward).sum(1, keepdim=True)
        length = relief.square().sum(1, keepdim=True).sqrt_().clamp_min_(1e-3)
        return shift - relief.mul_(inwards.div_(length).clamp_min_(0))

    def _held(self, shift: Tensor, body: Tensor) -> Tensor:
        """Displacement [B,2,N] blended with the shoulders' `body` [B,2,1], and less towards the sides."""
        shift = torch.addcmul(body * self.body, shift, self.rigid)
        return shift * torch.where(shift > 0, self.inner[:2], self.inner[2:])

    def _shift(self, points: Tensor, pose: Tensor) -> Tensor:
        """Projections of points [k,B,3,N] in heads of poses [B,6], less their places: pixels [k,B,2,N]."""
        camera = Camera.of_size(self.size)
        down = pose.new_tensor([1.0, -1.0, 1.0])[:, None]
        placed = rotation(pose[:, :3]).mT * down @ points + pose[:, 3:, None] * down
        near = camera.focal / (camera.distance - placed[:, :, 2:])
        middle = pose.new_tensor([camera.centre, camera.centre - 1])[:, None]
        return torch.addcmul(middle - self.at, placed[:, :, :2], near)

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

    def in_head(depth: Tensor) -> Tensor:
        placed = torch.cat([rays[..., :2] * (camera.distance - depth)[..., None], depth[..., None]], -1)
        return (placed - own[0, 67:70]) @ rotation(own[0, 64:67]).mT

    points = in_head(depth)
    below = points_in_head[_CHIN, 1] - points[..., 1]
    across = points[..., 0]
    directions = directions * (1 - smoothstep(*_THROAT, below))[..., None]
    # What only the mouth does stays below the eyes.
    nose, eyes = points_in_head[_NOSE, 1], points_in_head[list(_EYES), 1].mean()
    lower = 1 - smoothstep(0.0, 1.0, (points[..., 1] - nose) / (_TO_EYES * (eyes - nose)))
    directions[: DROP + 1] *= lower[..., None]
    rigid = 1 - smoothstep(0.0, _NECK, below)
    rigid = rigid * (1 - smoothstep(*_SIDES, across.abs()) * smoothstep(-0.80, 0.05, below))
    if alpha is None:
        rigid = rigid * torch.exp(-((_distance(covered) / GRID / _WITHOUT_MATTE) ** 2))
    neck = torch.exp(-((across / 0.25) ** 2 + ((below - 0.20) / 0.15) ** 2))
    pin, inner = _sides(alpha, own, held)
    rigid = rigid * pin
    outline = _OUTLINE * camera.focal / (camera.distance - own[0, 69].item()) / step

    def planes(places: Tensor) -> Tensor:
        """[...,n,n,C] -> [...,C,N]."""
        return places.flatten(-3, -2).mT.contiguous()

    return HeadWarp(
        planes(at),
        planes(points),
        planes(directions),
        rigid.view(1, 1, -1),
        ((pin - rigid) * _BODY).view(1, 1, -1),
        planes(in_head(torch.full_like(depth, _HAIR + own[0, 69]))),
        _outward(alpha, outline, own)[0].flatten(1),
        inner.flatten(1),
        (neck / neck.sum()).flatten(),
        own,
        size,
    )


def _raster(
    shape: FaceShape, own: Tensor, camera: Camera, at: Tensor, step: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The skull on the grid: depth [n,n], grown beyond it; what expressions do [17,n,n,3]; and where it
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
    corners = shape.head_directions[:, faces[face]]  # [17,m,3 corners,3]
    moved = torch.einsum("mk,cmkx->cmx", weights[place], corners)
    count = 3 * len(DRAWN)
    grid = moved.new_zeros(count, GRID**2).index_copy(1, index, moved.permute(0, 2, 1).reshape(count, -1))
    hit = torch.isfinite(nearest).view(1, 1, GRID, GRID)
    nearest = torch.where(hit, nearest.view_as(hit), torch.zeros_like(nearest.view_as(hit)))
    highest = F.max_pool2d(torch.where(hit, nearest, -9.0), 9, 1, 4)
    covered = (hit & (nearest > highest - _BEHIND)).float()
    far = 1 - F.max_pool2d(covered, 9, 1, 4)
    depth = nearest * covered + (_HAIR + own[0, 69]) * far
    depth = push_pull_inpaint(depth, covered + far)
    depth = _blur(depth, 2.0)
    # At its outline the skull's sides are steep: what turning shows of them is shared with what lies beside.
    within = (_distance(1 - covered[0, 0]) / _SIDE_DEPTH).clamp(0, 1)
    depth = torch.lerp(_blur(depth, _SIDE_BLUR), depth, smoothstep(0.0, 1.0, within))
    known = covered + 1 - F.max_pool2d(covered, 7, 1, 3)
    grid = push_pull_inpaint(grid.view(1, count, GRID, GRID) * covered, known)
    grid = F.avg_pool2d(F.pad(grid, (1,) * 4, mode="replicate"), 3, 1)
    return depth[0, 0], grid.view(len(DRAWN), 3, GRID, GRID).permute(0, 2, 3, 1), covered[0, 0]


def _barycentric(steps: int, like: Tensor) -> Tensor:
    """Weights [k,3] of places spread over a triangle."""
    places = [(i, j, steps - i - j) for i in range(steps + 1) for j in range(steps + 1 - i)]
    return torch.tensor(places, device=like.device, dtype=like.dtype) / steps


def _sides(alpha: Tensor | None, own: Tensor, held: Sequence[bool]) -> tuple[Tensor, Tensor]:
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


def _outward(alpha: Tensor | None, width: float, own: Tensor) -> Tensor:
    """Directions out of a person's outline [1,2,n,n], fading over `width` cells within it and beyond it."""
    if alpha is None:
        return own.new_zeros(1, 2, GRID, GRID)
    matte = F.adaptive_avg_pool2d(alpha, GRID)
    near = (1 - _distance(1 - matte[0, 0]) / width).clamp(0, 1)
    near = near * (1 - _distance(matte[0, 0]) / width).clamp(0, 1)
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


def _distance(covered: Tensor) -> Tensor:
    """Cells to the nearest covered one [n,n]."""
    import cv2

    empty = (covered < 0.5).cpu().numpy().astype("uint8")
    return torch.from_numpy(cv2.distanceTransform(empty, cv2.DIST_L2, 5)).to(covered)
