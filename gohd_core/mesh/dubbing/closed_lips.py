"""Lips of a clip where they are shut: what open ones, whose edge no mesh knows to the pixel, look like."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter

from gohd_core.images import Image
from gohd_core.mesh.contours import HALF
from gohd_core.mesh.dubbing.mouth_picture import Axes
from gohd_core.mesh.frame import EDGE
from gohd_core.mesh.picture.photometry import LUMA, smoothstep

_OUTER = 4
"""The contour around the lips."""
_STEPS = 16
_EDGE, _LAID, _LIGHT = (0.4, 0.75), (0.7, 1.0), (0.5, 0.75)
"""Shares of the way from the lips' edge to their outer contour: where they are shut ones whatever they look
like, and where they differ; and from and at which a frame's lips tell the light on them."""
_DIFFERENT = (12.0, 30.0)
"""Difference of a channel, of 255, from and at which what should be lips is teeth or dark."""
_SOFT = 0.1
"""Deviation of the Gaussian over light, model units."""
_MOST_LIGHT, _TINT = 1.4, 0.5
"""Most by which light differs, and the power of its colour that is taken over."""
_REACH, _LINE_ROWS, _LINE_WIDTH = 0.025, 41, 0.004
"""How far from the mesh's the line between lips is looked for, and how wide it is, model units."""
_NEAR = 1.5
"""Deviations of the light by which a line at the end of that reach must be darker."""


def mouth_line(picture: Image, edge: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """How far above an inner contour [48,2] of shut lips, in pixels, the dark line between them lies.

    Model units [48]; unit: [2] pixels of one along the mouth's axis and across it.
    """
    axes = Axes.of(edge)
    along = ((edge[: HALF + 1] - axes.middle) @ axes.right)[1:-1]
    way = np.linspace(-1, 1, _LINE_ROWS)[:, None]
    upper, lower = axes.heights(edge, along[::-1])
    up = ((upper + lower) / 2)[::-1] + way * _REACH * unit[1]
    at = axes.pixels(np.broadcast_to(along, up.shape), up).astype(np.float32)
    seen = (
        cv2.remap(picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) @ LUMA
    )
    seen = cv2.GaussianBlur(seen, (0, 0), 1.5, sigmaY=_LINE_WIDTH / _REACH * _LINE_ROWS / 2)
    found = way[(seen / max(float(seen.std()), 1.0) + _NEAR * way**2).argmin(0), 0] * _REACH
    half = np.zeros(HALF + 1)
    half[1:-1] = gaussian_filter1d(median_filter(found, 5, mode="nearest"), 2.0, mode="nearest")
    half *= np.sin(np.linspace(0, np.pi, HALF + 1)) ** 0.5
    return np.concatenate([half, half[1:-1][::-1]])


class ClosedLips:
    """One picture of shut lips, laid over a frame's own in that frame's light."""

    def __init__(self, picture: Image, contours: np.ndarray, scale: float) -> None:
        """picture: [S,S,3] around them. contours: [7,48,2] in its pixels. scale: pixels a model unit."""
        self._picture, self._soft = picture, max(1.0, _SOFT * scale)
        self._way = np.full(picture.shape[:2], 2.0, np.float32)
        cv2.fillPoly(self._way, [contours[_OUTER + 1].round().astype(np.int32)], 1.0)
        for share in np.linspace(1, 0, _STEPS):
            ring = contours[EDGE] + share * (contours[_OUTER] - contours[EDGE])
            cv2.fillPoly(self._way, [(ring * 16).round().astype(np.int32)], float(share), cv2.LINE_8, 4)
        self._way = cv2.GaussianBlur(self._way, (0, 0), max(0.5, 0.006 * scale))

    def over(self, drawn: np.ndarray, at: tuple[np.ndarray, np.ndarray], share: float) -> np.ndarray:
        """Colours [h,w,3] of a frame's window with these lips in it.

        Args:
            drawn: [h,w,3] float32 without them.
            at: where this picture has each pixel, [h,w] columns and rows.
            share: of what is laid over.
        """
        lips = cv2.remap(self._picture, *at, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        lips = lips.astype(np.float32)
        way = cv2.remap(self._way, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=2.0)
        known = (smoothstep(*_LIGHT, way) * (1 - smoothstep(0.97, 1.0, way)))[..., None]
        own, theirs = (self._blurred(each * known) + 1e-2 for each in (drawn, lips))
        grey = (own @ LUMA / (theirs @ LUMA)).clip(1 / _MOST_LIGHT, _MOST_LIGHT)[..., None]
        tint = (own / theirs / grey).clip(1 / _MOST_LIGHT, _MOST_LIGHT) ** _TINT
        laid = (lips * grey * tint).clip(0, 255)
        different = cv2.GaussianBlur(np.abs(laid - drawn).max(-1), (0, 0), max(0.5, self._soft / 12))
        weight = (1 - smoothstep(*_LAID, way)) * smoothstep(*_DIFFERENT, different)
        weight = np.maximum(weight, 1 - smoothstep(*_EDGE, way))
        return drawn + share * weight[..., None] * (laid - drawn)

    def _blurred(self, values: np.ndarray) -> np.ndarray:
        """Gaussian of values [h,w,3], at a step of a third of its deviation."""
        step = max(1.0, self._soft / 3)
        size = tuple(max(1, round(side / step)) for side in values.shape[1::-1])
        small = cv2.GaussianBlur(
            cv2.resize(values, size, interpolation=cv2.INTER_AREA), (0, 0), self._soft / step
        )
        return cv2.resize(small, values.shape[1::-1], interpolation=cv2.INTER_LINEAR)
