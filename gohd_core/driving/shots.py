"""Shots of a film: where another face, or one in another light, takes a face's place; and whose they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gohd_core.driving.appearance import appearance_distance, appearance_of
from gohd_core.face.mediapipe.landmarks import FaceLandmarks
from gohd_core.images import Image
from gohd_core.mesh.clip import upper_rigidity
from gohd_core.mesh.contours import N_FACE

CUT = 10.0
"""Distance of appearance between frames from which on a shot begins; within shots it is 6 at most."""
JUMP, GROWTH = 0.3, 0.2
"""Shares of its size by which a face moves and grows from frame to frame only where the film was cut."""
FEWEST = 25
"""Frames of a shot from which on it may be of a person of its own."""
ONE_PERSON = 0.009
"""Distance of two mean faces, model units, up to which they are one person's. Halves of clips are .002 to
.011 apart, different people .008 and more."""


class Shots:
    """Counts the shots of one face's track."""

    def __init__(self) -> None:
        self.count = 0
        self._last: np.ndarray | None = None

    def add(self, images: Sequence[Image], faces: Sequence[FaceLandmarks | None]) -> list[int]:
        """The shots of the next frames in which the face is seen, from 0."""
        found = []
        for image, face in zip(images, faces, strict=True):
            if face is None:
                continue
            seen = appearance_of(image, face)
            if self._last is None or appearance_distance(seen, self._last) > CUT:
                self.count += 1
            self._last = seen
            found.append(self.count - 1)
        return found


def face_places(meshes: np.ndarray) -> np.ndarray:
    """Column and row of a mesh's middle, and its size, in pixels: [...,3] of meshes [...,>=468,3]."""
    flat = meshes[..., :N_FACE, :2]
    return np.concatenate([flat.mean(-2), np.ptp(flat, axis=-2).max(-1, keepdims=True)], -1)


def face_steps(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares of its size by which a face moves, and grows, to each frame but the first: [n] each.

    places: [n+1,3] as `face_places` gives them.
    """
    changes, sizes = np.diff(places, axis=0), places[1:, 2]
    return np.linalg.norm(changes[:, :2], axis=1) / sizes, np.abs(changes[:, 2]) / sizes


def jumps(moved: np.ndarray, grown: np.ndarray) -> np.ndarray:
    """Whether `face_steps` [n] are those of a cut."""
    return (moved > JUMP) | (grown > GROWTH)


def people_of(shapes: Tensor, lengths: Sequence[int], able: Sequence[bool] | None = None) -> list[int]:
    """The person, from 0, of each shot: mean faces in head space [S,>=468,3], and numbers of frames.

    able: which shots may be of a person of their own, besides being long enough.
    """
    weights = upper_rigidity().to(shapes)
    flat = shapes[:, :N_FACE, :2]
    order = sorted(range(len(lengths)), key=lambda shot: (not (able or lengths)[shot], -lengths[shot]))
    means: list[Tensor] = []
    frames: list[int] = []
    who = [0] * len(lengths)
    for shot in order:
        away = [((flat[shot] - mean).square().sum(-1) * weights).sum().sqrt().item() for mean in means]
        nearest = int(np.argmin(away)) if away else 0
        short = lengths[shot] < FEWEST or (able is not None and not able[shot])
        if means and (short or away[nearest] < ONE_PERSON):
            frames[nearest] += lengths[shot]
            means[nearest] = torch.lerp(means[nearest], flat[shot], lengths[shot] / frames[nearest])
        else:
            nearest = len(means)
            means.append(flat[shot])
            frames.append(lengths[shot])
        who[shot] = nearest
    return who
