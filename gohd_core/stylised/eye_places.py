"""Where the eyes are in a stored head: half their distance, height and depth."""

from __future__ import annotations

import numpy as np

from gohd_core.clips import Clip
from gohd_core.stylised.camera import CAMERA_DISTANCE, FOCAL_RATIO, gaze_direction, rotation_matrix
from gohd_core.stylised.first_vertices import first_vertex
from gohd_core.stylised.template import EYEBALL_RADIUS


def eye_place(clip: Clip, frame: int) -> np.ndarray:
    """The left eye's centre in the head [3] float32, from a frame with correspondences.

    The eyeball's first vertex is the iris's middle, a radius from the centre in the direction of the gaze.
    """
    size, scale = clip.shapes["frames"][1], clip.info["vertex_scale"]
    at = first_vertex("eye_left")
    u, row, depth = clip.read("vertices", frame, frame + 1)[0, at] / (
        scale["xy"],
        scale["xy"],
        scale["depth"],
    )
    unit = depth / (FOCAL_RATIO * size)
    iris = np.array([(u - size / 2) * unit, (size - 1 - row - size / 2) * unit, CAMERA_DISTANCE - depth])
    pose, gaze = (clip.read(name, frame, frame + 1)[0].astype(np.float64) for name in ("pose", "gaze"))
    centre = iris - EYEBALL_RADIUS * gaze_direction(gaze) - pose[3:]
    x, y, z = centre @ rotation_matrix(pose[:3])
    # In a mirror it is the other eye.
    return np.array([abs(x), y, z], np.float32)
