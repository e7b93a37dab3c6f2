"""Grey renderings of the mouth from expressions, for the lip-reading loss (eq. 23); differentiable.

Which triangle a pixel shows is found without gradients (z-buffer); where it lies and how it is lit
are differentiable, so that gradients reach the expressions through the shading of every pixel. Edges
themselves have no gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gohd_core.errors import BadInput
from gohd_core.face import MorphableModel
from gohd_core.landmarks68 import MOUTH

SIZE = 88
"""Side of a rendering in pixels, as the lip reader was trained."""

REACH = 2.6
"""Side of the picture in units of the neutral mouth's width."""

LIGHT = (0.2, 0.5, 0.84)


class MouthRenderer:
    """Draws the mouth's part of a morphable model, identity and pose zero, seen from the front."""

    def __init__(self, model: MorphableModel, size: int = SIZE) -> None:
        if model.faces is None:
            raise BadInput("Rendering mouths needs the whole morphable model, with its faces.")
        self.size = size
        mouth = model.landmarks()[MOUTH]
        middle = (mouth.amax(0) + mouth.amin(0))[:2] / 2
        width = float(mouth[:, 0].amax() - mouth[:, 0].amin())
        self.pixels_per_unit = size / (REACH * width)
        near = ((model.mean_shape[:, :2] - middle).abs() < 0.6 * REACH * width).all(dim=1)
        faces = model.faces[near[model.faces].all(dim=1)]
        kept, index = faces.unique(return_inverse=True)
        self.faces = index.reshape(-1, 3)
        self.mean = model.mean_shape[kept] - torch.cat([middle, middle.new_zeros(1)])
        self.basis = model.expression_basis[kept]
        self.light = torch.tensor(LIGHT, dtype=torch.float32, device="cpu")

    @classmethod
    def load(cls, face_model: str | None, space: str) -> MouthRenderer:
        """From the file of a morphable model; None will do in the stylised space."""
        return cls(MorphableModel.of_space(space, face_model))

    def to(self, device: torch.device) -> MouthRenderer:
        """The same renderer on a device."""
        for name in ("faces", "mean", "basis", "light"):
            setattr(self, name, getattr(self, name).to(device))
        return self

    def mouths(self, expression: Tensor) -> Tensor:
        """Expressions [B, T, 64] -> grey pictures [B, T, size, size] in [0, 1], black outside."""
        flat = expression.float().flatten(0, 1)  # [B,T,64] -> [B T,64]
        shape = self.mean + torch.einsum("vcj,nj->nvc", self.basis, flat)
        corners = shape[:, self.faces]
        picture = torch.stack([self._one(frame) for frame in corners])
        return picture.unflatten(0, expression.shape[:2])  # [B T,...] -> [B,T,...]

    def _one(self, corners: Tensor) -> Tensor:
        """Triangles [F, 3, 3] in model units -> a grey picture [size, size] in [0, 1]."""
        half = self.size / 2
        place = torch.stack(
            [half + corners[..., 0] * self.pixels_per_unit, half - corners[..., 1] * self.pixels_per_unit],
            dim=-1,
        )
        shown = self._visible(place.detach(), corners[..., 2].detach())
        normal = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normal = normal / torch.linalg.vector_norm(normal, dim=-1, keepdim=True).clamp_min(1e-9)
        vertex_light = self._vertex_light(normal)
        drawn = shown >= 0
        pixel = drawn.nonzero()[:, 0]
        triangle = shown[drawn]
        at = torch.stack([pixel % self.size, pixel // self.size], dim=-1).to(place) + 0.5
        weights = barycentric(place[triangle], at)
        grey = (weights * vertex_light[self.faces[triangle]]).sum(dim=-1)
        picture = torch.zeros(self.size**2, device=place.device, dtype=torch.float32)
        return picture.index_put((pixel,), grey.clamp(0, 1)).reshape(self.size, self.size)

    def _vertex_light(self, normal: Tensor) -> Tensor:
        count = len(self.mean)
        summed = torch.zeros(count, 3, device=normal.device, dtype=torch.float32)
        summed = summed.index_add(0, self.faces.flatten(), normal.repeat_interleave(3, dim=0))
        unit = summed / torch.linalg.vector_norm(summed, dim=-1, keepdim=True).clamp_min(1e-9)
        return 0.15 + 0.85 * (unit @ self.light).clamp_min(0)

    def _visible(self, place: Tensor, depth: Tensor) -> Tensor:
        """The nearest triangle of each pixel [size * size], -1 for none; nothing is differentiable."""
        low = place.amin(dim=1).floor().long().clamp_min(0)
        span = int((place.amax(dim=1).ceil().long() - low).amax().clamp(1, self.size))
        step = torch.arange(span, device=place.device, dtype=torch.long)
        x = (low[:, 0, None] + step)[:, None, :].expand(-1, span, -1).flatten(1)
        y = (low[:, 1, None] + step)[:, :, None].expand(-1, -1, span).flatten(1)
        at = torch.stack([x, y], dim=-1).to(place) + 0.5
        weights = barycentric(place[:, None], at)
        inside = (weights >= -1e-6).all(dim=-1) & (x < self.size) & (y < self.size)
        pixel = (y * self.size + x)[inside]
        z = (weights * depth[:, None]).sum(dim=-1)[inside]
        triangle = torch.arange(len(place), device=place.device, dtype=torch.long)[:, None].expand_as(x)[
            inside
        ]
        nearest = torch.full((self.size**2,), -torch.inf, device=place.device, dtype=torch.float32)
        nearest = nearest.scatter_reduce(0, pixel, z, "amax")
        shown = torch.full((self.size**2,), -1, device=place.device, dtype=torch.long)
        front = z >= nearest[pixel]
        return shown.scatter_reduce(0, pixel[front], triangle[front], "amax")


def barycentric(corners: Tensor, point: Tensor) -> Tensor:
    """Weights [..., 3] of a triangle's corners [..., 3, 2] at a point [..., 2]; they sum to 1.

    Those of a triangle without area lie far outside [0, 1].
    """
    a, b, c = corners.unbind(dim=-2)
    ab, ac, ap = b - a, c - a, point - a
    area = ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0]
    area = torch.where(area.abs() < 1e-9, torch.full_like(area, 1e-9), area)
    second = (ap[..., 0] * ac[..., 1] - ap[..., 1] * ac[..., 0]) / area
    third = (ab[..., 0] * ap[..., 1] - ab[..., 1] * ap[..., 0]) / area
    return torch.stack([1 - second - third, second, third], dim=-1)
