"""Background of a portrait, inpainted by push-pull where the head occludes it."""

from __future__ import annotations

import torch
from torch import Tensor

from gohd_core.animator.geometry.push_pull import erode, push_pull_inpaint

_COLOUR_MARGIN = 5
"""Side in pixels of the square that must be background around a pixel whose colour is believed: hair shines
through."""
_MASK_MARGIN = 3
"""Side of that square for the background mask, whose edge lies a pixel too far out."""


def inpaint_background(image: Tensor, confidence: Tensor, mask: Tensor) -> Tensor:
    """The picture without the head (3 channels), and its eroded background mask (1), [B,4,S,S] float32.

    Args:
        image: [B,3,S,S]; S a power of two.
        confidence: [B,1,S,S] how far each pixel's colour is the background's, 0..1.
        mask: [B,1,S,S] the source's background mask.
    """
    background = push_pull_inpaint(image, erode(confidence, _COLOUR_MARGIN))
    return torch.cat([background, erode(mask.float(), _MASK_MARGIN)], dim=1)
