"""The face behind expressions, as the expression losses see it: landmarks and eye motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gohd_core.constants import STYLISED
from gohd_core.face.geometry.camera import ALIGNED_SIZE, Camera
from gohd_core.face.geometry.eye_motion import eye_height, eye_motion
from gohd_core.face.geometry.morphable import MorphableModel


@dataclass(frozen=True)
class Face:
    """Geometry of a sequence of expressions, with identity and pose set to zero.

    Attributes:
        landmarks: 3-D, in aligned pixels, [B, T, 68, 3].
        eye_motion: f_t of Fig. 4, [B, T, 21].
        offsets: 2-D landmarks less the neutral ones, in neutral eye heights, [B, T, 68, 2].
    """

    landmarks: Tensor
    eye_motion: Tensor
    offsets: Tensor


class FaceGeometry:
    """Landmarks and eye motion of expressions in one coefficient space; differentiable."""

    def __init__(self, model: MorphableModel) -> None:
        self.model = model.landmarks_only()
        self.space = model.space
        camera = Camera.of_size(ALIGNED_SIZE)
        self.scale = camera.focal / camera.distance

    @classmethod
    def load(cls, face_model: str | None, space: str) -> FaceGeometry:
        """From the file of a morphable model; None will do in the stylised space."""
        if face_model is None and space == STYLISED:
            return cls(MorphableModel.stylised_landmarks())
        return cls(MorphableModel.of_space(space, face_model))

    def to(self, device: torch.device) -> FaceGeometry:
        """A copy on a device."""
        self.model = self.model.to(device)
        return self

    def face(self, expression: Tensor) -> Face:
        """Expressions [B, T, 64] -> `Face`."""
        points = self.model.landmarks(expression=expression.float())
        flat = self.model.projection(points)
        neutral = self.model.projection(self.model.landmarks()).to(flat)
        return Face(
            landmarks=points * self.scale,
            eye_motion=eye_motion(flat, neutral),
            offsets=(flat - neutral) / (eye_height(neutral) / 2),
        )

    def eye_motion(self, expression: np.ndarray) -> np.ndarray:
        """Expressions [T, 64] -> eye motion [T, 21], on the CPU."""
        return self.face(torch.from_numpy(expression)[None]).eye_motion[0].numpy()
