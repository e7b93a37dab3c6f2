"""Regions of a picture in which faces are searched for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gohd_core.face.mediapipe.detector import LEAST_SCORE
from gohd_core.face.mediapipe.landmarks import FaceLandmarks
from gohd_core.face.mediapipe.regions import whole_region
from gohd_core.images import Image

LEAST_ELSEWHERE = 0.7
"""Least score of faces in turned pictures and in tiles: many looks find much that is none."""
SMALLEST_TILE = 256
"""Tiles in which small faces are looked for are not smaller, in pixels: a face of 64 is a quarter of one."""
TILE_OVERLAP = 0.25
"""Share of its side by which a tile reaches into the next."""
SURROUNDINGS = 4.0
"""A face that was lost is looked for this many times its size around its last place first."""


def search_plan(picture: Image) -> Iterator[tuple[float, np.ndarray]]:
    """Regions [N, 4] to search for faces, one set after another, until one is certain.

    With each the least score that counts there.
    """
    yield LEAST_SCORE, whole_region(picture)[None]
    yield (
        LEAST_ELSEWHERE,
        np.stack([whole_region(picture, angle) for angle in (np.pi / 2, -np.pi / 2, np.pi)]),
    )
    longest = max(picture.shape[:2])
    side = longest / 2
    while side >= max(SMALLEST_TILE, longest / 16):
        yield LEAST_ELSEWHERE, _tiles(picture, side)
        side /= 2


def quick_plan(picture: Image, last: FaceLandmarks | None) -> Iterator[tuple[float, np.ndarray]]:
    """Regions to search for a face that was lost: near its last place, and the whole picture."""
    if last is not None:
        x, y = last.points[:, :2].mean(0)
        yield LEAST_SCORE, np.array([[x, y, SURROUNDINGS * last.size, last.roll]], np.float64)
    yield LEAST_SCORE, whole_region(picture)[None]


def _tiles(picture: Image, side: float) -> np.ndarray:
    """Upright squares of that side, [N, 4], that cover the picture and reach into each other."""
    places = []
    for length in picture.shape[1::-1]:
        count = max(1, int(np.ceil((length - side) / (side * (1 - TILE_OVERLAP)))) + 1)
        middle = (length - 1) / 2
        places.append(np.linspace(side / 2, length - side / 2, count) if count > 1 else np.array([middle]))
    x, y = np.meshgrid(*places)
    return np.stack([x.ravel(), y.ravel(), np.full(x.size, side), np.zeros(x.size)], 1)
