"""A picture and a sound to run nodes with."""

from __future__ import annotations

import math

import torch

SECONDS = 0.52
FRAMES = 13


def picture(width: int = 80, height: int = 80, batch: int = 1) -> torch.Tensor:
    ramp = torch.linspace(0, 1, width).expand(height, -1)
    image = torch.stack([ramp, ramp.flip(1), ramp * 0.5], dim=-1)
    return image[None].repeat(batch, 1, 1, 1)


def speech(seconds: float = SECONDS, rate: int = 22_050) -> dict:
    time = torch.arange(round(seconds * rate)) / rate
    wave = 0.3 * torch.sin(2 * math.pi * 150 * time) * (1 + torch.sin(2 * math.pi * 4 * time)) / 2
    return {"waveform": wave[None, None].repeat(1, 2, 1), "sample_rate": rate}
