"""ComfyUI's FACE_LANDMARKS of a face that is really the stylised head, seen in a picture."""

from __future__ import annotations

import numpy as np
import torch

from gohd_core.driving.blendshapes import SHAPES
from gohd_core.face import MorphableModel
from gohd_core.face.geometry.camera import Camera, rotation
from gohd_core.face.mediapipe.points import POINTS

NAMES = sorted({name for groups in SHAPES.values() for group in groups for name in group})
NAMES += [f"eyeLook{way}{side}" for way in ("Up", "Down", "In", "Out") for side in ("Left", "Right")]


def points_478(landmarks: np.ndarray) -> np.ndarray:
    """MediaPipe points whose 68 landmarks are these."""
    points = np.tile(landmarks.mean(0), (478, 1))
    for indices, place in zip(POINTS, landmarks, strict=True):
        if len(indices) == 1:
            points[indices[0]] = place
    shared = [(i, p) for i, p in zip(POINTS, landmarks, strict=True) if len(i) == 2]
    unknown = sorted({k for indices, _ in shared for k in indices})
    rows = np.zeros((len(shared), len(unknown)))
    for row, (indices, _) in zip(rows, shared, strict=True):
        row[[unknown.index(k) for k in indices]] = 0.5
    points[unknown] = np.linalg.pinv(rows) @ np.array([place for _, place in shared])
    return points


def face(pose: np.ndarray, *, left: float = 100, top: float = 60, side: float = 256, **shapes: float) -> dict:
    """A face dictionary: the average stylised head in this pose, in a square of the picture."""
    model = MorphableModel.stylised_landmarks()
    found = Camera.of_size(side).pixels(model.landmarks(pose=torch.tensor(pose, dtype=torch.float32)))
    landmarks = found.numpy() + np.array([left, top])
    matrix = np.eye(4)
    matrix[:3, :3] = 1.3 * rotation(torch.tensor(pose[:3])).numpy().T
    matrix[:3, 3] = (2.0, -1.0, -45.0)
    points = points_478(landmarks)
    return {
        "landmarks_xy": points.astype(np.float32),
        "bbox_xyxy": np.concatenate([points.min(0), points.max(0)]).astype(np.float32),
        "blendshapes": dict.fromkeys(NAMES, 0.0) | shapes,
        "transformation_matrix": matrix.astype(np.float32),
        "presence": 9.0,
        "score": 0.9,
    }


def payload(frames: list[list[dict]], size: tuple[int, int] = (400, 500)) -> dict:
    """The whole of what the node gives out."""
    return {"frames": frames, "image_size": size, "connection_sets": {}}
