"""Simple measures of a portrait's picture: its blur, and the contrast of its lips against the skin."""

from __future__ import annotations

import cv2
import numpy as np

from gohd_core.measures.face_points import face_region
from gohd_core.measures.images import gradient_energy
from gohd_core.mesh.contours import INNER_LIPS, LIP_SKIN, OUTER_LIPS

_SIGMA = 1.0


def blur(picture: np.ndarray, points: np.ndarray) -> float:
    """Share of a face's gradient energy that a blur of a pixel leaves.

    About 0.7 where it is sharp, near 1 where it was blurred before (after Crete et al. 2007).

    Args:
        picture: u8 [H,W,3].
        points: [478, 2 or 3] the face mesh in its pixels.
    """
    region = face_region(points, *picture.shape[:2])
    soft = cv2.GaussianBlur(picture, (0, 0), _SIGMA)
    return gradient_energy(soft, region) / max(gradient_energy(picture, region), 1e-6)


def lip_contrast(picture: np.ndarray, points: np.ndarray) -> float:
    """Distance in CIELAB between the lips' colour and that of the skin around them (medians)."""
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    around, outer, inner = (
        _filled(points, loop.points, picture.shape[:2]) for loop in (LIP_SKIN, OUTER_LIPS, INNER_LIPS)
    )
    lips, skin = outer & ~inner, around & ~outer
    if not lips.any() or not skin.any():
        return 0.0
    return float(np.linalg.norm(np.median(lab[lips], 0) - np.median(lab[skin], 0)))


def _filled(points: np.ndarray, loop: tuple[int, ...], shape: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [points[list(loop), :2].round().astype(np.int32)], 1)
    return mask.astype(bool)
