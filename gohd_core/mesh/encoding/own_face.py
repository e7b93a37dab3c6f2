"""The portrait's own face, from which mouth and eyes are made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from torch import Tensor

from gohd_core.mesh.picture.photometry import as_array, blur_radius, skin_grain


@dataclass(frozen=True)
class OwnFace:
    """A portrait's face as it is in the picture; float32 on one device, pixel centres at whole numbers, y
    down.

    Attributes:
        image: [1,3,S,S] the crop in [-1, 1].
        points: [478,2] the face mesh in the crop's pixels; 468..472 is the right iris, 473..477 the left one
            (centre, then right, top, left, bottom in the picture of an unturned head).
        points_in_head: [478,3] the same in head space, model units (x to the image's right, y up, z forward).
        contours: [3,7,48,3] own contours of lips, left and right eye in head space, as the picture has them.
        closed: [3,7,48,3] the same without expression: the lips shut.
        descriptor: [1,72] own motion in the network's order: expression 64, pose 6, gaze (horizontal,
            vertical).
        gaze_in_head: [2,2] of the left and the right eye's own (yaw, pitch) in the head, radians; yaw > 0 to
            the image's left, pitch > 0 up.
        gap: own gap between the inner lips in model units.
        jaw: own value of the coefficient that opens the jaw; 0 for a shut mouth.
        unit: pixels of one model unit at the face's depth.
    """

    image: Tensor
    points: Tensor
    points_in_head: Tensor
    contours: Tensor
    closed: Tensor
    descriptor: Tensor
    gaze_in_head: Tensor
    gap: float
    jaw: float
    unit: float

    @property
    def pose(self) -> Tensor:
        """[1,6] rotation angles and translation."""
        return self.descriptor[:, 64:70]

    @cached_property
    def picture(self) -> np.ndarray:
        """[S,S,3] the crop, float32 in 0..1."""
        return as_array(self.image)

    @cached_property
    def mesh(self) -> np.ndarray:
        """[478,2] `points` as an array."""
        return self.points.cpu().numpy()

    @cached_property
    def sigma(self) -> float:
        """Blur of the picture, as the sigma of a Gaussian in pixels."""
        return blur_radius(self.picture, self.mesh, self.unit)

    @cached_property
    def grain(self) -> np.ndarray:
        """[n,n] grain of the skin, see `photometry.skin_grain`."""
        return skin_grain(self.picture, self.mesh, self.unit)
