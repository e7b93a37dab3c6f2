"""Squares of a film's pictures around a mouth: taken out, and put back."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from gohd_core.images import Image
from gohd_core.mesh.picture.photometry import smoothstep

_MARGIN = 5
"""Pixels around what is moved that are drawn as well."""


@lru_cache(maxsize=4)
def grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows of a square's pixels, [S,S] each."""
    row, column = np.mgrid[0:side, 0:side].astype(np.float32)
    return column, row


@lru_cache(maxsize=4)
def edge_fade(side: int) -> np.ndarray:
    """0 at a square's edge, 1 well inside."""
    line = np.minimum(np.arange(side), side - 1 - np.arange(side))
    return smoothstep(0, 0.06 * side, np.minimum(line[:, None], line))


def around(moved: np.ndarray, part: tuple[slice, slice]) -> tuple[tuple[slice, slice], tuple[int, int]]:
    """The rectangle of a square [S,S] with what is moved, a part and a margin; and its top and left."""
    left, top, width, height = cv2.boundingRect(moved.astype(np.uint8))
    first = [max(min(low, each.start) - _MARGIN, 0) for low, each in zip((top, left), part, strict=True)]
    ends = top + height, left + width
    last = [min(max(high, each.stop) + _MARGIN, len(moved)) for high, each in zip(ends, part, strict=True)]
    if not width:
        first, last = [each.start for each in part], [each.stop for each in part]
    return tuple(slice(*each) for each in zip(first, last, strict=True)), tuple(first)


def taken(image: Image, corner: np.ndarray, side: int) -> np.ndarray:
    """A copy of the square of a picture, its edge repeated beyond it."""
    size = np.array(image.shape[1::-1])
    first = np.minimum(np.maximum(corner, 0), size - 1)
    last = np.maximum(np.minimum(corner + side, size), first + 1)
    seen = image[first[1] : last[1], first[0] : last[0]]
    if (last - first == side).all():
        return np.array(seen)
    (left, top), (right, bottom) = (np.maximum(each, 0) for each in (first - corner, corner + side - last))
    if left + right + last[0] - first[0] != side or top + bottom + last[1] - first[1] != side:
        x, y = (np.arange(side) + k for k in corner)
        return image[y.clip(0, size[1] - 1)[:, None], x.clip(0, size[0] - 1)]
    return cv2.copyMakeBorder(seen, top, bottom, left, right, cv2.BORDER_REPLICATE)


def put_back(image: Image, square: np.ndarray, corner: np.ndarray) -> Image:
    """A copy of the picture with the square in it, as far as it reaches."""
    result = np.array(image)
    (x, y), (height, width) = corner, image.shape[:2]
    left, top = max(-x, 0), max(-y, 0)
    right, bottom = min(len(square), width - x), min(len(square), height - y)
    if right > left and bottom > top:
        result[y + top : y + bottom, x + left : x + right] = square[top:bottom, left:right]
    return result
