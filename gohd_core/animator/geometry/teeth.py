"""Two rows of teeth as pictures that the decoder lays into an opening mouth, sharp at any size.

A portrait with its mouth shut shows no teeth, and a small network that invents them for every frame anew
draws a grey band. Here what they look like is learnt once, as two small pictures with their outline; for a
frame only how they are lit is predicted, and where they lie if the mouth is not known (`tooth_places.py`).
Lips hide them by the mask that parts lips from what is inside the mouth.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from gohd_core.animator.layers import EqualLinear, plain_conv
from gohd_core.kernels.resize import sized

ROWS = 2
"""The lower row, and the upper one in front of it."""
_PICTURE = (24, 64)
_EXTENT = 0.85
"""Half side of a row in its picture, -1..1; around it the picture is empty."""
_FIELD_SIDE = 8
"""Side of the fields that the latent mixes linearly: a row of teeth moves nearly as a plane."""
_FIELD_STEP, _CONV_STEP, _OUTLINE_STEP, _LIGHT_STEP = 1.0, 0.3, 4.0, 0.5
_WIDTH, _HEIGHT, _PLACES = 3.5, 20.0, (0.56, 0.37)
"""At first: places along a row and down it for half a picture, and where the rows' middles are, in halves."""
_CAVITY, _CAVITY_SHARE = (-0.65, -0.85, -0.85), 0.75
"""Colour of a mouth's inside at first, and its share of what lies behind teeth; the rest is the synthesis's,
which knows where the tongue is, but takes the lips' colour along."""
_PARTED_FROM, _PARTED_STEP = 0.4, 0.3
"""Share of the inside from which teeth begin to be seen, and the further share at which they are."""


@dataclass(frozen=True)
class Rows:
    """Where both rows of teeth lie in a frame.

    Attributes:
        places: [B,2,2,s,s] along and down each row at the decoder's flow size, -1..1 within the row.
        light: [B,2,3] factors of their colours.
    """

    places: Tensor
    light: Tensor


@dataclass(frozen=True)
class Layer:
    """A row as drawn: colours [B,3,h,w] in -1..1 and opacity [B,1,h,w] in 0..1."""

    colour: Tensor
    opacity: Tensor


class Teeth(nn.Module):
    """Features at the decoder's flow size -> rows -> layers over the synthesis."""

    def __init__(self, latent: int, width: int) -> None:
        super().__init__()
        self.picture = nn.Parameter(torch.zeros(ROWS, 4, *_PICTURE, dtype=torch.float32, device="cpu"))
        self.basis = EqualLinear(latent, ROWS * 2 * _FIELD_SIDE**2)
        self.out = plain_conv(width, ROWS * 2)
        self.light = EqualLinear(latent, ROWS * 3)
        self.cavity = nn.Parameter(torch.tensor(_CAVITY, dtype=torch.float32, device="cpu"))
        with torch.no_grad():
            self.basis.weight.mul_(0.05)
            self.light.weight.zero_()
            self.basis.bias.copy_(_first_places().flatten() / _FIELD_STEP)
            self.picture[:, 3] = _first_outline()

    def forward(self, x: Tensor, latent: Tensor) -> Rows:
        """x [B,C,s,s] and latent [B,D] of the decoder."""
        field = self.basis(latent).float().view(-1, ROWS * 2, _FIELD_SIDE, _FIELD_SIDE) * _FIELD_STEP
        out = self.out.biased(x)
        places = (sized(field, x.shape[-1]) + _CONV_STEP * out).unflatten(1, (ROWS, 2))
        return Rows(places, self.lit(latent))

    def lit(self, latent: Tensor) -> Tensor:
        """Factors of both rows' colours [B,2,3]."""
        return torch.exp(_LIGHT_STEP * self.light(latent).float()).unflatten(1, (ROWS, 3))

    def draw(self, rows: Rows, size: int) -> list[Layer]:
        """Both rows [B,.,size,size], the lower first."""
        places = sized(rows.places.flatten(1, 2), size).unflatten(1, (ROWS, 2))
        return self.draw_at(rearrange(places, "b row xy h w -> b row h w xy"), rows.light)

    def draw_at(self, places: Tensor, light: Tensor) -> list[Layer]:
        """The same at places [B,2,h,w,2] along and down the rows, -1..1 within a row."""
        pictures = self.picture.expand(len(places), -1, -1, -1, -1).flatten(0, 1)
        grid = places.flatten(0, 1) * _EXTENT
        seen = F.grid_sample(pictures, grid, "bilinear", "border", align_corners=False)
        seen = seen.unflatten(0, (-1, ROWS))
        colours = (seen[:, :, :3] + 1) * light[..., None, None] - 1
        opacities = torch.sigmoid(_OUTLINE_STEP * seen[:, :, 3:])
        return [Layer(colours[:, k], opacities[:, k]) for k in range(ROWS)]


def inside(teeth: Teeth, synthesis: Tensor, inner: Tensor, pixels: Tensor, drawn: list[Layer]) -> Tensor:
    """A synthesis [B,3,S,S] with the inside of a mouth, in a window's pixels [B,h,w].

    `inner` [B,1,S,S] is how far pixels show what is behind lips, `drawn` are the rows in the window.
    """
    flat, at = synthesis.flatten(2), pixels.flatten(1)[:, None]
    there = at.expand(-1, 3, -1)
    share = inner.flatten(2).gather(2, at)
    under = torch.lerp(flat.gather(2, there), teeth.cavity[:, None], _CAVITY_SHARE * share)
    rows = [Layer(layer.colour.flatten(2), layer.opacity.flatten(2)) for layer in drawn]
    return flat.scatter(2, there, laid(rows, under, share)).unflatten(2, synthesis.shape[2:])


def laid(layers: list[Layer], under: Tensor, share: Tensor) -> Tensor:
    """The layers over a picture [B,3,S,S], where pixels show the inside [B,1,S,S] in 0..1.

    Between closed lips the share is small but not nothing, and white teeth would shine through.
    """
    share = ((share - _PARTED_FROM) / _PARTED_STEP).clamp(0, 1)
    for layer in layers:
        under = torch.lerp(under, layer.colour, layer.opacity * share)
    return under


def _first_places() -> Tensor:
    line = (torch.arange(_FIELD_SIDE, dtype=torch.float32, device="cpu") * 2 + 1) / _FIELD_SIDE - 1
    down, along = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([torch.stack([along * _WIDTH, (down - at) * _HEIGHT]) for at in _PLACES])


def _first_outline() -> Tensor:
    down, along = (
        ((torch.arange(n, dtype=torch.float32, device="cpu") * 2 + 1) / n - 1).abs() < _EXTENT
        for n in _PICTURE
    )
    return (down[:, None] & along).float() * 3 - 2
