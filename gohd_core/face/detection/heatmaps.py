"""Crops for the landmark network, and landmarks from its heatmaps, many faces at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gohd_core.face.crop import Box
from gohd_core.images import Image

CROP = 256
"""Side of the network's input in pixels; its heatmaps have a quarter of it."""
REFERENCE_SCALE = 195.0
"""Width plus height of a box that is seen at scale 1."""
SCALE_SIDE = 200.0
"""Side in pixels of the view at scale 1."""
LIFT = 0.12
"""The crop's centre lies this share of the box's height above the box's centre."""


@dataclass(frozen=True)
class View:
    """The square of a picture that the network sees.

    Attributes: centre (x, y) and side in pixels; left, top, right, bottom: its whole-pixel corners.
    """

    centre: tuple[float, float]
    side: float
    corners: tuple[int, int, int, int]


def view_of(box: Box) -> View:
    """Face-alignment's crop of a detector's box; corners are truncated toward zero."""
    x = box.right - box.width / 2
    y = box.bottom - box.height / 2 - box.height * LIFT
    side = SCALE_SIDE * (box.width + box.height) / REFERENCE_SCALE
    # Its points count from 1, so that the first pixel lies a step of the crop inside the square.
    first, last = 1 / CROP - 0.5, 0.5
    left, top, right, bottom = (int(c + s * side) for c, s in ((x, first), (y, first), (x, last), (y, last)))
    return View((x, y), side, (left, top, max(right, left + 1), max(bottom, top + 1)))


def cut_view(image: Image, view: View) -> Image:
    """The view at 256 x 256, black outside the picture, resized as the library does (bilinear)."""
    import cv2

    left, top, right, bottom = view.corners
    height, width = image.shape[:2]
    shown = np.zeros((bottom - top, right - left, 3), np.uint8)
    inner = image[max(top, 0) : max(min(bottom, height), 0), max(left, 0) : max(min(right, width), 0)]
    y, x = max(-top, 0), max(-left, 0)
    if inner.size:
        shown[y : y + inner.shape[0], x : x + inner.shape[1]] = inner
    return cv2.resize(shown, (CROP, CROP), interpolation=cv2.INTER_LINEAR)


def read_heatmaps(
    heatmaps: np.ndarray, views: list[View], *, whole_pixels: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Landmarks in pixels of each picture, and how sure the network is of them.

    The peak of each map, moved by a quarter of a cell towards its higher neighbours.

    Args:
        heatmaps: [B, 68, S, S].
        whole_pixels: as released, where landmarks are truncated to whole pixels, which makes them jitter.
    Returns: landmarks [B, 68, 2], pixel centres at whole numbers; mean height of the peaks [B].
    """
    count, points, side, _ = heatmaps.shape
    flat = heatmaps.reshape(count, points, -1)  # [B,68,64,64] -> [B,68,4096]
    index = flat.argmax(-1)
    rows, columns = np.divmod(index, side)
    b, p = np.ogrid[:count, :points]
    inner = (rows > 0) & (rows < side - 1) & (columns > 0) & (columns < side - 1)
    r, c = rows.clip(1, side - 2), columns.clip(1, side - 2)
    across = np.sign(heatmaps[b, p, r, c + 1] - heatmaps[b, p, r, c - 1])
    down = np.sign(heatmaps[b, p, r + 1, c] - heatmaps[b, p, r - 1, c])
    shift = 0.25 * np.stack([across, down], -1) * inner[..., None]
    places = (np.stack([columns, rows], -1) + 0.5 + shift) / side
    if whole_pixels:
        centre = np.array([view.centre for view in views])[:, None]
        extent = np.array([view.side for view in views])[:, None, None]
        found = np.trunc(centre + (places - 0.5) * extent)
    else:
        box = np.array([view.corners for view in views], np.float64)[:, None]
        found = box[..., :2] + places * (box[..., 2:] - box[..., :2]) - 0.5
    return found, flat.max(-1).mean(-1)
