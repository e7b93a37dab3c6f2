"""Reads a face's shape: what a portrait shows along rings, as they are taken to be, tells where they are."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from gohd_core.animator.geometry.contours import (
    EDGE,
    PARTS,
    POINTS,
    RIM,
    RINGS,
    FaceRings,
    OwnShape,
    other_side,
)
from gohd_core.animator.geometry.face_mesh import FaceSheet
from gohd_core.animator.geometry.linear_shape import MODES, MOVING
from gohd_core.animator.layers import GAIN, LEAKY, EqualConv2d, EqualLinear, act

_LOOKS = 3
"""How often the reader looks again from where it took the rings to be."""
_INWARDS, _OUTWARDS = (0.3, 0.65), (1.35, 1.8)
"""What lies inside and outside is looked at too, as shares of the innermost and outermost ring."""
_ROWS = len(_INWARDS) + RINGS - RIM + len(_OUTWARDS)
_WIDTHS = (12, 20, 24)
_HIDDEN = 40
_FLAT = 0.05
"""Spread of colours below which a part counts as flat."""
_CHEEKS = slice(7, 17)
"""Rows and columns of the sheet that show skin in nearly every portrait."""
_SKIN_WIDTHS = (16, 16, 16)
_SHAPE = MODES + 1
"""Numbers that are read: shares of the modes, and the length of lashes."""
_SHAPE_STEP = 0.5
"""What a unit output adds to them."""


class ShapeReader(nn.Module):
    """Portrait [B,3,S,S] in -1..1 and its descriptor [B,72] -> OwnShape."""

    def __init__(self) -> None:
        super().__init__()
        self.rings, self.sheet = FaceRings(), FaceSheet()
        self.mouth, self.eye = _Summary(), _Summary()
        self.mix = EqualLinear(PARTS * _HIDDEN + len(MOVING), 2 * _HIDDEN)
        self.out = EqualLinear(2 * _HIDDEN, _SHAPE)
        self.skin = _Skin()
        with torch.no_grad():
            self.out.weight.mul_(0.05)  # the mean head, until it knows better

    def forward(self, image: Tensor, descriptor: Tensor) -> OwnShape:
        """In float32 always: places must be exact."""
        with torch.autocast(image.device.type, enabled=False):
            return self.looks(image.float(), descriptor.float())[-1]

    def looks(self, image: Tensor, descriptor: Tensor) -> list[OwnShape]:
        """What each look found, the last one best."""
        shape = descriptor.new_zeros(len(descriptor), _SHAPE)
        looks = [self._own(shape, descriptor)]
        for _ in range(_LOOKS):
            shape = shape.detach() + _SHAPE_STEP * self._look(image, looks[-1])
            looks.append(self._own(shape, descriptor))
        return [*looks[1:-1], replace(looks[-1], skin=self.skin(self._sheet(image, looks[-1])))]

    def _own(self, shape: Tensor, descriptor: Tensor) -> OwnShape:
        modes = shape[:, :MODES]
        sheet = self.sheet.neutral(modes)
        skin = torch.zeros_like(sheet[..., 0])
        return OwnShape(self.rings.neutral(modes), shape[:, MODES:], sheet, skin, descriptor)

    def _look(self, image: Tensor, found: OwnShape) -> Tensor:
        mouth, left, right = self._shown(image, found).unbind(2)
        # The other eye as in a mirror, so that one network reads both.
        both = self.eye(torch.cat([left, other_side(right, dim=-1)])).chunk(2)
        known = torch.cat([self.mouth(mouth), *both, found.descriptor[:, list(MOVING)]], dim=1)
        return self.out(F.leaky_relu(self.mix(known), LEAKY) * GAIN)

    @torch.no_grad()
    def _shown(self, image: Tensor, found: OwnShape) -> Tensor:
        """What the image shows around the rings, [B,3,3,rows,48]."""
        size = image.shape[-1]
        places = _around(self.rings(found.neutral, found.lashes, found.descriptor, size))
        seen = _at(image, places.flatten(1, 2)).unflatten(2, (PARTS, _ROWS))
        # Whatever the colour of a skin and the light on it.
        spread, mean = torch.std_mean(seen, dim=(3, 4), keepdim=True)
        return (seen - mean) / (spread + _FLAT)

    @torch.no_grad()
    def _sheet(self, image: Tensor, found: OwnShape) -> Tensor:
        """What the image shows at the sheet's points [B,3,24,24], as seen from the colours of its middle."""
        places = self.sheet(found.sheet, found.descriptor, image.shape[-1])[:, :2]
        seen = _at(image, rearrange(places, "b xy h w -> b h w xy"))
        spread, mean = torch.std_mean(seen[:, :, _CHEEKS, _CHEEKS], dim=(2, 3), keepdim=True)
        return (seen - mean) / (spread + _FLAT)


class _Skin(nn.Module):
    """Which points of the sheet show skin, and neither hair nor glasses: [B,3,24,24] -> [B,24,24] in 0..1."""

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
    """A few numbers from what a part's rings show, [B,3,rows,48]."""

    def __init__(self) -> None:
        super().__init__()
        first, second, third = _WIDTHS
        self.first = EqualConv2d(3, first, 3)
        self.second = EqualConv2d(first, second, 3, stride=2)
        self.third = EqualConv2d(second, third, 3, stride=2)
        self.hidden = EqualLinear(third * 3 * (POINTS // 4), _HIDDEN)

    def forward(self, x: Tensor) -> Tensor:
        for conv in (self.first, self.second, self.third):
            # Round each ring; inwards and outwards the rows end.
            x = F.pad(F.pad(x, (1, 1, 0, 0), mode="circular"), (0, 0, 1, 1))
            x = act(conv(x), conv.bias)
        return F.leaky_relu(self.hidden(x.flatten(1)), LEAKY) * GAIN


def _around(rings: Tensor) -> Tensor:
    """Rings [B,3,8,48,2] with what lies inside and outside of them, [B,3,rows,48,2]."""
    middle = rings[:, :, EDGE].mean(2, keepdim=True)[:, :, None]
    rows = [middle + share * (rings[:, :, RIM, None] - middle) for share in _INWARDS]
    rows += [rings[:, :, RIM:]] + [middle + share * (rings[:, :, -1:] - middle) for share in _OUTWARDS]
    return torch.cat(rows, dim=2)


def _at(image: Tensor, places: Tensor) -> Tensor:
    """An image [B,C,S,S] at places [B,h,w,2] in pixels."""
    grid = (places * 2 + 1) / image.shape[-1] - 1
    return F.grid_sample(image, grid, "bilinear", "border", align_corners=False)
