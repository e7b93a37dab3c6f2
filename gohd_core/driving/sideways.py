"""Sideways shifts of mouth and jaw in people's videos, told from what heads seem to do as they turn."""

from __future__ import annotations

import torch
from torch import Tensor

from gohd_core.motion.curves import smoothstep

_JAW_WITH_YAW = 1.1
"""Shift of the jaw that a head which turns by a radian seems to have: its mesh is too flat."""
_TURNED = (0.15, 0.40)
"""Yaw, and its distance from the person's median, up to which shifts count, and from which on they do not;
radians."""
_NOISE = (0.15, 0.25), (0.45, 0.60)
"""Shifts of mouth and jaw up to which they are noise, and from which on they count whole."""


def clean_shifts(shifts: Tensor, yaw: Tensor) -> Tensor:
    """Shifts of one person's mouth and jaw [T,2], without noise and the error of yaw [T] (radians)."""
    turned = yaw - yaw.median()
    shifts = shifts - shifts.new_tensor([0.0, _JAW_WITH_YAW]) * turned[:, None]
    share = 1 - smoothstep(*_TURNED, torch.maximum(turned.abs(), yaw.abs()))
    low, high = shifts.new_tensor(_NOISE)
    return shifts * share[:, None] * smoothstep(0.0, 1.0, (shifts.abs() - low) / (high - low))
