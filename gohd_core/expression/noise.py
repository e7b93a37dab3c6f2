"""Noise that depends on seed and frame alone, whatever the chunks a clip is predicted in; blinks in it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.special import ndtr, ndtri

from gohd_core.constants import FPS

REFRACTORY = 0.4
"""Seconds after the onset of a blink in which none begins."""
RISE, LARGEST = 0.8, 2.2
"""Seconds of open eyes after which a blink's hazard is that of plain z, and its largest factor on it."""
BELOW = 0.25
"""Values of z from which on eyes blink are lower by this in silence."""
FIRST = 3.0
"""A clip begins 0 to so many seconds after a blink, drawn uniformly."""


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


def space_blinks(noise: Tensor, score: float, since: float) -> tuple[Tensor, float]:
    """z [T, W] whose first column makes eyes blink at human intervals, and the seconds since the last blink.

    Independent values make blinks a Poisson process: two at once, then none for ten seconds. People's
    intervals vary by about six tenths of their mean (A. R. Bentivoglio et al. 1997). Here the hazard, the
    chance of a value above `score`, depends on the time since the last one: none at first, then growing.

    Args:
        since: seconds from the last blink before the first frame.
    """
    upper = ndtr(-noise[:, 0].double()).numpy()
    rare, blinks = ndtr(-torch.tensor([score - BELOW, score], dtype=torch.float64, device="cpu")).tolist()
    for frame, share in enumerate(upper):
        likelier = min(max(since - REFRACTORY, 0.0) / RISE, LARGEST)
        since += 1 / FPS
        if share >= rare * max(likelier, 1.0):
            continue
        # as likely to be above any value of a blink as asked for; else a value as far below
        upper[frame] = share / likelier if share < rare * likelier else 1 - share
        if upper[frame] < blinks:
            since = 0.0
    spaced = noise.clone()
    spaced[:, 0] = -ndtri(torch.from_numpy(upper))
    return spaced, since
