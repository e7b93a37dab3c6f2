"""Inversion of a forward flow to a backward one by Newton's method."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.kernels.policy import uses_cpu_kernels

_STEPS, _LEAST_AREA = 5, 0.7
"""Newton steps, and the least determinant of the Jacobian (a cell's area) that a step divides by."""
_COARSE, _FINE = 3, 2
"""Steps on a CPU at half resolution, and then at full resolution."""


def inverse_flow(shift: Tensor, size: int) -> Tensor:
    """The backward flow of a forward one [B,2,n,n], both in pixels of frames of `size`, by Newton's method.

    On a CPU most steps are taken on half as many rows and columns: 1.5 times as fast
    (`benchmarks/kernels.py`).
    """
    if not uses_cpu_kernels(shift):
        return inverse_flow_plain(shift, size)
    fields = _with_slopes(shift, size)
    coarse = _newton(fields, -F.avg_pool2d(shift, 2), size, _COARSE)
    flow = F.interpolate(coarse, size=shift.shape[-2:], mode="bilinear", align_corners=False)
    return _newton(fields, flow, size, _FINE)


def inverse_flow_plain(shift: Tensor, size: int) -> Tensor:
    """`inverse_flow` by its definition."""
    return _newton(_with_slopes(shift, size), -shift, size, _STEPS)


def _newton(fields: Tensor, flow: Tensor, size: int, steps: int) -> Tensor:
    """Newton's method from an initial backward flow [B,2,h,w], at its own resolution."""
    places = _places(flow)
    for _ in range(steps):
        flow = _step(fields, places, flow, size)
    return flow


def _step(fields: Tensor, places: Tensor, flow: Tensor, size: int) -> Tensor:
    """A step from a backward flow [B,2,h,w] at places [1,2,h,w]."""
    grid = torch.add(places, flow, alpha=2 / size).permute(0, 2, 3, 1)  # [B,h,w,2]
    found = F.grid_sample(fields, grid, "bilinear", "border", align_corners=False)
    miss = flow + found[:, :2]
    x, y = miss.unbind(1)
    xx, yx, xy, yy = found[:, 2:].unbind(1)
    # Where the picture is stretched a whole step would overshoot; where it is compressed, Newton's would.
    xx, yy = xx.clamp_min(0).add_(1), yy.clamp_min(0).add_(1)
    area = (xx * yy).addcmul_(xy, yx, value=-1).clamp_min_(_LEAST_AREA)
    step = torch.stack([(yy * x).addcmul_(xy, y, value=-1), (xx * y).addcmul_(yx, x, value=-1)], 1)
    return flow.addcdiv(step, area[:, None], value=-1)


def _places(shift: Tensor) -> Tensor:
    """Centres of the cells, [1,2,n,n], -1..1 between the sides."""
    side = shift.shape[-1]
    line = (torch.arange(side, device=shift.device, dtype=shift.dtype) * 2 + 1) / side - 1
    return torch.stack(torch.meshgrid(line, line, indexing="xy"))[None]


def _with_slopes(shift: Tensor, size: int) -> Tensor:
    """A flow with its derivatives across and down, [B,6,n,n]."""
    padded = F.pad(shift, (1, 1, 1, 1), mode="replicate")
    cell = 2 * size / shift.shape[-1]
    across = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / cell
    down = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / cell
    return torch.cat([shift, across, down], 1)
