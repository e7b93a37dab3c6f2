"""The square around a face: grown from a detector's box and kept inside the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from gohd_core.choices import SQUARE
from gohd_core.errors import BadInput
from gohd_core.images import Image

MARGIN = 0.4
"""Each side grows by at least this share of the box's own size."""

LIFT = 0.1
"""The box is moved up by this share of its height first: detectors leave the forehead out."""


def is_square(height: int, width: int) -> bool:
    """Whether a picture counts as a square crop of a head."""
    return max(height, width) <= SQUARE * min(height, width)


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels; right and bottom are excluded, as in slicing."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def of(cls, values: Any) -> Box:
        """From four numbers (left, top, right, bottom); `BadInput` when they make no rectangle."""
        if isinstance(values, Box):
            return values
        try:
            left, top, right, bottom = (float(value) for value in values)
        except (TypeError, ValueError) as error:
            raise BadInput("A box is four numbers: left, top, right, bottom in pixels.") from error
        if not all(map(math.isfinite, (left, top, right, bottom))) or right <= left or bottom <= top:
            raise BadInput(
                f"The box ({left:g}, {top:g}, {right:g}, {bottom:g}) is empty; give left < right and "
                "top < bottom, in pixels."
            )
        return cls(left, top, right, bottom)

    @classmethod
    def around(cls, landmarks: np.ndarray) -> Box:
        """The smallest box that holds all landmarks [N, 2]."""
        (left, top), (right, bottom) = landmarks.min(0), landmarks.max(0)
        return cls.of((left, top, right, bottom))

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def as_tuple(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom)."""
        return self.left, self.top, self.right, self.bottom

    def ints(self) -> tuple[int, int, int, int]:
        """The corners truncated toward zero, as the official code slices."""
        return int(self.left), int(self.top), int(self.right), int(self.bottom)


def grown_box(box: Box, height: int, width: int, *, margin: float = MARGIN, release: bool = False) -> Box:
    """Grows a box to a square with a margin and shrinks it until it fits the picture.

    Each side moves out by max(margin, what makes it square with 1 + 2 * margin of the longer side)
    of its own size, truncated toward zero. Where that leaves the picture, all four sides move in by
    the largest excess, so that the square stays centred on the face.

    Args:
        release: the official code measures the excess at right and bottom on the box that came in,
            not on the grown one; the result then reaches past the picture, its slice is cut off, and
            the face is distorted. Only for comparing with it.
    Raises: `BadInput` when nothing is left of the box inside the picture.
    """
    left, top, right, bottom = box.as_tuple()
    side = 1 + 2 * margin
    grow_x = max(margin, (side * box.height - box.width) / (2 * box.width)) * box.width
    grow_y = max(margin, (side * box.width - box.height) / (2 * box.height)) * box.height
    grown = Box(int(left - grow_x), int(top - grow_y), int(right + grow_x), int(bottom + grow_y))
    edge = box if release else grown
    excess = max(0, -grown.left, -grown.top, edge.right - width, edge.bottom - height)
    result = Box(grown.left + excess, grown.top + excess, grown.right - excess, grown.bottom - excess)
    if result.width < 1 or result.height < 1:
        raise BadInput(
            f"The face box {tuple(round(v) for v in box.as_tuple())} lies at or past the edge of the "
            f"{width} x {height} picture, so no square crop fits; give a picture with more room."
        )
    return result


def face_crop_box(box: Box, height: int, width: int, *, release: bool = False) -> Box:
    """The official crop of a detector's box: lifted by a tenth of its height, then grown.

    Source: the official inference code (cropping of source and driving images). With
    `release=True` the boxes equal the official ones exactly; see `grown_box` for what differs.
    """
    lift = LIFT * box.height
    lifted = Box(box.left, max(0, box.top - lift), box.right, min(height, box.bottom - lift))
    if lifted.height <= 0:
        raise BadInput("The face box lies outside the picture; give one that touches it.")
    return grown_box(lifted, height, width, release=release)


def slice_box(image: Image, box: Box) -> Image:
    """The part of an image inside a box, corners truncated; `BadInput` when that is empty."""
    left, top, right, bottom = box.ints()
    if min(left, top) < 0:
        raise BadInput(
            f"The box starts at ({left}, {top}), outside the picture; clip it to the picture first."
        )
    part = image[top:bottom, left:right]
    if part.size == 0:
        raise BadInput(
            f"The box {box.ints()} holds no pixel of the {image.shape[1]} x {image.shape[0]} picture."
        )
    return part


def resize_crop(image: Image, size: int, *, release: bool = False) -> Image:
    """A crop at size x size: area-averaged when shrinking, bilinear when growing.

    release: the official plain bilinear resize, which aliases when shrinking.
    """
    import cv2

    shrinks = min(image.shape[:2]) > size
    method = cv2.INTER_AREA if shrinks and not release else cv2.INTER_LINEAR
    return cv2.resize(image, (size, size), interpolation=method)
