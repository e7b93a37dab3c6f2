"""Face meshes without networks: the canonical face as a camera sees it, and a portrait made of one."""

from __future__ import annotations

import numpy as np
import torch

from gohd_core.face.geometry.camera import Camera, transform
from gohd_core.face.mediapipe.landmarks import FaceLandmarks, FaceRegion
from gohd_core.mesh.reading.canonical import canonical_face

EYE_CORNERS = ((33, 133), (362, 263))


def seen_mesh(
    size: int, yaw: float = 0.0, pitch: float = 0.0, shift: tuple[float, float] = (0, 0)
) -> np.ndarray:
    """The canonical face [478,3] in pixels of a picture of `size`, turned by degrees, shifted by pixels."""
    points = canonical_face().points.float()
    eyes = torch.stack([points[list(corners)].mean(0) for corners in EYE_CORNERS])
    points = torch.cat([points, eyes.repeat_interleave(5, 0)])  # irises look straight ahead
    angles = torch.tensor([pitch, yaw, 0.0]).deg2rad()
    placed = transform(points, torch.cat([angles, torch.zeros(3)]))
    camera = Camera.of_size(size)
    pixels = camera.pixels(placed) + torch.tensor(shift, dtype=torch.float32)
    unit = camera.focal / camera.distance
    return torch.cat([pixels, -placed[:, 2:] * unit], 1).numpy()


def landmarks(points: np.ndarray) -> FaceLandmarks:
    """A reading of those points."""
    return FaceLandmarks(
        points.astype(np.float32), np.zeros((2, 71, 2), np.float32), 0.9, 1.0, FaceRegion(0, 0, 1, 0)
    )


class Everybody:
    """A person mask that is all person."""

    def person_mask(self, image: np.ndarray) -> np.ndarray:
        return np.ones(image.shape[:2], np.float32)


def noise_picture(size: int, seed: int = 0) -> np.ndarray:
    """u8 [size,size,3]."""
    return np.random.default_rng(seed).integers(40, 216, (size, size, 3)).astype(np.uint8)
