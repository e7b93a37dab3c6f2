"""Operations on bands of a frame, on the CPU by the calling thread alone.

PyTorch shares each among its threads, which then go on waiting for the next one on cores that drawing needs,
most of all beside other programs.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from gohd_core.kernels.policy import works_alone


def add_and_clamp(values: Tensor, more: Tensor, low: float, high: float, *, out: Tensor) -> Tensor:
    """`(values + more).clamp(low, high)`, written into `out`."""
    if not works_alone(values):
        return torch.add(values, more, out=out).clamp_(low, high)
    into = np.add(values.numpy(), more.numpy(), out=out.numpy())
    np.clip(into, low, high, out=into)
    return out


def clamp(values: Tensor, low: float, high: float) -> Tensor:
    """`values.clamp(low, high)`."""
    if not works_alone(values):
        return values.clamp(low, high)
    return torch.from_numpy(np.clip(values.numpy(), low, high))


def clone(values: Tensor) -> Tensor:
    """`values.clone()`."""
    return torch.from_numpy(values.numpy().copy()) if works_alone(values) else values.clone()


def lerp_into(pixels: Tensor, under: Tensor, weight: Tensor) -> None:
    """`under.lerp(pixels, weight)` of pictures [3,h,w] by weights [h,w] into `pixels`: plane by plane, which
    are small enough that PyTorch does not share them."""
    for plane, beneath in zip(pixels, under, strict=True):
        torch.lerp(beneath, plane, weight, out=plane)


def is_finite(values: Tensor) -> bool:
    """`values.isfinite().all()`."""
    if works_alone(values):
        with np.errstate(all="ignore"):
            # One that is not finite makes the sum so; the other way round, values may be too large to add.
            if math.isfinite(values.numpy().sum()):
                return True
    return bool(torch.isfinite(values).all())
