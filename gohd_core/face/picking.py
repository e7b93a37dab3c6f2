"""Picks one of several faces: by size, position, index, a box or a mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gohd_core.choices import ORDERS
from gohd_core.errors import BadInput
from gohd_core.face.crop import Box


@dataclass(frozen=True, eq=False)
class FaceChoice:
    """Choice of one face among several: by a mask, else a box, else the order.

    Attributes:
        order: how faces are counted, one of `ORDERS`; "central" begins nearest to the picture's middle.
        index: which one in that order, from 0.
        box: (left, top, right, bottom) in pixels: the face that shares most with it.
        mask: [H, W] of the picture's size, above 0 where the face is: the face that it covers best.
    """

    order: str = "largest"
    index: int = 0
    box: Any = None
    mask: Any = None

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise BadInput(f"{self.order!r} is no order of faces; use one of {', '.join(ORDERS)}.")
        if self.index < 0:
            raise BadInput(f"Face number {self.index} makes no sense; count from 0.")

    def pick(self, boxes: Sequence[Box], height: int, width: int) -> int | None:
        """The chosen one's place in `boxes`; None where no face fits (too few, or none touches the mask)."""
        if not boxes:
            return None
        if self.mask is not None:
            return self._covered(boxes, height, width)
        if self.box is not None:
            shares = [overlap(box, Box.of(self.box)) for box in boxes]
            return int(np.argmax(shares)) if max(shares) > 0 else None
        ranked = np.argsort([self._rank(box, height, width) for box in boxes], kind="stable")
        return int(ranked[self.index]) if self.index < len(ranked) else None

    def chosen(self, boxes: Sequence[Box], height: int, width: int) -> int:
        """As `pick`; `BadInput` with a sentence where no face fits."""
        place = self.pick(boxes, height, width)
        if place is None and (self.box is not None or self.mask is not None):
            raise BadInput(
                f"No face lies in the box or mask that was given, of {len(boxes)} found; move it onto one."
            )
        if place is None:
            raise BadInput(
                f"Face number {self.index} is wanted, but the last one found is number {len(boxes) - 1}; "
                "they are counted from 0."
            )
        return place

    def _rank(self, box: Box, height: int, width: int) -> float:
        x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
        ranks = {
            "largest": -box.width * box.height,
            "smallest": box.width * box.height,
            "left": x,
            "right": -x,
            "top": y,
            "bottom": -y,
            "central": (x - width / 2) ** 2 + (y - height / 2) ** 2,
        }
        return ranks[self.order]

    def _covered(self, boxes: Sequence[Box], height: int, width: int) -> int | None:
        mask = np.asarray(self.mask)
        if mask.shape != (height, width):
            raise BadInput(
                f"The mask has shape {mask.shape} and the picture {(height, width)}; give one of its size."
            )
        shares = []
        for box in boxes:
            left, top, right, bottom = box.ints()
            part = mask[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] > 0
            union = (mask > 0).sum() + box.width * box.height - part.sum()
            shares.append(float(part.sum()) / max(float(union), 1e-9))
        return int(np.argmax(shares)) if max(shares) > 0 else None


def overlap(first: Box, second: Box) -> float:
    """Shared area of two boxes over the area of both together, 0..1."""
    width = min(first.right, second.right) - max(first.left, second.left)
    height = min(first.bottom, second.bottom) - max(first.top, second.top)
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / (first.width * first.height + second.width * second.height - shared)
