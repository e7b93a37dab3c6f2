"""The wall behind the head: what a portrait shows of it, grown smoothly over what the head hides."""

from __future__ import annotations

import torch
from torch import Tensor

from gohd_core.animator.geometry.push_pull import grown, least

_FRINGE = 5
"""Side in pixels of the square that must be wall around a pixel which is believed: hair shines through."""
_EDGE = 3
"""The same for how much wall the portrait shows, which at an edge is told a pixel too far out."""


def plate_and_wall(image: Tensor, owned: Tensor, wall: Tensor) -> Tensor:
    """The picture without the head, and how much of it the portrait shows, [B,4,S,S] float32.

    Args:
        image: [B,3,S,S]; S a power of two.
        owned, wall: how far a pixel can be taken for the wall, and shows it, [B,1,S,S] in 0..1.
    """
    plate = grown(image, least(owned, _FRINGE))
    return torch.cat([plate, least(wall.float(), _EDGE)], dim=1)
