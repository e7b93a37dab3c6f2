"""Mouths and jaws that move sideways in people's videos, told from heads that turn."""

from __future__ import annotations

import torch
from torch import Tensor

from gohd_core.motion.curves import smoothstep

_JAW_WITH_YAW = 1.1
"""Jaw's way aside that a head which turns by a radian seems to have: its mesh is too flat."""
_TURNED = (0.15, 0.40)
"""Yaw, and its distance from the person's median, up to which ways aside are believed, and from which on they
are not; radians."""
_NOISE = (0.15, 0.25), (0.45, 0.60)
"""Ways aside of mouth and jaw up to which they are noise, and from which on they count whole."""


def believed(aside: Tensor, yaw: Tensor) -> Tensor:
    """Ways aside of one person's mouth and jaw [T,2], without noise and the error of yaw [T] (radians)."""
    turned = yaw - yaw.median()
    aside = aside - aside.new_tensor([0.0, _JAW_WITH_YAW]) * turned[:, None]
    share = 1 - smoothstep(*_TURNED, torch.maximum(turned.abs(), yaw.abs()))
    low, high = aside.new_tensor(_NOISE)
    return aside * share[:, None] * smoothstep(0.0, 1.0, (aside.abs() - low) / (high - low))
