"""Skin flow of a real face by jaw and cheeks, in a square of a frame's own pixels."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from scipy.interpolate import LinearNDInterpolator

from gohd_core.measures.face_points import OVAL
from gohd_core.mesh.clip import NOSE_BASE
from gohd_core.mesh.contours import LIPS_WITHIN, N_FACE
from gohd_core.mesh.picture.photometry import smoothstep
from gohd_core.mesh.reading.canonical import canonical_face

_GRID, _SOFT = 64, 1.2
"""Places a side at which it is worked out, and by how many it is blurred."""
_STILL = 0.1
"""How far above what moves points are taken to stay, model units."""
_RINGS, _OUTSIDE = (1.22, 1.6, 2.4), 0.35
"""Sizes of outlines around the face; at the first the outline's shift goes on by a share, then nothing."""


@lru_cache(maxsize=1)
def fade() -> np.ndarray:
    """Weights of mesh points [468] in that flow: 1 up to the nose, 0 from near the eyes on."""
    height = canonical_face().points[:, 1].numpy()
    nose, eyes = height[NOSE_BASE], height[[33, 263, 133, 362]].mean()
    return 1 - smoothstep(nose, nose + 0.75 * (eyes - nose), height)


@lru_cache(maxsize=1)
def _kept() -> np.ndarray:
    """Mesh points by which the flow is worked out: what moves but for the lips, and what stays beside it."""
    height = canonical_face().points[:, 1].numpy()
    still = height[fade() == 0].min() + _STILL
    return np.array([k for k in range(N_FACE) if k not in LIPS_WITHIN and height[k] < still])


def skin_flow(start: np.ndarray, shift: np.ndarray, side: int) -> np.ndarray:
    """Backward flow [S,S,2] in pixels of a square of `side`, of mesh points [468,2] that go by `shift`."""
    outline = start[list(OVAL)]
    centre = outline.mean(0)
    rings = [centre + grown * (outline - centre) for grown in _RINGS]
    far = np.array([[-side, -side], [2 * side, -side], [-side, 2 * side], [2 * side, 2 * side]], float)
    kept = _kept()
    at = np.concatenate([start[kept], *rings, far])
    still = np.zeros((2 * len(outline) + len(far), 2))
    shifts = np.concatenate([shift[kept], _OUTSIDE * shift[list(OVAL)], still])
    row, column = np.mgrid[0:_GRID, 0:_GRID]
    grid = (np.stack([column, row], -1) + 0.5) * side / _GRID - 0.5
    flow = np.nan_to_num(LinearNDInterpolator(at + shifts, -shifts)(grid)).astype(np.float32)
    flow = cv2.GaussianBlur(flow, (0, 0), _SOFT)
    return cv2.resize(flow, (side, side), interpolation=cv2.INTER_CUBIC)
