"""Smoothing of sampled motion, beyond the paper's sampling.

A small network that predicts x_0 leaves noise from frame to frame in its samples, and falls short in
movements that are fast and no noise. Of the energy of heads' speeds on held-out stylised speech 34 % lay
above 6 Hz, .7 % of the truth's, and 2 % does when smoothed by one frame with a gain of 1.5 (`gohd benchmark
quality --parts motion`).
"""

from __future__ import annotations

import torch
from torch import Tensor

SLOW = 6.0
"""Deviation in frames of the Gaussian that tells slow movements from fast ones: periods of a second pass by a
third."""


def smoothed(motion: Tensor, sigma: float, fast_gain: float = 1.0) -> Tensor:
    """Motion without noise from frame to frame, and its fast movements times a factor.

    Args:
        motion: [T, C]; beyond its ends it is taken to rest.
        sigma: deviation in frames of the Gaussian that it is smoothed by; 0 returns it as it is.
        fast_gain: factor on what a Gaussian of `SLOW` frames takes away.
    """
    if sigma == 0:
        return motion
    reach = round(4 * SLOW)
    away = torch.arange(-reach, reach + 1, dtype=motion.dtype, device=motion.device)
    fine, slow = (torch.softmax(-0.5 * (away / width) ** 2, dim=0) for width in (sigma, SLOW))
    kernel = slow + fast_gain * (fine - slow)
    padded = torch.cat([motion[:1].expand(reach, -1), motion, motion[-1:].expand(reach, -1)])
    return (padded.unfold(0, len(kernel), 1) * kernel).sum(-1)
