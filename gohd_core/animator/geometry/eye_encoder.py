"""Encoder of a portrait's eyeballs: place in the head and textures, inpainted where lids hide them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gohd_core.animator.geometry.eye_textures import (
    EXTENTS,
    HEAD,
    IRIS,
    LIGHT,
    Eyes,
    place_eyes,
    unwrap_texture,
)
from gohd_core.animator.geometry.eyes import STEEP, Eyeballs
from gohd_core.animator.layers import GAIN, LEAKY, EqualConv2d, EqualLinear, act, upsample
from gohd_core.kernels.resize import resize

_PLACE = (0.280, 0.017, 0.380)
"""Place of the eyes in the mean stylised head: half their distance, height and depth, model units."""
_PLACE_STEP = 0.05
"""Place that a unit output adds."""
_STEPS = 3
"""Refinement steps of the place."""
_FINDER_EXTENT = 1.25
"""Half side of the texture that the place is refined from, in radii of the ball."""
_WIDTHS = (16, 24, 32)
"""Channels of convolutions, fine to coarse."""
_CHANNELS = 2 * (3 + 1 + 1)
"""Channels of both eyes' textures: colour, inner layer mask, visibility."""
_MIXED = 12
"""Channels before a summary's linear layers."""
_HIDDEN = 32
"""Width of a summary's hidden layer."""
_MODES = 8
"""Learnt components of an iris and of a white."""
_IRIS_SIDE = 32
"""Pixels on a side of an iris's texture."""
_WHITE_SIDE = 16
"""Pixels on a side of a white's texture."""
_FITS = 4
"""Rounds of the robust colour fit."""
_FITTING = 0.3
"""Difference (half the range is 1) at which a pixel counts half in it."""
_UNSEEN = 3.0
"""Weight of the learnt colours beside the pixels that are seen."""
_IRIS_RADIUS = 0.44
"""Initial radius of an iris, in radii of the ball."""
_IRIS_EDGE = 0.05
"""Width of its edge, likewise."""


class EyeEncoder(nn.Module):
    """Portrait, its inner layer mask, and its own pose and gaze -> Eyeballs.

    Irises and whites are linear in a few learnt components, so that hidden parts follow from visible
    ones; highlights may be anywhere, so that they come from convolutions.
    """

    def __init__(self) -> None:
        super().__init__()
        self.finder = _Summary(3, 2 * _CHANNELS)
        self.highlights = _Highlights()
        self.white, self.whites = _Summary(_MODES), _Mixture(2 * 4, _WHITE_SIDE)
        self.tint, self.irises = _Summary(_MODES), _Mixture(4, _IRIS_SIDE)
        with torch.no_grad():
            self.finder.out.weight.mul_(0.05)  # the mean head, until it knows better
            self.whites.mean[[0, 1, 2, 4, 5, 6]] = 0.6
            self.irises.mean[:3] = -0.5
            self.irises.mean[3] = _disc()

    def forward(self, image: Tensor, inner: Tensor, descriptor: Tensor) -> Eyeballs:
        """image [B,3,S,S] in -1..1, its inner layer mask [B,1,S,S], descriptor [B,72].

        Always in float32: places must be exact, and so few channels gain nothing from lower precision.
        """
        with torch.autocast(image.device.type, enabled=False):
            shown = torch.cat([image.float(), inner.float() * 2 - 1], dim=1)
            return self._read(shown, descriptor.float())

    def _read(self, shown: Tensor, descriptor: Tensor) -> Eyeballs:
        place = shown.new_tensor(_PLACE).expand(len(shown), -1)
        for _ in range(_STEPS):
            place = place.detach()
            eyes = place_eyes(place, descriptor)
            both = [_textures(shown, eyes, HEAD, _FINDER_EXTENT), _textures(shown, eyes, IRIS)]
            place = place + _PLACE_STEP * self.finder(torch.cat(both, dim=1))
        eyes = place_eyes(place, descriptor)
        light, head, iris = (_textures(shown, eyes, kind) for kind in (LIGHT, HEAD, IRIS))
        picture = self.irises(self.tint(iris))
        return Eyeballs(
            place,
            self.highlights(light).unflatten(1, (2, -1)),  # [B,2,4,n,n]
            self.whites(self.white(head)).unflatten(1, (2, -1)),  # [B,2,C,n,n]
            _tinted(picture, iris),
        )


