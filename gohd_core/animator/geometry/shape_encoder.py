"""Iterative regressor of a face's shape from pixels sampled along its projected contours.

Cascaded regression (Dollar et al. 2010): each step samples the portrait where the last one puts the contours,
and corrects their shape.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from gohd_core.animator.geometry.contours import (
    CONTOURS,
    EDGE,
    PARTS,
    POINTS,
    RIM,
    FaceContours,
    SourceShape,
    mirror_order,
)
from gohd_core.animator.geometry.face_mesh import FrontalMesh
from gohd_core.animator.geometry.linear_shape import MODES, MOVING
from gohd_core.animator.geometry.window import sample_pixels
from gohd_core.animator.layers import GAIN, LEAKY, EqualConv2d, EqualLinear, act

_STEPS = 3
"""Refinement steps."""
_INWARDS, _OUTWARDS = (0.3, 0.65), (1.35, 1.8)
"""Contours that are sampled too, scaled copies of the innermost and of the outermost one."""
_ROWS = len(_INWARDS) + CONTOURS - RIM + len(_OUTWARDS)
"""Contours that are sampled of each part."""
_WIDTHS = (12, 20, 24)
"""Channels of a part's convolutions."""
_HIDDEN = 40
"""Width of a part's summary."""
_FLAT = 0.05
"""Standard deviation of colours below which a part counts as flat."""
_CHEEKS = slice(7, 17)
"""Rows and columns of the mesh that show skin in nearly every portrait."""
_SKIN_WIDTHS = (16, 16, 16)
"""Channels of the skin classifier."""
_SHAPE = MODES + 1
"""Numbers that are regressed: weights of the modes, and the length of lashes."""
_SHAPE_STEP = 0.5
"""Factor on the outputs that are added to them."""


class ShapeEncoder(nn.Module):
    """Portrait [B,3,S,S] in -1..1 and its descriptor [B,72] -> SourceShape."""

    def __init__(self) -> None:
        super().__init__()
        self.contours, self.mesh = FaceContours(), FrontalMesh()
        self.mouth, self.eye = _Summary(), _Summary()
        self.mix = EqualLinear(PARTS * _HIDDEN + len(MOVING), 2 * _HIDDEN)
        self.out = EqualLinear(2 * _HIDDEN, _SHAPE)
        self.skin = _Skin()
        with torch.no_grad():
            self.out.weight.mul_(0.05)  # the mean head, until it knows better

    def forward(self, image: Tensor, descriptor: Tensor) -> SourceShape:
        """Always in float32: contours must be accurate to a fraction of a pixel."""
        with torch.autocast(image.device.type, enabled=False):
            return self.refinement_steps(image.float(), descriptor.float())[-1]

    def refinement_steps(self, image: Tensor, descriptor: Tensor) -> list[SourceShape]:
        """The shape after each refinement step, the last one best."""
        shape = descriptor.new_zeros(len(descriptor), _SHAPE)
        steps = [self._shape(shape, descriptor)]
        for _ in range(_STEPS):
            shape = shape.detach() + _SHAPE_STEP * self._residual(image, steps[-1])
            steps.append(self._shape(shape, descriptor))
        skin = self.skin(self._mesh_samples(image, steps[-1]))
        return [*steps[1:-1], replace(steps[-1], skin=skin)]

    def _shape(self, shape: Tensor, descriptor: Tensor) -> SourceShape:
        modes = shape[:, :MODES]
        mesh = self.mesh.neutral(modes)
        skin = torch.zeros_like(mesh[..., 0])
        return SourceShape(self.contours.neutral(modes), shape[:, MODES:], mesh, skin, descriptor)

    def _residual(self, image: Tensor, found: SourceShape) -> Tensor:
        mouth, left, right = self._contour_samples(image, found).unbind(2)
        # The other eye as in a mirror, so that one network reads both.
        both = self.eye(torch.cat([left, mirror_order(right, dim=-1)])).chunk(2)
        known = torch.cat([self.mouth(mouth), *both, found.descriptor[:, list(MOVING)]], dim=1)
        return self.out(F.leaky_relu(self.mix(known), LEAKY) * GAIN)

    @torch.no_grad()
    def _contour_samples(self, image: Tensor, found: SourceShape) -> Tensor:
        """The image sampled along the contours, normalised, [B,3,3,rows,48]: colour, part, contour, point."""
        size = image.shape[-1]
        places = _with_neighbourhood(self.contours(found.neutral, found.lashes, found.descriptor, size))
        seen = sample_pixels(image, places.flatten(1, 2)).unflatten(2, (PARTS, _ROWS))  # [B,3,parts,rows,48]
        # Normalised, so that the colour of the skin and the light on it do not matter.
        spread, mean = torch.std_mean(seen, dim=(3, 4), keepdim=True)
        return (seen - mean) / (spread + _FLAT)

    @torch.no_grad()
    def _mesh_samples(self, image: Tensor, found: SourceShape) -> Tensor:
        """The image sampled at the mesh's points, normalised by the colours of its middle, [B,3,24,24]."""
        places = self.mesh(found.mesh, found.descriptor, image.shape[-1])[:, :2]
        seen = sample_pixels(image, rearrange(places, "b xy h w -> b h w xy"))
        spread, mean = torch.std_mean(seen[:, :, _CHEEKS, _CHEEKS], dim=(2, 3), keepdim=True)
        return (seen - mean) / (spread + _FLAT)


class _Skin(nn.Module):
    """Classifier of mesh points that show skin, and neither hair nor glasses: [B,3,24,24] -> [B,24,24] in
    0..1."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, *_SKIN_WIDTHS)
        self.convs = nn.ModuleList(EqualConv2d(a, b, 3, padding=1) for a, b in pairwise(widths))
        self.out = EqualConv2d(widths[-1], 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        for conv in self.convs:
            x = act(conv(x), conv.bias)
        return torch.sigmoid(self.out(x) + self.out.bias[:, None, None])[:, 0]


class _Summary(nn.Module):
    """Encodes samples along a part's contours, [B,3,rows,48] -> [B,_HIDDEN]."""

    def __init__(self) -> None:
        super().__init__()
        first, second, third = _WIDTHS
        self.first = EqualConv2d(3, first, 3)
        self.second = EqualConv2d(first, second, 3, stride=2)
        self.third = EqualConv2d(second, third, 3, stride=2)
        self.hidden = EqualLinear(third * 3 * (POINTS // 4), _HIDDEN)

    def forward(self, x: Tensor) -> Tensor:
        for conv in (self.first, self.second, self.third):
            # Contours are closed; inwards and outwards the rows end.
            x = F.pad(F.pad(x, (1, 1, 0, 0), mode="circular"), (0, 0, 1, 1))
            x = act(conv(x), conv.bias)
        return F.leaky_relu(self.hidden(x.flatten(1)), LEAKY) * GAIN  # [B,C,h,w] -> [B,C h w]


def _with_neighbourhood(contours: Tensor) -> Tensor:
    """Contours [B,3,8,48,2] with scaled copies inside and outside of them, [B,3,rows,48,2]."""
    middle = contours[:, :, EDGE].mean(2, keepdim=True)[:, :, None]
    rows = [middle + share * (contours[:, :, RIM, None] - middle) for share in _INWARDS]
    rows += [contours[:, :, RIM:]] + [middle + share * (contours[:, :, -1:] - middle) for share in _OUTWARDS]
    return torch.cat(rows, dim=2)
