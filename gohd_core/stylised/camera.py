"""Camera and pose conventions of the stylised space: those of the official family's 3DMM.

Rotation is ``Rz @ Ry @ Rx`` of the Euler angles (x, y, z), applied to row vectors as ``v @ R.T``,
about the model's origin, then the translation. The camera looks along -z from distance 10; the
focal length is 1015 pixels for a picture of 224. Pixel centres lie at integers, x right, y down:
``u = f x / z + size / 2`` and ``row = size - 1 - v`` with ``z := 10 - z`` and y up in the model.
"""

from __future__ import annotations

import numpy as np

CAMERA_DISTANCE = 10.0
FOCAL_RATIO = 1015.0 / 224.0
NECK_PIVOT = np.array([0.0, -0.72, -0.22], np.float32)
"""Joint of head and body: the body follows this point of the head."""


def rotation_matrix(angles: np.ndarray) -> np.ndarray:
    """Euler angles x, y, z ``[..., 3]`` in radians -> rotation ``[..., 3, 3]``."""
    angles = np.asarray(angles, np.float64)
    cosine, sine = np.cos(angles), np.sin(angles)
    one, zero = np.ones_like(cosine[..., 0]), np.zeros_like(cosine[..., 0])

    def matrix(*entries: np.ndarray) -> np.ndarray:
        return np.stack(entries, -1).reshape(*one.shape, 3, 3)

    (cx, cy, cz), (sx, sy, sz) = np.moveaxis(cosine, -1, 0), np.moveaxis(sine, -1, 0)
    about_x = matrix(one, zero, zero, zero, cx, -sx, zero, sx, cx)
    about_y = matrix(cy, zero, sy, zero, one, zero, -sy, zero, cy)
    about_z = matrix(cz, -sz, zero, sz, cz, zero, zero, zero, one)
    return about_z @ about_y @ about_x


def project(points: np.ndarray, size: int) -> np.ndarray:
    """Posed points ``[..., 3]`` -> ``[..., 3]``: pixel x, pixel y (down) and camera depth."""
    depth = CAMERA_DISTANCE - points[..., 2]
    scale = FOCAL_RATIO * size / depth
    return np.stack(
        [points[..., 0] * scale + size / 2, size - 1 - (points[..., 1] * scale + size / 2), depth], -1
    )


def neck_translation(angles: np.ndarray) -> np.ndarray:
    """Translation ``[..., 3]`` that makes the head turn about the neck instead of its centre."""
    rotation = rotation_matrix(angles)
    return NECK_PIVOT - NECK_PIVOT @ np.swapaxes(rotation, -1, -2)


def gaze_direction(gaze: np.ndarray) -> np.ndarray:
    """Gaze (pitch, yaw) ``[..., 2]`` -> unit vector ``[..., 3]`` in the camera's axes.

    (0, 0) looks straight out of the picture, pitch > 0 up, yaw > 0 to the image's **left**: the signs
    of the official gaze estimator (see face/reading/gaze_estimator.py), so that both spaces agree.
    """
    pitch, yaw = np.moveaxis(np.asarray(gaze, np.float64), -1, 0)
    return np.stack([-np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)], -1)


def gaze_in_head(pose: np.ndarray, gaze: np.ndarray) -> np.ndarray:
    """Gaze ``[..., 2]`` relative to the head of ``pose [..., 6]`` (eye-in-head rotation)."""
    rotation = rotation_matrix(np.asarray(pose)[..., :3])
    return _angles(np.einsum("...i,...ij->...j", gaze_direction(gaze), rotation))


def gaze_from_head(pose: np.ndarray, eye_in_head: np.ndarray) -> np.ndarray:
    """Inverse of :func:`gaze_in_head`."""
    rotation = rotation_matrix(np.asarray(pose)[..., :3])
    return _angles(np.einsum("...j,...ij->...i", gaze_direction(eye_in_head), rotation))


def _angles(direction: np.ndarray) -> np.ndarray:
    x, y, z = np.moveaxis(direction, -1, 0)
    return np.stack([np.arcsin(np.clip(y, -1, 1)), np.arctan2(-x, z)], -1)
