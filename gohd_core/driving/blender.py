"""Motion for Blender and back: a curve for each shape key, and the head's turn in Blender's axes, as JSON.

Shape keys have ARKit's names, as most heads that are made for them do. A head looks along -y with z up, so
that our x, y, z (to the face's left, up, out of the face) are Blender's x, z, -y. The help page of Save
Blendshapes has the few lines that lay the curves on a mesh.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from gohd_core.driving.arkit import BLENDSHAPES, EYES, HEAD, blendshapes, motion_of
from gohd_core.face.geometry.camera import rotation, rotation_angles
from gohd_core.motion import Motion

FORMAT = "gohd-blender-1"
_AXES = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Blender's axes as rows, in ours."""


def blender_content(motion: Motion) -> dict[str, Any]:
    """A motion of the stylised space as the content of a JSON file; raises as `blendshapes` does."""
    made = blendshapes(motion)
    turns = rotation(motion.pose.values[:, :3].double()).transpose(1, 2).numpy()  # points as columns
    angles = Rotation.from_matrix(_AXES @ turns @ _AXES.T).as_euler("xyz")
    places = motion.pose.values[:, 3:].double().numpy() @ _AXES.T
    return {
        "format": FORMAT,
        "fps": str(Fraction(motion.fps)),
        "shape_keys": {name: np.round(made[name].double().numpy(), 6).tolist() for name in BLENDSHAPES},
        "rotation_euler": np.round(angles, 6).tolist(),
        "location": np.round(places, 6).tolist(),
    }


def motion_from_blender(content: dict[str, Any]) -> Motion:
    """The motion behind `blender_content`.

    Raises `KeyError`, `ValueError` or `TypeError` for content of another form.
    """
    turns = Rotation.from_euler("xyz", np.asarray(content["rotation_euler"], np.float64)).as_matrix()
    ours = torch.from_numpy(_AXES.T @ turns @ _AXES).transpose(1, 2)
    pitch, yaw, roll = rotation_angles(ours).T.tolist()
    columns = dict(content["shape_keys"]) | dict(zip(HEAD, (yaw, pitch, roll), strict=True))
    columns |= {name: [0.0] * len(yaw) for name in EYES}
    places = (np.asarray(content["location"], np.float64) @ _AXES).tolist()
    return motion_of(columns, places, Fraction(content["fps"]))
