"""Image measures: PSNR, SSIM, a perceptual distance, sharpness; by region.

Pictures are float tensors [B, 3, H, W] in 0..1. Regions are boxes [B, n, 4] (left, top, right, bottom)
in shares of the side; several boxes of one picture are pooled.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

SSIM_SIGMA = 1.5
"""Standard deviation of SSIM's Gaussian window, pixels (Wang et al. 2004)."""
SSIM_WIDTH = 11
"""Side of that window."""
C1 = 0.01**2
"""SSIM's constant of the means, for a range of 1."""
C2 = 0.03**2
"""SSIM's constant of the variances."""
_LEVELS = 4
_CELL = 3
_CONTRAST = 0.02
"""Gradients below this (share of full scale) count as flat in the perceptual distance."""
_FLOOR = 1e-10
"""Least mean squared error: identical pictures have 100 dB."""
_LUMA = (0.299, 0.587, 0.114)


def region_mask(boxes: Tensor | None, shape: tuple[int, int], count: int) -> Tensor:
    """[B, 1, H, W] of 0 and 1: pixels whose centre lies in one of the boxes; all ones without boxes."""
    if boxes is None:
        return torch.ones(count, 1, *shape, dtype=torch.float32, device="cpu")
    y, x = ((torch.arange(side, dtype=torch.float32, device="cpu") + 0.5) / side for side in shape)
    left, top, right, bottom = boxes.float().unbind(-1)
    across = (x >= left[..., None]) & (x < right[..., None])
    down = (y >= top[..., None]) & (y < bottom[..., None])
    return (down[..., :, None] & across[..., None, :]).any(1, keepdim=True).float()


def psnr(made: Tensor, true: Tensor, boxes: Tensor | None = None) -> Tensor:
    """Peak signal-to-noise ratio in dB of each picture, [B]; 100 dB at most."""
    return _decibels(_mean(_squared(made, true), boxes))


def ssim(made: Tensor, true: Tensor, boxes: Tensor | None = None) -> Tensor:
    """Structural similarity (Wang et al. 2004: Gaussian window of 11, sigma 1.5, luminance), [B]."""
    return _mean(_similarity(made, true), boxes)


def perceptual_distance(made: Tensor, true: Tensor, boxes: Tensor | None = None) -> Tensor:
    """Ours, without downloaded weights: distance of normalised oriented edges over four scales, [B].

    On each of four halvings: luminance gradients split into eight half-rectified orientations, divided
    by the local edge strength and pooled over 3 x 3 (as in HOG and SIFT), plus the low-passed colour.
    Mean absolute difference, averaged over scales; 0 for identical pictures, about 1 for unrelated
    ones at most. It punishes blur and misplaced edges, and hardly a shift below a pixel.
    """
    return _over_scales(_edge_gaps(made, true), boxes)


def frame_figures(made: Tensor, true: Tensor, regions: Mapping[str, Tensor | None]) -> dict[str, Tensor]:
    """PSNR, SSIM and perceptual distance of each region (prefix -> boxes), each [B], named for a table.

    The same figures as the functions above; the maps that all regions share are computed once.
    """
    squared, similarity, gaps = _squared(made, true), _similarity(made, true), _edge_gaps(made, true)
    figures = {}
    for prefix, boxes in regions.items():
        figures[f"{prefix}PSNR dB"] = _decibels(_mean(squared, boxes))
        figures[f"{prefix}SSIM"] = _mean(similarity, boxes)
        figures[f"{prefix}perc."] = _over_scales(gaps, boxes)
    return figures


def sharpness(made: Tensor, true: Tensor, boxes: Tensor | None = None) -> Tensor:
    """Mean difference of neighbouring pixels as a share of the true picture's, [B]; 1 is as crisp."""
    return _roughness(made, boxes) / _roughness(true, boxes).clamp_min(1e-8)


