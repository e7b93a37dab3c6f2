"""Lids of a real eye that go along with its iris, up and down, in a frame's own pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gohd_core.mesh.picture.photometry import smoothstep

UPPER_FOLLOWS, LOWER_FOLLOWS = (0.85, 1.0), (0.35, 0.45)
"""Shares of an iris' way, up and down, that lids go along (Becker and Fuchs 1988)."""
_UPPER, _LOWER = slice(9, 16), slice(1, 8)
_FADE = (0.30, 0.24)
"""Reach of a lid's motion above and below its edge, over the eye's width."""
_LEAST = (0.05, 0.5)
"""Pixels that an edge goes by from and at which its skin is drawn anew."""


@dataclass(frozen=True)
class MovedLids:
    """Lids of one frame in a window.

    Attributes:
        lids: [16,2] their edges as they are to be, pixels of the window.
        skin: [h,w,C] float32 the window with their skin moved.
        share: [h,w] how far it differs from what was there.
        opened: [h,w] pixels that the edge beside it has gone outwards by.
    """

    lids: np.ndarray
    skin: np.ndarray
    share: np.ndarray
    opened: np.ndarray


def moved_lids(source: np.ndarray, lids: np.ndarray, way: np.ndarray, width: float) -> MovedLids:
    """Moves the lids of a window [h,w,C] for an iris that goes up or down.

    Args:
        lids: [16,2] edges in pixels of the window: the lower one 0..8 from corner to corner, the upper 9..15.
        way: [2] pixels that the iris goes by, across the line through the eye's corners.
        width: pixels from corner to corner.
    """
    row, column = np.mgrid[0 : source.shape[0], 0 : source.shape[1]].astype(np.float32)
    right = (lids[8] - lids[0]) / max(float(np.linalg.norm(lids[8] - lids[0])), 1e-6)
    down = np.array([-right[1], right[0]])
    down = down * np.sign((lids[4] - lids[12]) @ down)
    along, depth = (((np.stack([column, row], -1) - lids[0]) @ axis) for axis in (right, down))
    end = float((lids[8] - lids[0]) @ right)

    def edge(points: np.ndarray) -> np.ndarray:
        """Distance of an edge below the line through the corners at every pixel, [h,w]."""
        x, y = (points - lids[0]) @ right, (points - lids[0]) @ down
        order = np.argsort(x)
        return np.interp(along, [0.0, *x[order], end], [0.0, *y[order], 0.0])

    def bow(x: np.ndarray) -> np.ndarray:
        """1 in the middle of the eye, 0 at its corners and beyond."""
        return np.sin(np.pi * (x / end).clip(0, 1))

    moved, field = lids.astype(np.float64).copy(), np.zeros((*source.shape[:2], 2))
    opened = np.zeros(source.shape[:2])
    middle = (edge(lids[_UPPER]) + edge(lids[_LOWER])) / 2
    downwards = int(way @ down > 0)
    for part, share, reach, sign in (
        (_UPPER, UPPER_FOLLOWS[downwards], _FADE[0], -1.0),
        (_LOWER, LOWER_FOLLOWS[downwards], _FADE[1], 1.0),
    ):
        moved[part] += share * bow((lids[part] - lids[0]) @ right)[:, None] * way
        beyond = sign * (depth - edge(moved[part])) / (reach * width)
        goes = bow(along) * (1 - smoothstep(0.0, 1.0, beyond)) * (sign * (depth - middle) > 0)
        field += (share * goes)[..., None] * way
        opened += share * goes * max(float(sign * (way @ down)), 0.0)
    at = (np.stack([column, row], -1) - field).astype(np.float32)
    skin = cv2.remap(source, at[..., 0], at[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return MovedLids(moved, skin, smoothstep(*_LEAST, np.linalg.norm(field, axis=-1)), opened)
