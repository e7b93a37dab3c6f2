"""Inpainting by push-pull (Gortler et al. 1996), and erosion of the mask that it starts from."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def push_pull_inpaint(image: Tensor, confidence: Tensor) -> Tensor:
    """Fills what is unknown of a picture from what is known around it, [B,C,S,S] float32.

    Pull: weighted averages of ever larger cells; push: each level is laid under the next finer one, so that
        the
    nearest known pixels count most. Where nothing is known at all the picture stays.

    Args:
        image: [B,C,S,S]; S a power of two.
        confidence: [B,1,S,S] how far each pixel is known, 0..1.
    """
    confidence, image = confidence.float(), image.float()
    levels = [(image * confidence, confidence)]
    while levels[-1][1].shape[-1] > 1:
        levels.append(tuple(F.avg_pool2d(x, 2) for x in levels[-1]))
    colours, weight = levels[-1]
    if not weight.any():
        return image
    filled = colours / weight.clamp_min(1e-6)
    for colours, weight in reversed(levels[:-1]):
        coarse = F.interpolate(filled, size=weight.shape[-2:], mode="bilinear", align_corners=False)
        known = colours / weight.clamp_min(1e-6)
        filled = coarse + weight.clamp(max=1) * (known - coarse)
    return filled + confidence * (image - filled)


def erode(mask: Tensor, side: int) -> Tensor:
    """Erosion of a mask [B,C,S,S]: the minimum over a square of `side` pixels around each."""
    return -F.max_pool2d(-mask, side, 1, side // 2)