def gradient_energy(picture: np.ndarray, mask: np.ndarray) -> float:
    """Root mean square of the luminance's gradient (Sobel) in grey levels a pixel, where the mask is true.

    picture: u8 [H, W, 3]; mask: bool [H, W]. Drawn and true pictures may show the same in another place.
    """
    if not mask.any():
        return 0.0
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    x, y = (cv2.Sobel(grey, cv2.CV_32F, *order, ksize=3)[mask] / 8 for order in ((1, 0), (0, 1)))
    return float(np.sqrt((x * x + y * y).mean()))


def _squared(made: Tensor, true: Tensor) -> Tensor:
    return (made - true).square().mean(1, keepdim=True)


def _decibels(squared: Tensor) -> Tensor:
    return -10 * torch.log10(squared.clamp_min(_FLOOR))


def _similarity(made: Tensor, true: Tensor) -> Tensor:
    a, b = _luminance(made), _luminance(true)
    mean_a, mean_b = _gaussian(a), _gaussian(b)
    variance_a = _gaussian(a * a) - mean_a**2
    variance_b = _gaussian(b * b) - mean_b**2
    covariance = _gaussian(a * b) - mean_a * mean_b
    top = (2 * mean_a * mean_b + C1) * (2 * covariance + C2)
    return top / ((mean_a**2 + mean_b**2 + C1) * (variance_a + variance_b + C2))


def _edge_gaps(made: Tensor, true: Tensor) -> list[Tensor]:
    """The perceptual distance of each pixel [B, 1, h, w] on each scale."""
    gaps = []
    for level in range(_LEVELS):
        if level:
            made, true = F.avg_pool2d(made, 2), F.avg_pool2d(true, 2)
        gap = (_edges(made) - _edges(true)).abs().mean(1, keepdim=True)
        gaps.append(gap + (_pooled(made) - _pooled(true)).abs().mean(1, keepdim=True))
    return gaps


def _over_scales(gaps: list[Tensor], boxes: Tensor | None) -> Tensor:
    mask = region_mask(boxes, gaps[0].shape[-2:], len(gaps[0])).to(gaps[0])
    total = torch.zeros_like(gaps[0][:, 0, 0, 0])
    for level, gap in enumerate(gaps):
        mask = F.avg_pool2d(mask, 2) if level else mask
        total = total + (gap * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp_min(1e-6)
    return total / len(gaps)


def _roughness(image: Tensor, boxes: Tensor | None) -> Tensor:
    across = F.pad((image[..., 1:] - image[..., :-1]).abs(), (0, 1))
    down = F.pad((image[..., 1:, :] - image[..., :-1, :]).abs(), (0, 0, 0, 1))
    return _mean((across + down).mean(1, keepdim=True), boxes)


def _mean(values: Tensor, boxes: Tensor | None) -> Tensor:
    mask = region_mask(boxes, values.shape[-2:], len(values)).to(values)
    return (values * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp_min(1)


def _luminance(image: Tensor) -> Tensor:
    return (image * image.new_tensor(_LUMA)[:, None, None]).sum(1, keepdim=True)


def _gaussian(image: Tensor) -> Tensor:
    at = torch.arange(SSIM_WIDTH, dtype=image.dtype, device=image.device) - SSIM_WIDTH // 2
    kernel = torch.exp(-(at**2) / (2 * SSIM_SIGMA**2))
    kernel = kernel / kernel.sum()
    half = SSIM_WIDTH // 2
    padded = F.pad(image, (half, half, half, half), mode="reflect")
    return F.conv2d(F.conv2d(padded, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))


def _edges(image: Tensor) -> Tensor:
    grey = _luminance(image)
    x = F.pad(grey[..., 2:] - grey[..., :-2], (1, 1)) / 2
    y = F.pad(grey[..., 2:, :] - grey[..., :-2, :], (0, 0, 1, 1)) / 2
    turned = 0.5**0.5
    along = torch.cat([x, y, (x + y) * turned, (x - y) * turned], 1)
    parts = torch.cat([along.clamp_min(0), (-along).clamp_min(0)], 1)
    strength = _pooled((x * x + y * y).clamp_min(0)).sqrt()
    return _pooled(parts) / (strength + _CONTRAST)


def _pooled(image: Tensor) -> Tensor:
    return F.avg_pool2d(image, _CELL, 1, _CELL // 2, count_include_pad=False)
