"""Two rows of teeth as RGBA textures, composited into an opening mouth, sharp at any size.

A portrait with its mouth shut shows no teeth, and a small network that synthesises them in every frame
draws a grey band. Here both rows are learnt once, as textures with opacity; for a frame only their light is
predicted, and their places where no geometry gives them (`tooth_rays.py`). Lips hide them by the inner
layer's mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from gohd_core.animator.geometry.window import Window
from gohd_core.animator.layers import EqualLinear, plain_conv
from gohd_core.kernels.resize import resize

ROWS = 2
"""The lower row, and the upper one in front of it."""
_TEXTURE = (24, 64)
"""Height and width of a row's texture in pixels."""
_EXTENT = 0.85
"""Half side of a row in its texture, -1..1; around it the texture is empty."""
_FIELD_SIDE = 8
"""Side of the fields that the latent mixes linearly: a row of teeth moves nearly as a plane."""
_FIELD_STEP = 1.0
"""Texture coordinates that a unit of a linear field adds."""
_CONV_STEP = 0.3
"""Texture coordinates that a unit output of the convolution adds."""
_OPACITY_STEP = 4.0
"""Factor on the logits of opacity."""
_LIGHT_STEP = 0.5
"""Log light that a unit output adds."""
_WIDTH = 3.5
"""Initial extent of half a frame along a row, in texture coordinates."""
_HEIGHT = 20.0
"""Initial extent of half a frame down a row, in texture coordinates."""
_MIDDLES = (0.56, 0.37)  # lower row, upper row
"""Initial distances of the rows below the frame's middle, in half frames."""
_CAVITY = (-0.65, -0.85, -0.85)
"""Initial colour of the inside of a mouth, -1..1."""
_CAVITY_SHARE = 0.75
"""Its share of the background of teeth; the rest is the synthesis, which has the tongue, but bleeds the lips'
colour."""
_SEEN_FROM = 0.4
"""Inner layer mask from which teeth begin to be seen."""
_SEEN_STEP = 0.3
"""Further mask at which they are seen wholly."""


@dataclass(frozen=True)
class ToothRows:
    """Both rows of teeth in a frame.

    Attributes:
        places: [B,2,2,s,s] texture coordinates along and down each row at the decoder's flow size, -1..1
            within the row.
        light: [B,2,3] factors of their colours.
    """

    places: Tensor
    light: Tensor


@dataclass(frozen=True)
class Layer:
    """A row of teeth as drawn: colours [B,3,h,w] in -1..1 and opacity [B,1,h,w] in 0..1."""

    colour: Tensor
    opacity: Tensor


class Teeth(nn.Module):
    """Features at the decoder's flow size -> tooth rows -> layers over the synthesis."""

    def __init__(self, latent: int, width: int) -> None:
        super().__init__()
        self.picture = nn.Parameter(torch.zeros(ROWS, 4, *_TEXTURE, dtype=torch.float32, device="cpu"))
        self.basis = EqualLinear(latent, ROWS * 2 * _FIELD_SIDE**2)
        self.out = plain_conv(width, ROWS * 2)
        self.light = EqualLinear(latent, ROWS * 3)
        self.cavity = nn.Parameter(torch.tensor(_CAVITY, dtype=torch.float32, device="cpu"))
        with torch.no_grad():
            self.basis.weight.mul_(0.05)
            self.light.weight.zero_()
            self.basis.bias.copy_(_first_places().flatten() / _FIELD_STEP)  # [rows,2,8,8] -> [256]
            self.picture[:, 3] = _first_outline()

    def forward(self, x: Tensor, latent: Tensor) -> ToothRows:
        """x [B,C,s,s] and latent [B,D] of the decoder."""
        # [B,256] -> [B,4,8,8]: x and y of both rows
        field = self.basis(latent).float().view(-1, ROWS * 2, _FIELD_SIDE, _FIELD_SIDE) * _FIELD_STEP
        out = self.out.biased(x)
        places = (resize(field, x.shape[-1]) + _CONV_STEP * out).unflatten(1, (ROWS, 2))  # [B,2,2,s,s]
        return ToothRows(places, self.lit(latent))

    def lit(self, latent: Tensor) -> Tensor:
        """Factors of both rows' colours [B,2,3]."""
        # [B,6] -> [B,rows,3]
        return torch.exp(_LIGHT_STEP * self.light(latent).float()).unflatten(1, (ROWS, 3))

    def draw(self, rows: ToothRows, size: int) -> list[Layer]:
        """Both rows [B,.,size,size], the lower first."""
        places = resize(rows.places.flatten(1, 2), size).unflatten(1, (ROWS, 2))  # [B,2,2,h,w]
        return self.draw_at(rearrange(places, "b row xy h w -> b row h w xy"), rows.light)

    def draw_at(self, places: Tensor, light: Tensor) -> list[Layer]:
        """Both rows sampled at texture coordinates [B,2,h,w,2], along and down, -1..1 within a row."""
        pictures = self.picture.expand(len(places), -1, -1, -1, -1).flatten(0, 1)  # [2B,4,*_TEXTURE]
        grid = places.flatten(0, 1) * _EXTENT  # [2B,h,w,2]
        seen = F.grid_sample(pictures, grid, "bilinear", "border", align_corners=False)
        seen = seen.unflatten(0, (-1, ROWS))  # [B,2,4,h,w]
        colours = (seen[:, :, :3] + 1) * light[..., None, None] - 1
        opacities = torch.sigmoid(_OPACITY_STEP * seen[:, :, 3:])
        return [Layer(colours[:, k], opacities[:, k]) for k in range(ROWS)]


def composite_mouth_interior(
    teeth: Teeth, synthesis: Tensor, inner: Tensor, window: Window, rows: list[Layer]
) -> Tensor:
    """A synthesis [B,3,S,S] with cavity and teeth in the mouth's window [B,h,w].

    `inner` [B,1,S,S] is the inner layer's mask, `rows` are the teeth as drawn in the window.
    """
    mask = window.read(inner)  # [B,1,N], N = h*w
    under = torch.lerp(window.read(synthesis), teeth.cavity[:, None], _CAVITY_SHARE * mask)
    rows = [Layer(row.colour.flatten(2), row.opacity.flatten(2)) for row in rows]  # [B,.,N]
    return window.write(synthesis, composite_over(rows, under, mask))


def composite_over(layers: list[Layer], under: Tensor, mask: Tensor) -> Tensor:
    """Layers over a picture [B,3,...] where the inner layer's mask [B,1,...] shows the inside of the mouth.

    Between closed lips the mask is small but not nothing, and white teeth would shine through.
    """
    mask = ((mask - _SEEN_FROM) / _SEEN_STEP).clamp(0, 1)
    for layer in layers:
        under = torch.lerp(under, layer.colour, layer.opacity * mask)
    return under


def _first_places() -> Tensor:
    line = (torch.arange(_FIELD_SIDE, dtype=torch.float32, device="cpu") * 2 + 1) / _FIELD_SIDE - 1
    down, along = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([torch.stack([along * _WIDTH, (down - at) * _HEIGHT]) for at in _MIDDLES])


def _first_outline() -> Tensor:
    down, along = (
        ((torch.arange(n, dtype=torch.float32, device="cpu") * 2 + 1) / n - 1).abs() < _EXTENT
        for n in _TEXTURE
    )
    return (down[:, None] & along).float() * 3 - 2
