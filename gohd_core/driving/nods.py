"""Nods of heads by optical flow: a mesh whose mouth talks seems to nod by a degree, and its picture does not.

From frame to frame, points of the upper face are followed in the picture (B. Lucas and T. Kanade 1981), and
their depths tell by how much the head has nodded. The mesh tells the pitch, the flow how it changes.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import torch
from scipy.linalg import solveh_banded

from gohd_core.face.geometry.camera import rotation
from gohd_core.images import Image
from gohd_core.measures.face_points import OUTER_CORNERS
from gohd_core.mesh.clip import upper_rigidity
from gohd_core.mesh.reading.canonical import canonical_face

SECONDS = 0.04
"""Time over which the flow is believed rather than the mesh; at 25 frames a second both count alike. Longer
is truer on drawn heads, and not on people's."""
FAST = np.radians(2.0)
"""Difference between both changes at which a change by the flow counts half."""
_SHARE = 0.2
"""Share of the mesh's points that is followed: those that expressions move least."""
_EYES, _WINDOW, _MARGIN = 120.0, 21, 20
"""Distance of the eyes' outer corners in the patches, window around a point, and margin; their pixels."""
_BACK = 0.5
"""Distance in pixels within which a point must come back to where it was when it is followed backwards."""
_LEAST = 15
"""Points without which nothing is told."""
_FITS = 4
_OUTLIER = 1.5
"""Fits of the head's motion, each with less weight for points that are so many medians off."""


@lru_cache(maxsize=1)
def _points() -> np.ndarray:
    weights = upper_rigidity().numpy()
    return np.flatnonzero(weights > np.quantile(weights, 1 - _SHARE))


def upper_middle() -> np.ndarray:
    """Middle [3] of the upper face in head space, about which nods are corrected."""
    return (upper_rigidity() @ canonical_face().points).numpy()


class PitchFlow:
    """Changes of one head's pitch from frame to frame."""

    def __init__(self) -> None:
        self._last: tuple[Image, np.ndarray, np.ndarray, np.ndarray] | None = None

    def forget(self) -> None:
        """The next face does not follow on the last one."""
        self._last = None

    def change(self, image: Image, mesh: np.ndarray, head: np.ndarray, angles: np.ndarray) -> float:
        """Radians by which the head has nodded since the frame before; NaN where that can't be told.

        Args:
            image: the frame.
            mesh: [478,3] the face in its pixels. head: [478,3] the same points in head space.
            angles: [3] of the head, radians.
        """
        rows = _points()
        before, self._last = self._last, (image, mesh, head[rows], angles)
        if before is None:
            return float("nan")
        patches, ways = _patches(before[:2], (image, mesh), rows)
        start, guess = ways[0], ways[0] + np.median(ways[1] - ways[0], axis=0)
        end, there = _followed(*patches, start, guess)
        back, here = _followed(*patches[::-1], end, end + start - guess)
        seen = there & here & (np.abs(back - start).max(1) < _BACK)
        if seen.sum() < _LEAST:
            return float("nan")
        turn = rotation(torch.from_numpy(before[3]).double()).numpy()
        about_x, about_y = _turned(start[seen], end[seen], before[2][seen] @ turn)
        _, yaw, roll = before[3]
        return float((about_x * np.cos(roll) + about_y * np.sin(roll)) / np.cos(yaw))


def steady_pitch(pitch: np.ndarray, changes: np.ndarray, fps: float) -> np.ndarray:
    """Pitches [T] of meshes, moving as `changes` [T] say, which each lead there from the frame before.

    The least squares of both, in radians; NaN: nothing is known of a change.
    """
    if len(pitch) < 2:
        return pitch
    known = np.isfinite(changes)
    known[0] = False
    changes = np.where(known, changes, 0.0)
    off = changes - np.diff(pitch, prepend=pitch[0])
    weights = (SECONDS * fps) ** 2 * known / (1 + (off / FAST) ** 2)
    after = np.append(weights[1:], 0.0)
    moved = weights * changes
    banded = np.stack([-weights, 1 + weights + after])
    return solveh_banded(banded, pitch + moved - np.append(moved[1:], 0.0))


def _patches(
    first: tuple[Image, np.ndarray], second: tuple[Image, np.ndarray], rows: np.ndarray
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The same part of two frames in grey, and the places [n,2] of the meshes' points in it."""
    right, left = OUTER_CORNERS
    scale = _EYES / max(np.linalg.norm(first[1][left, :2] - first[1][right, :2]), 1.0)
    both = np.concatenate([first[1][rows, :2], second[1][rows, :2]])
    height, width = first[0].shape[:2]
    low = np.floor(both.min(0) - _MARGIN / scale).astype(int).clip(0, (width - 2, height - 2))
    high = np.ceil(both.max(0) + _MARGIN / scale).astype(int).clip(low + 2, (width, height))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    patches, places = [], []
    for image, mesh in (first, second):
        part = np.ascontiguousarray(image[low[1] : high[1], low[0] : high[0]])
        grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
        patches.append(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=method))
        places.append(((mesh[rows, :2] - low + 0.5) * scale - 0.5).astype(np.float32))
    return patches, places


def _followed(
    first: np.ndarray, second: np.ndarray, start: np.ndarray, guess: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where points [n,2] of the first patch lie in the second, and whether they were found."""
    end, found, _ = cv2.calcOpticalFlowPyrLK(
        first,
        second,
        start[:, None].astype(np.float32),
        guess[:, None].astype(np.float32).copy(),
        winSize=(_WINDOW, _WINDOW),
        maxLevel=1,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        criteria=(cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 15, 0.01),
    )
    return end[:, 0], found[:, 0] > 0


def _turned(start: np.ndarray, end: np.ndarray, placed: np.ndarray) -> np.ndarray:
    """Turn about the picture's x and y axes [2], radians, of points [n,3] that go from pixels [n,2] to other
    ones.

    Small turns, shifts and growth of all points by least squares, robustly.
    """
    depth = placed - placed.mean(0)
    depth = depth * np.sqrt(start.var(0).sum() / depth[:, :2].var(0).sum())
    x, y, z = depth.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    across = np.stack([one, zero, x, -y, zero, z], 1)
    up = np.stack([zero, one, y, x, -z, zero], 1)
    matrix, moved = np.concatenate([across, up]), (end - start).astype(np.float64) * (1.0, -1.0)
    weights, found = np.ones(len(x)), np.zeros(6)
    for _ in range(_FITS):
        both = np.tile(weights, 2)
        weighted = matrix * both[:, None]
        found = np.linalg.solve(weighted.T @ matrix + 1e-9 * np.eye(6), weighted.T @ moved.T.ravel())
        off = np.hypot(*(moved.T.ravel() - matrix @ found).reshape(2, -1))
        weights = 1 / (1 + (off / (_OUTLIER * np.median(off) + 1e-6)) ** 2)
    return found[4:]
