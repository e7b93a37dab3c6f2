"""Quantisation of weights to int8, with one scale for each output channel (absolute maximum)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

SCALE = ".scale"
"""Ends the name of a matrix's scales, beside the matrix itself."""
_LEVELS = 127


def quantise(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Matrices and kernels `[out, ...]` as int8 with their scales `[out]`; the rest as it is."""
    stored = dict(tensors)
    for key, value in tensors.items():
        if value.ndim < 2 or not value.is_floating_point():
            continue
        rows = value.float().flatten(1)  # [out, in * kernel]
        scale = rows.abs().amax(1) / _LEVELS
        levels = rows / scale.clamp_min(torch.finfo(torch.float32).tiny)[:, None]
        stored[key] = levels.round().clamp(-_LEVELS, _LEVELS).to(torch.int8).view_as(value)
        stored[key + SCALE] = scale
    return stored


def dequantise(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """float32 matrices of `quantise`'s; tensors without scales as they are."""
    scales = {
        key: tensors[key] for key in tensors if key.endswith(SCALE) and key.removesuffix(SCALE) in tensors
    }
    restored = {key: value for key, value in tensors.items() if key not in scales}
    for key, scale in scales.items():
        name = key.removesuffix(SCALE)
        levels = restored[name].float()
        restored[name] = levels * scale.view(-1, *[1] * (levels.ndim - 1))
    return restored
