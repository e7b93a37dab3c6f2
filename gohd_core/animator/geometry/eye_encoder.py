"""Reads a portrait's eyeballs: where they are in the head, what they look like, also where lids hide them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gohd_core.animator.geometry.eye_textures import EXTENTS, HEAD, IRIS, LIGHT, Eyes, turned, unwrapped
from gohd_core.animator.geometry.eyes import STEEP, Eyeballs
from gohd_core.animator.layers import GAIN, LEAKY, EqualConv2d, EqualLinear, act, upsample
from gohd_core.kernels.resize import sized

_PLACE = (0.280, 0.017, 0.380)
"""Where eyes are in the mean stylised head: half their distance, height and depth, model units."""
_PLACE_STEP = 0.05
_LOOKS = 3
"""How often the finder looks again from where it took the eyes to be."""
_FINDER_EXTENT = 1.25
_WIDTHS = (16, 24, 32)
_SHOWN = 2 * (3 + 1 + 1)
"""What charts of both eyes show: colour, how far it can be taken for an eyeball, whether it is in sight."""
_MIXED, _HIDDEN = 12, 32
_MODES, _IRIS_SIDE, _WHITE_SIDE = 8, 32, 16
_FITS, _FITTING = 4, 0.3
"""Rounds of fitting colours, and the difference (half the range is 1) at which a pixel counts half."""
_UNSEEN = 3.0
"""What the colours of the learnt pictures count beside the pixels that are seen."""
_IRIS_RADIUS, _EDGE = 0.44, 0.05
"""At first, in radii of the ball."""


class EyeReader(nn.Module):
    """Portrait, the part of it that shows what is behind lids, and its own pose and gaze -> Eyeballs.

    Irises and whites are mixtures of a few learnt pictures, so that what is hidden follows from what is
    seen; highlights may be anywhere, so that they are drawn by convolutions.
    """

    def __init__(self) -> None:
        super().__init__()
        self.finder = _Summary(3, 2 * _SHOWN)
        self.highlights = _Highlights()
        self.white, self.whites = _Summary(_MODES), _Mixture(2 * 4, _WHITE_SIDE)
        self.tint, self.irises = _Summary(_MODES), _Mixture(4, _IRIS_SIDE)
        with torch.no_grad():
            self.finder.out.weight.mul_(0.05)  # the mean head, until it knows better
            self.whites.mean[[0, 1, 2, 4, 5, 6]] = 0.6
            self.irises.mean[:3] = -0.5
            self.irises.mean[3] = _disc()

    def forward(self, image: Tensor, inner: Tensor, descriptor: Tensor) -> Eyeballs:
        """image [B,3,S,S] in -1..1, how far it shows the inner plane [B,1,S,S], descriptor [B,72].

        In float32 always: places must be exact, and few channels gain nothing from less.
        """
        with torch.autocast(image.device.type, enabled=False):
            shown = torch.cat([image.float(), inner.float() * 2 - 1], dim=1)
            return self._read(shown, descriptor.float())

    def _read(self, shown: Tensor, descriptor: Tensor) -> Eyeballs:
        place = shown.new_tensor(_PLACE).expand(len(shown), -1)
        for _ in range(_LOOKS):
            place = place.detach()
            eyes = turned(place, descriptor)
            both = [_charts(shown, eyes, HEAD, _FINDER_EXTENT), _charts(shown, eyes, IRIS)]
            place = place + _PLACE_STEP * self.finder(torch.cat(both, dim=1))
        eyes = turned(place, descriptor)
        light, head, iris = (_charts(shown, eyes, kind) for kind in (LIGHT, HEAD, IRIS))
        picture = self.irises(self.tint(iris))
        return Eyeballs(
            place,
            self.highlights(light).unflatten(1, (2, -1)),
            self.whites(self.white(head)).unflatten(1, (2, -1)),
            _tinted(picture, iris),
        )


class _Summary(nn.Module):
    """A few numbers from charts [B,inputs,n,n]."""

    def __init__(self, outputs: int, inputs: int = _SHOWN) -> None:
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
        x = act(self.mix(x), self.mix.bias).flatten(1)
        return self.out(F.leaky_relu(self.hidden(x), LEAKY) * GAIN)


class _Mixture(nn.Module):
    """Pictures as a mean and a weighted sum of modes: [B,modes] -> [B,channels,side,side]."""

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
    """What charts by light show -> each eye's highlights: [B,10,n,n] -> [B,8,n,n].

    Down twice and up again, so that one that is hidden in one eye is known from the other.
    """

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse = _WIDTHS
        self.first = EqualConv2d(_SHOWN, fine, 3, padding=1)
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


def _charts(shown: Tensor, eyes: Eyes, kind: int, extent: float | None = None) -> Tensor:
    """Both eyes' charts after one another, with where they are in sight: [B,10,n,n]."""
    seen, sight = unwrapped(shown, eyes, kind, extent)
    return torch.cat([seen * sight, sight], dim=2).flatten(1, 2)


def _tinted(picture: Tensor, charts: Tensor) -> Tensor:
    """An iris [B,4,s,s] in the colour that comes nearest to what both eyes' charts [B,10,n,n] show.

    Least squares, again and again without what fits badly: highlights lie on the iris.
    """
    charts = charts.unflatten(1, (2, -1))
    opacity = torch.sigmoid(STEEP * picture[:, 3:])
    made = sized(torch.cat([picture[:, :3] + 1, opacity], dim=1), charts.shape[-1])[:, None]
    shown, taken = charts[:, :, :3] + 1, (charts[:, :, 3:4] + 1) / 2 * charts[:, :, 4:]
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
    return ((_IRIS_RADIUS - radius) / _EDGE).clamp(-1, 1)
