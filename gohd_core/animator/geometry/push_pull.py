"""What is known of a picture, grown over the rest by push-pull."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


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
