"""Policy of the CPU fast paths: the one place that decides whether one is taken."""

from __future__ import annotations

import torch
from torch import Tensor

_LEAST_ROWS = 64
"""Below this many frames reading the weights is what costs, and Winograd's are twice as large."""


def uses_cpu_kernels(x: Tensor) -> bool:
    """Whether this is float32 inference on the CPU: there a pass over memory costs like a convolution, and
    what rounding leaves of a flow shows."""
    return x.device.type == "cpu" and x.dtype == torch.float32 and not torch.is_grad_enabled()


def uses_winograd(x: Tensor) -> bool:
    """Whether `x` [B,T,C] is a long sequence of float32 inference on the CPU."""
    return uses_cpu_kernels(x) and x.numel() >= _LEAST_ROWS * x.shape[-1]


def modulates_kernel(x: Tensor, kernel: Tensor) -> bool:
    """Whether a modulated convolution of `x` [B,C,H,W] scales its kernel [O,C,k,k] and not its maps: of one
    sample, where the kernel is the smaller."""
    return uses_cpu_kernels(x) and len(x) == 1 and x.numel() > kernel.numel()


def works_alone(x: Tensor) -> bool:
    """Whether small operations on `x` are left to the calling thread: on the CPU, where PyTorch's threads
    wait for one another longer than they work."""
    return x.device.type == "cpu"


def draws_in_passes(device: torch.device) -> bool:
    """Whether frames are drawn a few at a time: on the CPU, whose caches a large batch leaves."""
    return device.type == "cpu"


def exact_dtype(device: torch.device, dtype: torch.dtype) -> torch.dtype:
    """float64 for float32 on the CPU, for exact computations that run once a clip; else `dtype`."""
    return torch.float64 if device.type == "cpu" and dtype == torch.float32 else dtype


def flow_dtype(x: Tensor) -> torch.dtype:
    """Accumulation type of flows of features `x`: float64 for float32 inference on the CPU, else float32."""
    return torch.float64 if uses_cpu_kernels(x) else torch.float32
