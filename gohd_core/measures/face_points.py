"""Measures of faces that were read as MediaPipe's mesh: openings in shares of the face, and its region."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

INNER_LIPS = ((13, 14), (82, 87), (312, 317))
"""Pairs of an upper and a lower point of the inner lips."""
LIDS = (((386, 374), (387, 373), (385, 380)), ((159, 145), (158, 153), (160, 144)))
"""Pairs of an upper and a lower point of the lids' edges, of the subject's left and right eye."""
CORNERS = ((263, 362), (133, 33))
"""Corners of the left and the right eye."""
OUTER_CORNERS = (33, 263)
OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""The outline of the face, from the forehead's middle clockwise in the picture."""


def lips_gap(points: np.ndarray) -> np.ndarray:
    """Height of the opening between the inner lips, in distances of the eyes' outer corners, [T].

    points: [T, 468 or 478, 3] in pixels, z in the same scale. Both are lengths in space, so that a turned
    head has the same.
    """
    return _lengths(points, INNER_LIPS).mean(1) / _lengths(points, (OUTER_CORNERS,))[:, 0]


def lid_heights(points: np.ndarray) -> np.ndarray:
    """Height of each eye's opening in its width, [T, 2], the subject's left eye first; points as above."""
    heights = [_lengths(points, pairs).mean(1) for pairs in LIDS]
    return np.stack(heights, 1) / _lengths(points, CORNERS)


def eye_aspect_ratios(points: np.ndarray) -> np.ndarray:
    """Height over width of each eye's opening in the picture, [T, 2] (Soukupova and Cech 2016): across the
    line between its corners, so that lids which are read beside or behind one another count as shut."""
    flat = points[..., :2]
    ratios = []
    for (outer, inner), pairs in zip(CORNERS, LIDS, strict=True):
        width = flat[:, outer] - flat[:, inner]
        normal = np.stack([-width[:, 1], width[:, 0]], -1)  # as long as the eye is wide
        upper, lower = np.asarray(pairs).T
        apart = (flat[:, lower] - flat[:, upper]).mean(1)
        ratios.append(np.abs((apart * normal).sum(-1)) / (width**2).sum(-1))
    return np.stack(ratios, 1)


def face_region(points: np.ndarray, height: int, width: int) -> np.ndarray:
    """Pixels of a picture within a face's outline, bool [H, W]; points [468 or 478, 2 or 3] in pixels."""
    mask = np.zeros((height, width), np.uint8)
    outline = points[list(OVAL), :2].round().astype(np.int32)
    cv2.fillPoly(mask, [outline], 1)
    return mask.astype(bool)


def _lengths(points: np.ndarray, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """Distances [T, P] between pairs of points."""
    first, second = np.asarray(pairs).T
    return np.linalg.norm(points[:, first] - points[:, second], axis=-1)
