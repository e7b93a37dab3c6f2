"""MediaPipe's blendshapes and head matrix as motion in the stylised space, without looking at the picture.

The stylised head's movements have meanings of their own, so that ARKit's 52 shapes can be expressed in them.
The official space is a measured basis without such names: there the pictures themselves must be read
(`extract_motion` with these landmarks).
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import torch

from gohd_core.constants import FPS, N_EXPRESSION, N_IDENTITY, STYLISED
from gohd_core.driving.crop_readers import crop_jitter
from gohd_core.driving.result import Driving, FrameCoefficients, assemble_motion
from gohd_core.driving.steadiness import SmoothingConfig
from gohd_core.driving.timeline import check_missing
from gohd_core.errors import BadInput
from gohd_core.face.crop import Box, face_crop_box
from gohd_core.face.geometry.camera import ALIGNED_SIZE, DISTANCE, FOCAL, rotation, rotation_angles
from gohd_core.face.geometry.morphable import MorphableModel
from gohd_core.face.mediapipe.points import BLENDSHAPES_MISSING, FaceTrack, landmarks_68
from gohd_core.face.reading.gaze_estimator import gaze_direction
from gohd_core.landmarks68 import RIGID

EYE_RANGE = np.radians(30.0)
"""Turn of an eye at eyeLook... = 1, in radians: about the reach of a comfortable glance."""

SHAPES: dict[str, tuple[tuple[str, ...], ...]] = {
    "jaw_open": (("jawOpen",),),
    "lip_pucker": (("mouthPucker",), ("mouthFunnel",)),
    "lip_spread": (("mouthStretchLeft", "mouthStretchRight"), ("mouthDimpleLeft", "mouthDimpleRight")),
    "lip_press": (("mouthPressLeft", "mouthPressRight"), ("mouthRollLower", "mouthRollUpper")),
    "upper_lip_raise": (("mouthUpperUpLeft", "mouthUpperUpRight"),),
    "lower_lip_drop": (("mouthLowerDownLeft", "mouthLowerDownRight"),),
    "smile_left": (("mouthSmileLeft",),),
    "smile_right": (("mouthSmileRight",),),
    "blink_left": (("eyeBlinkLeft",),),
    "blink_right": (("eyeBlinkRight",),),
    "brow_inner_up": (("browInnerUp",),),
    "brow_outer_up_left": (("browOuterUpLeft",),),
    "brow_outer_up_right": (("browOuterUpRight",),),
    "frown": (("browDownLeft", "browDownRight"),),
}
"""Stylised movement: groups of shapes. Each group's mean counts, and of several groups the largest.

They are the 14 movements that the built-in weights know. Shapes that are not here (cheeks, nose, sideways
jaw ...) have no counterpart among those, and are left out.
"""


def motion_from_blendshapes(
    track: FaceTrack,
    *,
    source_fps: Fraction | int | float = FPS,
    fps: Fraction | int | float = FPS,
    missing: str = "hold",
    steadying: SmoothingConfig | None = None,
) -> Driving:
    """Pose, expression and gaze of a tracked MediaPipe face, in the stylised space.

    Angles are those of the head matrix. The head's place and depth are those at which the average stylised
    head's nose and eye corners fall on the detected ones, in the square that `face_crop_box` gives the first
    face, which is how a portrait would be cropped. Gaze is the eyes' turn in the head (mean of both) on
    top of the head's own.
    """
    check_missing(missing)
    model = MorphableModel.stylised_landmarks().landmarks().double().numpy()[list(RIGID)]
    square: Box | None = None
    readings: list[FrameCoefficients | None] = []
    for face in track.faces:
        if face is None:
            readings.append(None)
            continue
        points = landmarks_68(face["landmarks_xy"])
        if square is None:
            square = face_crop_box(Box.around(points), track.height, track.width)
        readings.append(_coefficients(face, points, square, model))
    times = [float(k / Fraction(source_fps)) for k in range(len(readings))]
    centres = [reading.landmarks.mean(0) for reading in readings if reading is not None]
    return assemble_motion(
        readings,
        times,
        source_fps=Fraction(source_fps),
        fps=fps,
        space=STYLISED,
        missing=missing,
        steadying=steadying or SmoothingConfig(),
        crop=crop_jitter(centres, centres),
        square=square,
        picture=(track.height, track.width),
    )


def expression_of(blendshapes: Mapping[str, float]) -> np.ndarray:
    """ARKit's shapes by name (0..1) -> expression [64] of the stylised space; see `SHAPES`."""
    from gohd_core.stylised.head.expressions import INDEX

    wanted = {name for groups in SHAPES.values() for group in groups for name in group}
    if not wanted <= blendshapes.keys():
        raise BadInput(
            f"The blendshapes lack {', '.join(sorted(wanted - blendshapes.keys()))}; 52 of them are wanted."
        )
    values = np.zeros(N_EXPRESSION)
    for name, groups in SHAPES.items():
        strength = max(np.mean([blendshapes[shape] for shape in group]) for group in groups)
        values[INDEX[name]] = np.clip(strength, 0, 1)
    return values


