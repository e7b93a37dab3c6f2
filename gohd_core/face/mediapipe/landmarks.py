"""One face's landmarks: its mesh, irises and eye contours, and simple measures of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gohd_core.face.crop import Box
from gohd_core.face.mediapipe.face_mesh import N_MESH, OUTER_CORNERS
from gohd_core.face.mediapipe.points import landmarks_68


@dataclass(frozen=True)
class FaceRegion:
    """The turned square in which a mesh was read: centre and side in pixels, turned clockwise in radians."""

    x: float
    y: float
    size: float
    angle: float


@dataclass(frozen=True, eq=False)
class FaceLandmarks:
    """One face of a picture.

    Attributes:
        points: float32 [478, 3] in pixels of the picture: x right, y down, pixel centres at whole numbers; z
            in the same scale about the head's middle, smaller is nearer. 468..472 are the subject's right
            iris, 473..477 the left one: the middle, then four points of the edge.
        eye_contours: float32 [2, 71, 2], the subject's right eye first: lids, folds and brow, read closely.
        score: how sure the detector was, 0..1; 0 where the face was followed.
        presence: how sure the mesh network is that it is a face, 0..1.
        region: where it was read.
    """

    points: np.ndarray
    eye_contours: np.ndarray
    score: float
    presence: float
    region: FaceRegion

    @property
    def landmarks68(self) -> np.ndarray:
        """The standard 68 landmarks, float64 [68, 2]."""
        return landmarks_68(self.points[:, :2])

    @property
    def box(self) -> Box:
        """The smallest upright box around the mesh."""
        return Box.around(self.points[:N_MESH, :2])

    @property
    def size(self) -> float:
        """The longer side of the face's box, in pixels."""
        return max(self.box.width, self.box.height)

    @property
    def roll(self) -> float:
        """Clockwise roll of the line of the eyes, in radians."""
        across = self.points[OUTER_CORNERS[1]] - self.points[OUTER_CORNERS[0]]
        return float(np.arctan2(across[1], across[0]))
