"""Landmarks and iris centres of a stylised face from its coefficients alone, without a picture."""

from __future__ import annotations

import numpy as np

from gohd_core.stylised.camera import gaze_direction, gaze_in_head, project, rotation_matrix
from gohd_core.stylised.head.morphable import stylised_basis
from gohd_core.stylised.head.template import EYE_LEFT, EYE_RIGHT, EYEBALL_RADIUS, template
from gohd_core.stylised.person.identity import Identity


def face_tracks(
    identity: Identity, expression: np.ndarray, pose: np.ndarray, gaze: np.ndarray, size: int
) -> dict[str, np.ndarray]:
    """Landmarks and irises as the renderer reports them, for expression [T, 64], pose [T, 6], gaze [T, 2].

    Returns float32 `landmarks` [T, 68, 2] and `irises` [T, 2, 2] in pixels of a `size` picture,
    `landmarks_3d` [T, 68, 3] in the camera's axes.
    """
    basis, head = stylised_basis(), template()
    coefficients = np.asarray(identity.coefficients, np.float32)
    where = basis.landmark_indices
    neutral = basis.mean_shape[where] + basis.identity_basis[where] @ coefficients
    local = neutral + np.einsum("vck,tk->tvc", basis.expression_basis[where], expression)
    rings = [head.ring(kind, 0.0) for kind in (EYE_LEFT, EYE_RIGHT)]
    moved = [
        (basis.mean_shape[r] + basis.identity_basis[r] @ coefficients - head.mean[r]).mean(0) for r in rings
    ]
    looking = gaze_direction(gaze_in_head(pose, gaze))
    irises = head.eye_centres + np.stack(moved) + EYEBALL_RADIUS * looking[:, None]
    rotation = rotation_matrix(pose[:, :3])

    def to_world(points: np.ndarray) -> np.ndarray:
        return np.einsum("tvc,tdc->tvd", points, rotation) + pose[:, None, 3:]

    world = to_world(local)
    return {
        "landmarks": project(world, size)[..., :2].astype(np.float32),
        "landmarks_3d": world.astype(np.float32),
        "irises": project(to_world(irises), size)[..., :2].astype(np.float32),
    }
