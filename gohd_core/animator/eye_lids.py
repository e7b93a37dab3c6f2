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
_EDGE = 0.02
"""Width of a lid's soft edge, in radii; about half a pixel of 256."""
_WIDTH = 64


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
        x = torch.cat([code.expand(count, -1), own.expand(count, -1), descriptor], dim=1)
        for layer in (self.first, self.second):
            x = F.leaky_relu(layer(x), LEAKY) * GAIN
        return (_STEP * (self.out(x) + self.direct(descriptor) * GAIN)).unflatten(1, (2, 2, _KNOTS))


def opening(curves: Tensor, places: Tensor) -> Tensor:
    """How far places [B,2,h,w,3] in the head's chart lie between lids [B,2,2,knots], [B,2,h,w] in 0..1."""
    height, width = places.shape[2:4]
    across = places[..., 0].flatten(2) / _REACH
    grid = torch.stack([across, torch.zeros_like(across)], -1).flatten(0, 1)[:, None]
    lids = F.grid_sample(curves.flatten(0, 1)[:, :, None], grid, "bilinear", "border", align_corners=True)
    upper, lower = lids.unflatten(0, places.shape[:2]).unflatten(-1, (height, width))[:, :, :, 0].unbind(2)
    up = places[..., 1]
    return torch.sigmoid((upper - up) / _EDGE) * torch.sigmoid((up - lower) / _EDGE)
