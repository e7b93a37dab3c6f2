"""Geometry of a stored head: its eyes, teeth, contours and skin, as the animator's training needs them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gohd_core.clips import Clip
from gohd_core.stylised.camera import CAMERA_DISTANCE, FOCAL_RATIO, gaze_direction, rotation_matrix
from gohd_core.stylised.ground_truth.face_sheet import sheet_model
from gohd_core.stylised.ground_truth.feature_rings import feature_rings
from gohd_core.stylised.head.template import EYEBALL_RADIUS
from gohd_core.stylised.person.avatar import Avatar
from gohd_core.stylised.person.identity import Identity
from gohd_core.stylised.person.mouth import ARCH_COLUMNS, ARCH_ROWS


@lru_cache(maxsize=1)
def _first_vertices() -> dict[str, int]:
    """Index of each part's first vertex; eyeballs and teeth precede vertices that differ between heads."""
    return {part.name: part.start for part in Avatar(Identity.random(0)).parts}


def eye_place(clip: Clip, frame: int) -> np.ndarray:
    """Centre of the left eye in the head, [3] float32: half the eyes' distance, their height and depth.

    From a frame with correspondences: the eyeball's first vertex is the middle of the iris, a radius from the
    centre in the direction of the gaze.
    """
    size, scale = clip.shapes["frames"][1], clip.info["vertex_scale"]
    at = _first_vertices()["eye_left"]
    scales = scale["xy"], scale["xy"], scale["depth"]
    u, row, depth = clip.read("vertices", frame, frame + 1)[0, at] / scales
    unit = depth / (FOCAL_RATIO * size)
    iris = np.array([(u - size / 2) * unit, (size - 1 - row - size / 2) * unit, CAMERA_DISTANCE - depth])
    pose, gaze = (clip.read(name, frame, frame + 1)[0].astype(np.float64) for name in ("pose", "gaze"))
    centre = iris - EYEBALL_RADIUS * gaze_direction(gaze) - pose[3:]
    x, y, z = centre @ rotation_matrix(pose[:3])
    # In a mirror it is the other eye.
    return np.array([abs(x), y, z], np.float32)


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
    for name in ("teeth_lower", "teeth_upper"):
        vertex = corners - _first_vertices()[name]
        shown = (triangle > 0) & ((vertex >= 0) & (vertex < ARCH_COLUMNS * ARCH_ROWS)).all(-1)
        row, column = np.divmod(vertex, ARCH_COLUMNS)
        along = (weights * (2 * column / (ARCH_COLUMNS - 1) - 1)).sum(-1)
        down = (weights * (2 * row / (ARCH_ROWS - 1) - 1)).sum(-1)
        places.append(np.stack([along, down]) * shown)
        seen.append(shown)
    return np.stack(places).astype(np.float32), np.stack(seen).astype(np.float32)


@dataclass(frozen=True)
class HeadShape:
    """rings [2,7,48,3] and sheet [24,24,3] without expression, float32 model units; length of the lashes."""

    rings: np.ndarray
    lashes: float
    sheet: np.ndarray


def head_shape(clip: Clip) -> HeadShape:
    """From a clip's identity."""
    identity, rings, sheet = clip.read("identity"), feature_rings(), sheet_model()
    return HeadShape(
        rings.mean + rings.identity @ identity,
        _lash_length(clip.info["identity_seed"]),
        sheet.mean + sheet.identity @ identity,
    )


@lru_cache(maxsize=4096)
def _lash_length(seed: int) -> float:
    return Identity.random(seed).style.lashes
