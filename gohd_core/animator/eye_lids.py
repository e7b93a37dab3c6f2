"""Lids as curves over an eyeball: where an eye is open, told by blink, expression and the portrait's lids.

A mask of pixels is soft and ragged where it is not sure, and a closed eye is a line. In the head's chart of a
ball (`eye_charts.py`) lids move nearly linearly with the blink, and hardly with anything else.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gohd_core.animator.layers import GAIN, LEAKY, EqualLinear
from gohd_core.constants import N_DESCRIPTOR

UPPER, LOWER = range(2)
_KNOTS = 13
_REACH = 0.75
"""Where the outermost knots of a curve are, in radii from the ball's middle."""
_OPEN = 0.3
"""Half the opening at first, in radii."""
_STEP = 0.1
EDGE = 0.02
"""Width of a lid's soft edge, in radii; about half a pixel of 256."""
_WIDTH = 64
_COEFFICIENT_GAIN, _DIRECT_GAIN = 5.0, 100.0
"""Two coefficients of 72 shut an eye: what equalised layers make of them must be large."""


class LidCurves(nn.Module):
    """A portrait's lids, its own descriptor and a frame's -> curves [B,2 eyes,2 lids,knots] in radii."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.first = EqualLinear(code + 2 * N_DESCRIPTOR, _WIDTH)
        self.second = EqualLinear(_WIDTH, _WIDTH)
        self.out = EqualLinear(_WIDTH, 2 * 2 * _KNOTS)
        self.direct = EqualLinear(N_DESCRIPTOR, 2 * 2 * _KNOTS)
        with torch.no_grad():
            self.direct.weight.zero_()
            self.out.bias.view(2, 2, _KNOTS)[:, UPPER] = _OPEN / _STEP
            self.out.bias.view(2, 2, _KNOTS)[:, LOWER] = -_OPEN / _STEP

    def forward(self, code: Tensor, own: Tensor, descriptor: Tensor) -> Tensor:
        """code [1 or B,C], own [1 or B,72], descriptor [B,72]."""
        count = len(descriptor)
        own, told = _COEFFICIENT_GAIN * own.expand(count, -1), _COEFFICIENT_GAIN * descriptor
        x = torch.cat([code.expand(count, -1), own, told], dim=1)
        for layer in (self.first, self.second):
            x = F.leaky_relu(layer(x), LEAKY) * GAIN
        return (_STEP * (self.out(x) + _DIRECT_GAIN * self.direct(descriptor))).unflatten(1, (2, 2, _KNOTS))


def opening(curves: Tensor, places: Tensor, edge: float = EDGE) -> Tensor:
    """How far places [B,2,h,w,3] in the head's chart lie between lids [B,2,2,knots], [B,2,h,w] in 0..1."""
    upper, lower = lids_at(curves, places).unbind(2)
    up = places[..., 1]
    return torch.sigmoid((upper - up) / edge) * torch.sigmoid((up - lower) / edge)


def lids_at(curves: Tensor, places: Tensor) -> Tensor:
    """Both lids' heights above or below places [B,2,h,w,3], [B,2,2,h,w] in radii."""
    across = places[..., 0].flatten(2) / _REACH
    grid = torch.stack([across, torch.zeros_like(across)], -1).flatten(0, 1)[:, None]
    lids = F.grid_sample(curves.flatten(0, 1)[:, :, None], grid, "bilinear", "border", align_corners=True)
    return lids[:, :, 0].unflatten(0, places.shape[:2]).unflatten(-1, places.shape[2:4])


def smoothed(curves: Tensor) -> Tensor:
    """The parabolas nearest to curves [..., knots]: where lids are shut, nothing taught a knot its height."""
    line = torch.linspace(-1, 1, curves.shape[-1], device=curves.device)
    powers = torch.stack([torch.ones_like(line), line, line**2], -1)
    return curves @ (powers @ torch.linalg.pinv(powers)).T
