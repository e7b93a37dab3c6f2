"""Turned square regions of pictures: cut out for a network, and its points brought back.

Regions are rows (x, y, size, angle): the centre and the side in pixels of the picture (pixel centres lie at
whole numbers), and by how much the region is turned clockwise, in radians.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.images import Image

SHRINK = 1.5
"""From this many picture pixels to one of the window on, the picture is averaged before it is sampled."""


def whole_region(image: Image, angle: float = 0.0) -> np.ndarray:
    """The square around the whole picture, [4]."""
    height, width = image.shape[:2]
    return np.array([(width - 1) / 2, (height - 1) / 2, max(height, width), angle])


def corners(regions: np.ndarray) -> np.ndarray:
    """Corners of regions [..., 4], [..., 4, 2], clockwise from the first."""
    unit = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    return to_picture(np.broadcast_to(unit + 0.5, (*regions.shape[:-1], 4, 2)), regions)


def to_picture(points: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Points [..., P, 2 or 3] of regions [..., 4], in shares of their sides, as pixels of the picture."""
    x, y, size, angle = (regions[..., k, None] for k in range(4))
    u, v = (points[..., 0] - 0.5) * size, (points[..., 1] - 0.5) * size
    cos, sin = np.cos(angle), np.sin(angle)
    placed = [x + u * cos - v * sin, y + u * sin + v * cos]
    return np.stack(placed + [points[..., k] * size for k in range(2, points.shape[-1])], -1)


def cut_regions(
    images: Sequence[Image], regions: np.ndarray, side: int, *, border: str, device: torch.device
) -> Tensor:
    """One region of each picture -> [N, 3, side, side] in 0..1.

    border: padding outside the picture: "zeros", or "border" for its nearest pixel.
    """
    cut = [_cut(i, r, side, border, device) for i, r in zip(images, regions, strict=True)]
    return torch.cat(cut) if cut else torch.zeros((0, 3, side, side), device=device, dtype=torch.float32)


def _cut(image: Image, region: np.ndarray, side: int, border: str, device: torch.device) -> Tensor:
    part, origin, shrunk = _surroundings(image, region, side)
    pixels = torch.from_numpy(np.array(part)).to(device).permute(2, 0, 1)[None].to(torch.float32) / 255
    height, width = part.shape[:2]
    # Window pixels -> pixels of the part, then -> -1..1 over it, as one affine map.
    x, y, size, angle = region
    centre = ((np.array([x, y]) - origin + 0.5) / shrunk * 2) / (width, height) - 1
    scale = size / shrunk / np.array([width, height])
    cos, sin = np.cos(angle), np.sin(angle)
    theta = [[cos * scale[0], -sin * scale[0], centre[0]], [sin * scale[1], cos * scale[1], centre[1]]]
    grid = F.affine_grid(
        torch.tensor([theta], device=device, dtype=torch.float32), [1, 3, side, side], align_corners=False
    )
    return F.grid_sample(pixels, grid, "bilinear", border, align_corners=False)


def _surroundings(image: Image, region: np.ndarray, side: int) -> tuple[Image, np.ndarray, int]:
    """The part of the picture that a region needs, made smaller; its first pixel there, and how much smaller.

    Only this part is looked at: a picture may be far larger than the face in it.
    """
    ratio = region[2] / side
    shrink = round(ratio) if ratio > SHRINK else 1
    height, width = image.shape[:2]
    around = corners(region)
    low = np.floor(around.min(0)).astype(int) - 2 * shrink
    high = np.ceil(around.max(0)).astype(int) + 2 * shrink + 1
    left, top = (int(v) for v in np.clip(low, 0, (width - 1, height - 1)))
    right, bottom = (int(v) for v in np.clip(high, (left + 1, top + 1), (width, height)))
    part = image[top:bottom, left:right]
    if shrink == 1:
        return np.ascontiguousarray(part), np.array([left, top]), 1
    import cv2

    # Whole blocks of pixels are averaged; the last ones are filled up with the edge.
    part = cv2.copyMakeBorder(
        part, 0, -(bottom - top) % shrink, 0, -(right - left) % shrink, cv2.BORDER_REPLICATE
    )
    size = (part.shape[1] // shrink, part.shape[0] // shrink)
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.array([left, top]), shrink
