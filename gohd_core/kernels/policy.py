"""Whether a CPU fast path is taken: the one place that decides."""

from __future__ import annotations

import torch
from torch import Tensor


def uses_cpu_kernels(x: Tensor) -> bool:
    """Whether this is float32 inference on the CPU: there a pass over memory costs like a convolution, and
    what rounding leaves of a flow shows."""
    return x.device.type == "cpu" and x.dtype == torch.float32 and not torch.is_grad_enabled()