def gaze_of(blendshapes: Mapping[str, float], angles: torch.Tensor) -> np.ndarray:
    """Gaze (pitch, yaw) in camera axes from the eyes' shapes and the head's Euler angles [3]."""
    shape = blendshapes.__getitem__
    up = [shape(f"eyeLookUp{side}") - shape(f"eyeLookDown{side}") for side in ("Left", "Right")]
    # The subject's right is the image's left, where yaw is positive.
    left = [
        shape("eyeLookInLeft") - shape("eyeLookOutLeft"),
        shape("eyeLookOutRight") - shape("eyeLookInRight"),
    ]
    inside = torch.tensor([[np.mean(up), np.mean(left)]], dtype=torch.float64, device="cpu") * EYE_RANGE
    return gaze_in_camera(inside, angles[None])[0].numpy()


def gaze_in_camera(inside: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
    """Gaze [T, 2] (pitch, yaw) in camera axes of eyes turned by `inside` [T, 2] in heads turned by [T, 3]."""
    x, y, z = torch.einsum("tc,tch->ht", gaze_direction(inside), rotation(angles))
    return torch.stack([torch.asin(y.clamp(-1, 1)), torch.atan2(-x, z)], 1)


def _coefficients(
    face: Mapping[str, Any], points: np.ndarray, square: Box, model: np.ndarray
) -> FrameCoefficients:
    for what in ("blendshapes", "transformation_matrix"):
        if face.get(what) is None:
            raise BadInput(BLENDSHAPES_MISSING.format(what=what.replace("_", " ")))
    matrix = np.asarray(face["transformation_matrix"], np.float64)
    scale = np.cbrt(np.linalg.det(matrix[:3, :3]))
    if not np.isfinite(scale) or scale <= 1e-9:
        raise BadInput("A head matrix of the face landmarks is no rotation; detect the faces again.")
    angles = rotation_angles(torch.from_numpy(matrix[:3, :3].T / scale))
    turned = model @ rotation(angles).numpy()
    # The camera's rows are size - 1 - v and its columns u, so that only rows are a pixel off the corner.
    corner = np.array([square.left, square.top - 1])
    place = _place(turned, (points[list(RIGID)] - corner) / square.width)
    return FrameCoefficients(
        np.concatenate([angles.numpy(), place]),
        expression_of(face["blendshapes"]),
        gaze_of(face["blendshapes"], angles),
        np.zeros(N_IDENTITY),
        points,
    )


def _place(turned: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The translation [3] that brings turned points [n, 3] nearest to seen ones [n, 2] (0..1, y down).

    (seen - 1/2) (10 - z - tz) = f (x + tx) is linear in the translation; by least squares.
    """
    share = FOCAL / ALIGNED_SIZE
    u = np.stack([seen[:, 0] - 0.5, 0.5 - seen[:, 1]], 1)
    rows, right = np.zeros((2 * len(u), 3)), np.zeros(2 * len(u))
    for axis in range(2):
        part = slice(axis * len(u), (axis + 1) * len(u))
        rows[part, axis], rows[part, 2] = share, u[:, axis]
        right[part] = u[:, axis] * (DISTANCE - turned[:, 2]) - share * turned[:, axis]
    return np.linalg.lstsq(rows, right, rcond=None)[0]
