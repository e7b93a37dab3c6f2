"""The plane through an eye's irises, and the pixels of its places."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from gohd_core.face.geometry.camera import ALIGNED_SIZE, Camera, rotation, transform
from gohd_core.mesh.clip import IRIS_DEPTH
from gohd_core.mesh.reading.gaze import RADIUS, REST

_STEP = 0.1


@dataclass(frozen=True, eq=False)
class IrisPlane:
    """Of one eye in T frames; pixels are the film's, lengths model units.

    In it an iris lies at some offset: x to the image's right, y up.

    Attributes:
        width: between the eye's corners.
        origin: [T,2] pixel of the plane's origin. axes: [T,2,2] units in the plane -> pixels, as columns.
        turn: [T,3,3] of the head, for row vectors.
        rest: [2] offset of an iris that looks straight ahead.
    """

    width: float
    origin: np.ndarray
    axes: np.ndarray
    turn: np.ndarray
    rest: np.ndarray

    @classmethod
    def of(
        cls, corners: np.ndarray, pose: np.ndarray, box: tuple[float, float, float], outward: float
    ) -> IrisPlane:
        """From an eye's corners [T,2,3] in head space and poses [T,6], fitted in a square (left, top, side).

        outward: 1 for the left eye, -1 for the right one.
        """
        places, turned = (torch.from_numpy(np.asarray(each, np.float64)) for each in (corners, pose))
        width = (places[:, 0] - places[:, 1]).norm(dim=-1).median().item()
        middle = places.mean(1).median(0).values
        ahead = middle + middle.new_tensor([0.0, 0.0, IRIS_DEPTH * width])
        marks = ahead + _STEP * middle.new_tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
        seen = Camera.of_size(ALIGNED_SIZE).pixels(transform(marks.expand(len(turned), 3, 3), turned))
        left, top, side = box
        seen = ((seen + 0.5) * (side / ALIGNED_SIZE) - 0.5).numpy() + np.array([left, top])
        axes = np.stack([seen[:, 1] - seen[:, 0], seen[:, 2] - seen[:, 0]], -1) / _STEP
        rest = np.array([outward * REST[0], REST[1]]) * width
        return cls(width, seen[:, 0], axes, rotation(turned[:, :3]).numpy(), rest)

    @cached_property
    def scale(self) -> np.ndarray:
        """Pixels a unit in each frame [T], in the direction that the head's turn does not shorten."""
        return np.linalg.norm(self.axes, 2, axis=(1, 2))

    def offset(self, pixels: np.ndarray) -> np.ndarray:
        """Offsets of pixels [T,2]."""
        return np.linalg.solve(self.axes, (pixels - self.origin)[..., None])[..., 0]

    def gaze(self, offset: np.ndarray) -> np.ndarray:
        """Offsets [T,2] -> (horizontal, vertical) in the head [T,2], radians."""
        x, y = ((offset - self.rest) / (RADIUS * self.width)).clip(-0.9, 0.9).T
        vertical = np.arcsin(y)
        return np.stack([np.arcsin((-x / np.cos(vertical)).clip(-0.9, 0.9)), vertical], 1)

    def offset_of(self, gaze: np.ndarray) -> np.ndarray:
        """The inverse of `gaze`."""
        horizontal, vertical = gaze.T
        place = np.stack([-np.sin(horizontal) * np.cos(vertical), np.sin(vertical)], 1)
        return place * RADIUS * self.width + self.rest

    def facing(self, t: int, offset: np.ndarray) -> np.ndarray:
        """Direction in which irises at offsets [...,2] look in frame t: its sines to the image's right and
        down, [...,2]. One that looks into the camera has none."""
        aside = (offset - self.rest) / (RADIUS * self.width)
        ahead = np.sqrt(np.maximum(1 - (aside**2).sum(-1, keepdims=True), 0.2))
        return (np.concatenate([aside, ahead], -1) @ self.turn[t])[..., :2] * (1, -1)


def disc(places: np.ndarray, facing: np.ndarray) -> np.ndarray:
    """Places [...,2] beside irises' middles, as they are seen, -> on their discs, which are seen narrower the
    more they face aside. facing: [...,2], see `IrisPlane.facing`."""
    axis, cosine = _tilt(facing)
    return places + np.einsum("...k,...k", places, axis)[..., None] * (1 / cosine - 1) * axis


def seen_disc(places: np.ndarray, facing: np.ndarray) -> np.ndarray:
    """The inverse of `disc`."""
    axis, cosine = _tilt(facing)
    return places - np.einsum("...k,...k", places, axis)[..., None] * (1 - cosine) * axis


def _tilt(facing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Directions [...,2] in which discs are seen narrower, and by what factors [...,1]."""
    size = np.linalg.norm(facing, axis=-1, keepdims=True)
    cosine = np.sqrt(np.maximum(1 - np.minimum(size, 0.8) ** 2, 0.2))
    return np.where(size > 1e-3, facing / np.maximum(size, 1e-3), [1.0, 0.0]), cosine
