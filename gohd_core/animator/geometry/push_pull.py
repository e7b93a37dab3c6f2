"""Inpainting by push-pull (Gortler et al. 1996), and erosion of the mask that it starts from."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def push_pull_inpaint(image: Tensor, confidence: Tensor) -> Tensor:
    """Inpaints unknown pixels of pictures [B,C,H,W] (float32) from the known ones around them.

    Pull: weighted averages of ever larger cells; push: each level is laid under the next finer one, so that
    the nearest known pixels count most. Where nothing is known at all the picture stays.

    Args:
        image: [B,C,H,W].
        confidence: [B,1,H,W] how far each pixel is known, 0..1.
    """
    image, confidence = image.float(), confidence.float()
    height, width = image.shape[-2:]
    side = 1 << (max(height, width) - 1).bit_length()
    room = (0, side - width, 0, side - height)
    levels = [(F.pad(image * confidence, room), F.pad(confidence, room))]
    while levels[-1][1].shape[-1] > 1:
        levels.append(tuple(F.avg_pool2d(each, 2) for each in levels[-1]))
    colours, weight = levels[-1]
    if not weight.any():
        return image
    filled = colours / weight.clamp_min(1e-6)
    for colours, weight in reversed(levels[:-1]):
        coarse = F.interpolate(filled, size=weight.shape[-2:], mode="bilinear", align_corners=False)
        known = colours / weight.clamp_min(1e-6)
        filled = coarse + weight.clamp(max=1) * (known - coarse)
    filled = filled[..., :height, :width]
    return filled + confidence * (image - filled)


def erode(mask: Tensor, side: int) -> Tensor:
    """Erosion of a mask [B,C,S,S]: the minimum over a square of `side` pixels around each."""
    return -F.max_pool2d(-mask, side, 1, side // 2)
