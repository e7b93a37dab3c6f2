"""Faces that turn, speak and look about, made from the painted one without networks."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from gohd_core.face.geometry.camera import Camera, transform
from gohd_core.face.mediapipe.face_mesh import EYE_RINGS
from gohd_core.face.mediapipe.landmarks import FaceLandmarks, FaceRegion
from gohd_core.face.mediapipe.reader import choose_face
from gohd_core.face.picking import FaceChoice, overlap
from gohd_core.mesh.clip import CHIN, EYES, IRIS_DEPTH, fit_clip
from gohd_core.mesh.contours import INNER_LIPS, OUTER_LIPS
from gohd_core.mesh.reading.gaze import RADIUS, REST
from tests.support.mesh_faces import SIZE, painted_mesh

LOWER = [*INNER_LIPS.lower, *OUTER_LIPS.lower]


def head() -> Tensor:
    """Own points in head space [478,3]."""
    return fit_clip(painted_mesh()[None], SIZE).points_in_head[0]


def acted(
    angles: tuple[float, float, float] = (0.0, 0.0, 0.0),
    *,
    gap: float = 0.0,
    look: tuple[float, float] = (0.0, 0.0),
    shut: float = 0.0,
) -> Tensor:
    """A mesh [478,3] in pixels of a picture of `SIZE`.

    angles: of the head, radians. gap: that the lower lip and the chin go down by, model units.
    look: (horizontal, vertical) in the head, radians. shut: how far lids are, 0..1.
    """
    points = head().clone()
    points[LOWER, 1] -= gap
    points[list(CHIN), 1] -= gap
    for lids, iris, outward in EYES:
        right, left = points[lids.right].clone(), points[lids.left].clone()
        width = (right - left).norm()
        place = torch.tensor([-math.sin(look[0]) * math.cos(look[1]), math.sin(look[1])]) * RADIUS
        place = place + torch.tensor([outward * REST[0], REST[1]])
        middle = (right + left) / 2 + width * torch.tensor([*place.tolist(), IRIS_DEPTH])
        points[iris] = points[iris] - points[iris.start] + middle
        level = (right[1] + left[1]) / 2
        for point in (*lids.upper, *lids.lower):
            points[point, 1] += shut * 0.95 * (level - points[point, 1])
    pose = torch.tensor([*angles, 0.0, 0.0, 0.0], dtype=torch.float32)
    camera = Camera.of_size(SIZE)
    placed = transform(points, pose)
    flat = camera.pixels(placed)
    return torch.cat([flat, -placed[:, 2:] * camera.focal / camera.distance], -1)


def landmarks(mesh: Tensor) -> FaceLandmarks:
    """As the reader gives it."""
    points = mesh.numpy().astype(np.float32)
    contours = np.zeros((2, 71, 2), np.float32)
    for row, ring in enumerate(EYE_RINGS):
        contours[row, :16] = points[list(ring), :2]
    return FaceLandmarks(points, contours, 0.9, 0.99, FaceRegion(0, 0, SIZE, 0))


class KnownFaces:
    """A reader that is told the faces [T][people]; a frame's number is written in its first pixel."""

    def __init__(self, faces) -> None:
        self.faces = faces

    def read(self, image):
        return [face for face in self.faces[int(image[0, 0, 0])] if face is not None]

    def track(self, frames, previous=None, *, choice=None, pick=None):
        chosen = choice or FaceChoice()
        pick = pick or (lambda faces, last, image: choose_face(faces, chosen, last, image))
        found, last = [], previous
        for image in frames:
            here = self.read(image)
            face = max(here, key=lambda face: overlap(face.box, last.box)) if last and here else None
            if face is None or overlap(face.box, last.box) == 0:
                face = pick(here, last, image)
            last = face or last
            found.append(face)
        return found

    def reread(self, frames, points):
        """Sees no change of the lips."""
        depth = next(face for faces in self.faces for face in faces).points[:, 2:]
        return np.stack([np.concatenate([each[:, :2], depth], 1) for each in points])
