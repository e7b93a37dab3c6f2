"""Appearance of a face: the colours at its mesh's points, by which people are told apart whose ways cross."""

from __future__ import annotations

import cv2
import numpy as np

from gohd_core.face.mediapipe.landmarks import FaceLandmarks
from gohd_core.images import Image
from gohd_core.mesh.contours import N_FACE

SIDE = 48
"""Size in pixels that faces are reduced to, so that one that is far away looks as from near."""
_WEIGHTS = np.array([0.5, 1.0, 1.0])
"""Of lightness and colours; shadows change the first."""


def appearance_of(image: Image, face: FaceLandmarks) -> np.ndarray:
    """Lab colours at a face's points [468,3]."""
    points = face.points[:N_FACE, :2].astype(np.float64)
    limit = np.array(image.shape[1::-1])
    low = np.clip(np.floor(points.min(0)).astype(int) - 2, 0, limit - 1)
    high = np.maximum(np.clip(np.ceil(points.max(0)).astype(int) + 3, 0, limit), low + 1)
    part = image[low[1] : high[1], low[0] : high[0]]
    size = np.array(part.shape[1::-1])
    small = np.maximum(np.round(size * min(SIDE / size.max(), 1.0)).astype(int), 1)
    part = cv2.resize(part, tuple(small.tolist()), interpolation=cv2.INTER_AREA)
    at = ((points - low + 0.5) * (small / size) - 0.5).astype(np.float32)[None]
    blurred = cv2.GaussianBlur(part, (0, 0), 1.0)
    colours = cv2.remap(blurred, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cv2.cvtColor(colours, cv2.COLOR_RGB2LAB)[0].astype(np.float64)


def appearance_distance(appearance: np.ndarray, other: np.ndarray) -> float:
    """Mean distance of two appearance, in Lab steps of 8 bits."""
    return float(np.linalg.norm((appearance - other) * _WEIGHTS, axis=-1).mean())
