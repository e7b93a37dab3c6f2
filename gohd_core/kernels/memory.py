"""Memory for frames."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def empty(*shape: int, device: torch.device) -> Tensor:
    """An uninitialised float32 tensor.

    On a CPU its memory is NumPy's, which asks for pages of 2 MiB where the system has them: filling frames
    of 1024 px takes half the time (`benchmarks/kernels.py`).
    """
    if device.type == "cpu":
        return torch.from_numpy(np.empty(shape, np.float32))
    return torch.empty(shape, dtype=torch.float32, device=device)