class _Summary(nn.Module):
    """Regresses a few numbers from textures [B,inputs,n,n]."""

    def __init__(self, outputs: int, inputs: int = _CHANNELS) -> None:
        super().__init__()
        widths = (inputs, *_WIDTHS)
        self.convs = nn.ModuleList(
            EqualConv2d(a, b, 3, stride=2, padding=1) for a, b in zip(widths, _WIDTHS, strict=False)
        )
        self.mix = EqualConv2d(_WIDTHS[-1], _MIXED, 1)
        self.hidden = EqualLinear(_MIXED * 36, _HIDDEN)
        self.out = EqualLinear(_HIDDEN, outputs)

    def forward(self, x: Tensor) -> Tensor:
        for conv in self.convs:
            x = act(conv(x), conv.bias)
        x = act(self.mix(x), self.mix.bias).flatten(1)  # [B,_MIXED*36]
        return self.out(F.leaky_relu(self.hidden(x), LEAKY) * GAIN)


class _Mixture(nn.Module):
    """Linear texture model, mean and weighted modes: [B,modes] -> [B,channels,side,side]."""

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(channels, side, side, dtype=torch.float32, device="cpu"))
        self.modes = nn.Parameter(
            torch.randn(_MODES, channels, 1, 1, dtype=torch.float32, device="cpu").repeat(1, 1, side, side)
            * 0.2
        )

    def forward(self, weights: Tensor) -> Tensor:
        return self.mean + torch.einsum("bk,kchw->bchw", weights, self.modes)


class _Highlights(nn.Module):
    """U-Net from both eyes' textures to their highlights: [B,10,n,n] -> [B,8,n,n].

    Down twice and up again, so that a highlight that is hidden in one eye is known from the other.
    """

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse = _WIDTHS
        self.first = EqualConv2d(_CHANNELS, fine, 3, padding=1)
        self.down = EqualConv2d(fine, middle, 3, stride=2, padding=1)
        self.bottom = EqualConv2d(middle, coarse, 3, stride=2, padding=1)
        self.deep = EqualConv2d(coarse, coarse, 3, padding=1)
        self.up = EqualConv2d(coarse + middle, middle, 3, padding=1)
        self.last = EqualConv2d(middle + fine, fine, 3, padding=1)
        self.out = EqualConv2d(fine, 2 * 4, 3, padding=1)
        with torch.no_grad():
            self.out.weight.mul_(0.3)
            self.out.bias.copy_(torch.tensor([0.9, 0.9, 0.9, -0.6] * 2, dtype=torch.float32, device="cpu"))

    def forward(self, x: Tensor) -> Tensor:
        fine = act(self.first(x), self.first.bias)
        middle = act(self.down(fine), self.down.bias)
        x = act(self.bottom(middle), self.bottom.bias)
        x = act(self.deep(x), self.deep.bias)
        x = act(self.up(torch.cat([upsample(x), middle], 1)), self.up.bias)
        x = act(self.last(torch.cat([upsample(x), fine], 1)), self.last.bias)
        return self.out(x) + self.out.bias[:, None, None]


def _textures(shown: Tensor, eyes: Eyes, kind: int, extent: float | None = None) -> Tensor:
    """Both eyes' textures and visibility as channels, [B,10,n,n]."""
    seen, sight = unwrap_texture(shown, eyes, kind, extent)
    return torch.cat([seen * sight, sight], dim=2).flatten(1, 2)  # [B,2,C,h,w] -> [B,2C,h,w]


def _tinted(picture: Tensor, textures: Tensor) -> Tensor:
    """An iris [B,4,s,s] tinted to fit both eyes' textures [B,10,n,n].

    Iteratively reweighted least squares: highlights lie on the iris.
    """
    textures = textures.unflatten(1, (2, -1))  # [B,2,5,n,n]
    opacity = torch.sigmoid(STEEP * picture[:, 3:])
    made = resize(torch.cat([picture[:, :3] + 1, opacity], dim=1), textures.shape[-1])[:, None]
    shown, taken = textures[:, :, :3] + 1, (textures[:, :, 3:4] + 1) / 2 * textures[:, :, 4:]
    made, weight = made[:, :, :3], made[:, :, 3:] * taken
    tint = made.new_ones(len(made), 1, 3, 1, 1)
    for _ in range(_FITS):
        fit = weight / (1 + ((shown - tint * made) / _FITTING).square().sum(2, keepdim=True))
        both = [(fit * shown * made).sum((1, 3, 4)), (fit * made.square()).sum((1, 3, 4))]
        tint = ((both[0] + _UNSEEN) / (both[1] + _UNSEEN))[:, None, :, None, None]
    return torch.cat([(picture[:, :3] + 1) * tint[:, 0] - 1, picture[:, 3:]], dim=1)


def _disc() -> Tensor:
    line = ((torch.arange(_IRIS_SIDE, dtype=torch.float32, device="cpu") * 2 + 1) / _IRIS_SIDE - 1) * EXTENTS[
        IRIS
    ]
    radius = (line[:, None] ** 2 + line**2).sqrt()
    return ((_IRIS_RADIUS - radius) / _IRIS_EDGE).clamp(-1, 1)
