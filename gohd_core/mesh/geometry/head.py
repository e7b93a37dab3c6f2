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

from gohd_core.face.geometry.camera import Camera, rotation
from gohd_core.mesh.geometry.flow_inverse import inverse_flow
from gohd_core.mesh.geometry.head_maps import (
    GRID,
    HAIR,
    distance_to,
    outward_directions,
    side_masks,
    skull_maps,
)
from gohd_core.mesh.geometry.shape import WITH_MOUTH, FaceShape
from gohd_core.mesh.reading.columns import DRAWN
from gohd_core.motion.curves import smoothstep

_DEPTHS = (-0.15, 1.2)
_NECK = 0.80
"""Length below the chin over which the head's motion fades, model units."""
_SIDES = (0.55, 1.5)
"""Distances from the head's middle plane between which hair and shoulders below the face stay behind."""
_BODY = 0.30
"""Weight of the neck's motion at the shoulders."""
_WITHOUT_MATTE = 0.12
"""Without a person mask, the distance from the head over which motion fades, picture sides."""
_OUTLINE = 0.18
"""Width within the person's outline over which skin is stretched rather than disoccluded, model units."""
_THROAT, _TO_EYES = (0.02, 0.32), 0.72
"""Lengths below the chin between which expressions fade, model units; and of the way from nose to eyes, how
far up what the mouth does reaches."""
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
        directions: [19,3,N] what each drawn column of the expression does there.
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
        alpha: [1,1,S,S] the person's matte, or None where nothing tells it from the background.
        held: whether the left, top, right and bottom side must stay as they are, since they lie inside a
            larger picture.
    """
    camera = Camera.of_size(size)
    step = size / GRID
    line = (torch.arange(GRID, device=own.device, dtype=own.dtype) + 0.5) * step - 0.5
    at = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)
    depth, directions, covered = skull_maps(shape, own, camera, at, step)
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
    directions[list(WITH_MOUTH)] *= lower[..., None]
    rigid = 1 - smoothstep(0.0, _NECK, below)
    rigid = rigid * (1 - smoothstep(*_SIDES, across.abs()) * smoothstep(-0.80, 0.05, below))
    if alpha is None:
        rigid = rigid * torch.exp(-((distance_to(covered) / GRID / _WITHOUT_MATTE) ** 2))
    neck = torch.exp(-((across / 0.25) ** 2 + ((below - 0.20) / 0.15) ** 2))
    pin, inner = side_masks(alpha, own, held)
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
        planes(in_head(torch.full_like(depth, HAIR + own[0, 69]))),
        outward_directions(alpha, outline, own)[0].flatten(1),
        inner.flatten(1),
        (neck / neck.sum()).flatten(),
        own,
        size,
    )
