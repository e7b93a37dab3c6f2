"""Variety of heads between seeds, beyond the paper's sampling: low-frequency noise and mirror images.

A small network that predicts x_0 takes to the mean of what may be: its heads of two seeds share .57 of their
movement, and lean half as far from phrase to phrase as people's do (docs/EXPERIMENTS.md).
"""

from __future__ import annotations

import torch
from torch import Tensor

SLOW = 12.0
"""Standard deviation, in frames, of the Gaussian that slow noise is smoothed by: about half a second."""
_REACH = round(4 * SLOW)
_OFFSET = 0x9E3779B97F4A7C15
"""Takes the seed of slow noise away from that of the white one."""

MIRRORED = {6: (1.0, -1.0, -1.0, -1.0, 1.0, 1.0), 2: (-1.0, 1.0)}
"""Signs under left-right reflection, by channels. Poses: pitch, height and depth stay, yaw, roll and sideways
turn over; gaze in the files' order [horizontal, vertical]."""


def slow_noise(frames: int, channels: int, seed: int) -> Tensor:
    """Smoothed Gaussian noise [frames, channels] of deviation 1, float32 on the CPU."""
    generator = torch.Generator().manual_seed((seed + _OFFSET) % 2**64)
    shape = (frames + 2 * _REACH, channels)
    white = torch.randn(shape, generator=generator, dtype=torch.float32, device="cpu")
    away = torch.arange(-_REACH, _REACH + 1, dtype=torch.float32, device="cpu")
    kernel = torch.exp(-0.5 * (away / SLOW) ** 2)
    kernel = kernel / kernel.square().sum().sqrt()
    return (white.unfold(0, len(kernel), 1) * kernel).sum(-1)  # [T,C,kernel] -> [T,C]


def mirror(values: Tensor) -> Tensor:
    """Poses [..., 6] or gaze [..., 2] as a mirror shows them."""
    return values * torch.tensor(MIRRORED[values.shape[-1]], dtype=values.dtype, device=values.device)
