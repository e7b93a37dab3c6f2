"""Rims of glasses in front of an eye, which stay where they are while lids move behind them."""

from __future__ import annotations

import cv2
import numpy as np

from gohd_core.mesh.encoding.glasses import darkness_within
from gohd_core.mesh.picture.photometry import LUMA

_REACH, _OF_BRIDGE = 0.13, 0.55
"""Distance within which skin lies beside a rim, in eye widths, and its share of the bridge's darkness."""
_LENGTH, _BESIDE_LIDS = 1.1, 0.05
"""Least length of a rim that touches no lid, and the distance to lids within which dark lines are lashes; in
eye widths."""
_BEYOND, _THICK = (0.08, 0.25), 0.035
"""Range beyond an eye's corners in which a rim before its lid must be seen, and half its thickness, in eye
widths."""
_CLIMB, _STEEPEST = 0.4, 2
"""What a row up or down costs a line, as a share of the bridge's darkness, and its most rows a column."""


def rims(
    source: np.ndarray, opening: np.ndarray, lids: np.ndarray, width: float, bridge: float
) -> np.ndarray:
    """Rims of glasses [h,w], 0..1, in a window [h,w,3] in 0..255.

    Args:
        opening: [h,w] coverage by the opening between the lids [16,2].
        width: of the eye, pixels.
        bridge: darkness of their bridge.
    """
    dark = darkness_within(source @ LUMA / 255, width, _REACH) / bridge
    spared = cv2.dilate(opening, np.ones((3, 3)), iterations=max(1, round(_BESIDE_LIDS * width)))
    lines = ((dark > _OF_BRIDGE) & (spared < 0.5)).astype(np.uint8)
    _, label, stats, _ = cv2.connectedComponentsWithStats(lines)
    long = stats[:, cv2.CC_STAT_WIDTH] > _LENGTH * width
    long[0] = False
    kept = long[label].astype(np.float32)
    row_of = _line(dark)
    if _goes_on(dark, row_of, lids, width):
        row, reach = np.arange(len(dark))[:, None], max(1.0, _THICK * width)
        kept = np.maximum(kept, (np.abs(row - row_of) <= reach).astype(np.float32))
    return cv2.GaussianBlur(cv2.dilate(kept, np.ones((5, 5))), (0, 0), 0.8)


def _line(dark: np.ndarray) -> np.ndarray:
    """Row [w] of the darkest line from the left of a map [h,w] to its right, by dynamic programming."""
    dark = dark.clip(0, 1)
    steps = np.arange(-_STEEPEST, _STEEPEST + 1)
    total, came = dark[:, 0], []
    for column in range(1, dark.shape[1]):
        padded = np.pad(total, _STEEPEST, constant_values=-np.inf)
        each = np.stack([padded[_STEEPEST + k : _STEEPEST + k + len(total)] - _CLIMB * abs(k) for k in steps])
        best = each.argmax(0)
        came.append(steps[best])
        total = each.max(0) + dark[:, column]
    row = [int(total.argmax())]
    for moves in reversed(came):
        row.append(row[-1] + int(moves[row[-1]]))
    return np.array(row[::-1])


def _goes_on(dark: np.ndarray, row_of: np.ndarray, lids: np.ndarray, width: float) -> bool:
    """Whether a line goes on as dark as a rim beyond both corners of an eye, where no lid or lash does."""
    column = np.arange(len(row_of))
    near, far = (each * width for each in _BEYOND)
    left, right = lids[:, 0].min() - column, column - lids[:, 0].max()
    light = dark[row_of, column]
    sides = [light[(away > near) & (away < far)] for away in (left, right)]
    return all(len(side) > 2 and np.percentile(side, 25) > _OF_BRIDGE for side in sides)
