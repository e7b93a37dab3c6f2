"""Which pixels of a stored picture show which row of teeth, and where on it."""

from __future__ import annotations

import numpy as np

from gohd_core.clips import Clip
from gohd_core.stylised.first_vertices import first_vertex
from gohd_core.stylised.mouth import ARCH_COLUMNS, ARCH_ROWS

_NAMES = ("teeth_lower", "teeth_upper")


def teeth_places(clip: Clip, frame: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Places and rows of teeth in a frame of a clip with correspondences, at every n-th pixel.

    Returns places [2, 2, size, size] float32 (lower row, upper row; along it, the image's left to right, and
    down it, -1..1; 0 where it is not seen) and seen [2, size, size] float32.
    """
    step = clip.shapes["triangle"][1] // size
    triangle = clip.read("triangle", frame, frame + 1)[0, ::step, ::step].astype(np.int32)
    weights = clip.read("barycentric", frame, frame + 1)[0, ::step, ::step].astype(np.float32) / 255
    corners = clip.read("faces").astype(np.int32)[np.maximum(triangle - 1, 0)]
    weights = np.concatenate([weights, 1 - weights.sum(-1, keepdims=True)], -1)
    places, seen = [], []
    for first in map(first_vertex, _NAMES):
        vertex = corners - first
        shown = (triangle > 0) & ((vertex >= 0) & (vertex < ARCH_COLUMNS * ARCH_ROWS)).all(-1)
        row, column = np.divmod(vertex, ARCH_COLUMNS)
        along = (weights * (2 * column / (ARCH_COLUMNS - 1) - 1)).sum(-1)
        down = (weights * (2 * row / (ARCH_ROWS - 1) - 1)).sum(-1)
        places.append(np.stack([along, down]) * shown)
        seen.append(shown)
    return np.stack(places).astype(np.float32), np.stack(seen).astype(np.float32)
