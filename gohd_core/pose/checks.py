"""Checks of what callers hand to the diffusion models; each raises `BadInput` with one sentence."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gohd_core.errors import BadInput


def tensor(value: Any, name: str, shape: tuple[int | None, ...]) -> Tensor:
    """A finite floating-point tensor of that shape; None is any size from 1."""
    wanted = "[" + ", ".join("any" if size is None else str(size) for size in shape) + "]"
    if not isinstance(value, Tensor):
        raise BadInput(f"{name} is a {type(value).__name__}; give a floating-point tensor of shape {wanted}.")
    if not value.is_floating_point():
        raise BadInput(f"{name} has dtype {value.dtype}; give floating-point numbers.")
    fits = value.ndim == len(shape) and all(
        size == want if want is not None else size > 0 for size, want in zip(value.shape, shape, strict=True)
    )
    if not fits:
        raise BadInput(f"{name} has shape {list(value.shape)}; {wanted} is wanted, and at least one frame.")
    if not torch.isfinite(value).all():
        raise BadInput(f"{name} holds NaN or infinity; check where it comes from.")
    return value


def steps(value: Any, batch: int, training_steps: int) -> Tensor:
    """Steps `[B]`, whole or fractional, as float32."""
    if not isinstance(value, Tensor) or value.shape != (batch,):
        given = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise BadInput(f"step is {given}; give a tensor [{batch}], one step for each sequence.")
    value = value.float()
    if not ((value >= 0) & (value <= training_steps - 1)).all():
        raise BadInput(f"step holds {value.tolist()}; steps go from 0 to {training_steps - 1}.")
    return value


def noise(value: Any, shape: tuple[int, int], count: int, stochastic: bool) -> Tensor:
    """Gaussian draws `[steps, T, C]` in float32, from that or from `[steps, 1, T, C]`."""
    frames, channels = shape
    if isinstance(value, Tensor) and value.ndim == 4 and value.shape[1] == 1:
        value = value[:, 0]
    value = tensor(value, "noise", (None, frames, channels)).float()
    if len(value) != count and (stochastic or len(value) != 1):
        raise BadInput(f"noise has {len(value)} draws for {count} steps; give one for each step.")
    return value


def seed(value: Any) -> int:
    """A seed that torch takes: a whole number of 64 bits, not negative."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**64:
        raise BadInput(f"The seed is {value!r}; give a whole number from 0 to 2**64 - 1.")
    return value
