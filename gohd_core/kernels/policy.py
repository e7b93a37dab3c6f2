"""Whether a CPU fast path is taken: the one place that decides."""

from __future__ import annotations

import torch
from torch import Tensor


def uses_cpu_kernels(x: Tensor) -> bool:
    """Whether this is float32 inference on the CPU: there a pass over memory costs like a convolution, and
    what rounding leaves of a flow shows."""
    return x.device.type == "cpu" and x.dtype == torch.float32 and not torch.is_grad_enabled()


def draws_in_passes(device: torch.device) -> bool:
    """Whether frames are drawn a few at a time: on the CPU, whose caches a large batch leaves."""
    return device.type == "cpu"


def exact_dtype(device: torch.device, dtype: torch.dtype) -> torch.dtype:
    """float64 for float32 on the CPU, where what is computed once a clip may be exact; else `dtype`."""
    return torch.float64 if device.type == "cpu" and dtype == torch.float32 else dtype
