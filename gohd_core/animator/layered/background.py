"""The wall behind the head: what a portrait shows of it, grown smoothly over what the head hides."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

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


def grown(image: Tensor, owned: Tensor) -> Tensor:
    """What is known of a picture, grown over the rest: the wall over the head, skin over eyes; [B,3,S,S].

    Averages of ever larger cells are laid under what is known ("push-pull"), so that the nearest counts most.
    Where nothing is known at all the picture stays.

    Args:
        image: [B,3,S,S]; S a power of two.
        owned: how far a pixel is known, [B,1,S,S] in 0..1.
    """
    owned, image = owned.float(), image.float()
    levels = [(image * owned, owned)]
    while levels[-1][1].shape[-1] > 1:
        levels.append(tuple(F.avg_pool2d(x, 2) for x in levels[-1]))
    colours, weight = levels[-1]
    if not weight.any():
        return image
    filled = colours / weight.clamp_min(1e-6)
    for colours, weight in reversed(levels[:-1]):
        grown = F.interpolate(filled, size=weight.shape[-2:], mode="bilinear", align_corners=False)
        known = colours / weight.clamp_min(1e-6)
        filled = grown + weight.clamp(max=1) * (known - grown)
    return filled + owned * (image - filled)


def least(shares: Tensor, side: int) -> Tensor:
    """The smallest in a square of that side around each pixel."""
    return -F.max_pool2d(-shares, side, 1, side // 2)
