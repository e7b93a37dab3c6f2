"""Readers without weights for the driving tests: a picture's brightness says how its head is turned."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch

from gohd_core.constants import BFM09
from gohd_core.motion import Expression, Gaze, Pose


class FakeExtractor:
    """Yaw is the picture's red mean / 100 in radians, wrapped to a turn; jaw its green mean / 255."""

    space = BFM09

    def __init__(self, aligned: bool = True) -> None:
        self.config = SimpleNamespace(aligned=aligned)
        self.calls: list[int] = []
        self.landmarks: list[np.ndarray] = []

    def extract(self, images, landmarks=None):
        self.calls.append(len(images))
        if landmarks is not None:
            self.landmarks += list(landmarks)
        pose, expression = torch.zeros(len(images), 6), torch.zeros(len(images), 64)
        for k, image in enumerate(images):
            yaw = float(image[..., 0].mean()) / 100
            pose[k, 1] = (yaw + np.pi) % (2 * np.pi) - np.pi
            expression[k, 0] = float(image[..., 1].mean()) / 255
        return SimpleNamespace(
            pose=Pose(pose, self.space),
            expression=Expression(expression, self.space),
            identity=torch.ones(len(images), 80),
            landmarks=None,
        )


class FakeGaze:
    """Pitch is the blue mean / 255 of what is in the box."""

    space = BFM09
    config = SimpleNamespace(glimpses=None)

    def __init__(self) -> None:
        self.boxes: list = []

    def estimate(self, images, boxes=None):
        self.boxes += list(boxes or [])
        values = torch.zeros(len(images), 2)
        for k, image in enumerate(images):
            values[k, 0] = float(image[..., 2].mean()) / 255
        return Gaze(values, self.space)


def plain(red: float, green: float = 0, blue: float = 0, side: int = 32) -> np.ndarray:
    """A picture of one colour."""
    return np.broadcast_to(np.array([red, green, blue], np.uint8), (side, side, 3)).copy()
