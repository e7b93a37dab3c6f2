"""The square in which a face is read when it moves about in a larger picture, and poses between squares."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from gohd_core.driving.steadiness import jitter
from gohd_core.errors import BadInput
from gohd_core.face.crop import Box, face_crop_box
from gohd_core.face.geometry.camera import ALIGNED_SIZE, DISTANCE, FOCAL
from gohd_core.motion.smoothing import OneEuro

ROOM = 0.07
"""A steady crop stays where it is until the face's own crop is this share of its side away from it."""
GROWTH = 1.2
"""... or larger or smaller by this factor."""
_SECONDS = 0.12
"""Time constant at rest of the one-euro filter over landmarks, whose unit is the face's width."""
_BETA = 1.5
"""Speed coefficient of that filter."""
_FOCAL_SHARE = FOCAL / ALIGNED_SIZE


@dataclass
class Cropper:
    """Crops each frame; a steady crop moves seldom, any other follows the landmarks' jitter.

    Attributes: steady; wanted and used, the centres of the crops [T, 2] in pixels, as they come.
    """

    steady: bool = True
    wanted: list[tuple[float, float]] = field(default_factory=list)
    used: list[tuple[float, float]] = field(default_factory=list)
    _box: Box | None = None

    def crop(self, face: Box, height: int, width: int) -> Box | None:
        """The square around a face's box, inside the picture; None where the picture leaves no room."""
        try:
            own = _even(face_crop_box(face, height, width))
        except BadInput:
            return None
        if not self.steady or self._box is None or _has_left(own, self._box):
            self._box = own
        self.wanted.append(_centre(own))
        self.used.append(_centre(self._box))
        return self._box


class LandmarkFilter:
    """Steadies the landmarks of one face frame by frame, without falling behind when it moves fast."""

    def __init__(self, fps: float) -> None:
        self.fps = fps
        self.wanted: list[np.ndarray] = []
        self.used: list[np.ndarray] = []
        self._filter: OneEuro | None = None
        self._scale = 1.0

    def __call__(self, landmarks: np.ndarray | None) -> np.ndarray | None:
        """[68, 2] -> [68, 2] in pixels; a frame without a face resets the filter."""
        if landmarks is None:
            self._filter = None
            return None
        if self._filter is None:
            self._scale = max(float(np.ptp(landmarks[:, 0])), 1.0)
            self._filter = OneEuro(_SECONDS, self.fps, _BETA)
        steady = self._filter(torch.from_numpy(landmarks / self._scale)).numpy() * self._scale
        self.wanted.append(landmarks.mean(0))
        self.used.append(steady.mean(0))
        return steady


def crop_jitter(wanted: list, used: list) -> tuple[float, float]:
    """Jitter of the crop's centre in pixels, as the landmarks want it and as it is used."""
    return jitter(np.array(wanted).reshape(-1, 2)), jitter(np.array(used).reshape(-1, 2))


def pose_in(pose: Tensor, seen: Box, reference: Box) -> Tensor:
    """A pose [6] that was read in the square `seen`, as it would be read in the square `reference`.

    The head's origin keeps its place and its size in the picture. The angles stay: that a head off the
    middle is seen a little from the side is left out.
    """
    depth = DISTANCE - pose[5]
    grown = reference.width / seen.width
    share = 0.5 + _FOCAL_SHARE * pose[3:5] / depth
    left, bottom = seen.left, seen.bottom
    x = (left + share[0] * seen.width - reference.left) / reference.width
    y = (reference.bottom - (bottom - share[1] * seen.height)) / reference.height
    new_depth = depth * grown
    place = (torch.stack([x, y]) - 0.5) * new_depth / _FOCAL_SHARE
    return torch.cat([pose[:3], place, (DISTANCE - new_depth)[None]])


def _centre(box: Box) -> tuple[float, float]:
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


def _even(box: Box) -> Box:
    """In whole pixels and exactly square: the rule rounds each corner, which shows in small faces."""
    left, top, right, bottom = box.ints()
    side = min(right - left, bottom - top)
    left, top = left + (right - left - side) // 2, top + (bottom - top - side) // 2
    return Box(left, top, left + side, top + side)


def _has_left(own: Box, held: Box) -> bool:
    away = np.abs(np.subtract(_centre(own), _centre(held))).max()
    return bool(away > ROOM * held.width or not 1 / GROWTH < own.width / held.width < GROWTH)
