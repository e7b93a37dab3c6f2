"""Noise that depends on seed and frame alone, whatever the chunks a clip is predicted in."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def frame_noise(seed: int, start: int, frames: int, width: int) -> Tensor:
    """Standard normal z [frames, width] of the frames from `start` on, float32.

    Each frame has a counter-based generator of its own (Philox, key: seed, counter: frame).
    """
    rows = np.empty((frames, width), np.float32)
    for row in range(frames):
        counter = np.array([0, 0, start + row, 0], np.uint64)
        bits = np.random.Philox(key=seed % 2**64, counter=counter)
        np.random.Generator(bits).standard_normal(dtype=np.float32, out=rows[row])
    return torch.from_numpy(rows)
