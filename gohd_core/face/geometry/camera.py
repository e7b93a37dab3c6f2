"""Euler angles and the pinhole camera that head poses are measured with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gohd_core.errors import BadInput

FOCAL = 1015.0
"""Focal length in pixels for a picture of `ALIGNED_SIZE` pixels."""

ALIGNED_SIZE = 224
"""Side of the aligned face crop that pose coefficients refer to, in pixels."""

DISTANCE = 10.0
"""Distance from the camera to the origin of model space, in model units (about a decimetre)."""


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that looks at the origin along -z.

    focal and centre are in pixels; the picture has 2 * centre pixels on a side.
    """

    focal: float = FOCAL
    centre: float = ALIGNED_SIZE / 2
    distance: float = DISTANCE

    @classmethod
    def of_size(cls, size: float) -> Camera:
        """The camera of an aligned crop drawn at another size: the angle of view stays."""
        return cls(FOCAL * size / ALIGNED_SIZE, size / 2)

    def to_camera(self, points: Tensor) -> Tensor:
        """Model space -> camera space, [..., 3]: z becomes the distance from the camera."""
        return torch.cat([points[..., :2], self.distance - points[..., 2:]], -1)

    def project(self, camera_points: Tensor) -> Tensor:
        """Camera space [..., 3] -> picture plane [..., 2] in pixels, x to the right and **y up**."""
        return self.focal * camera_points[..., :2] / camera_points[..., 2:] + self.centre

    def pixels(self, points: Tensor) -> Tensor:
        """Model space [..., 3] -> pixel coordinates [..., 2], x to the right and y down.

        The centre of the top left pixel is (0, 0): row = size - 1 - v.
        """
        u, v = self.project(self.to_camera(points)).unbind(-1)
        return torch.stack([u, 2 * self.centre - 1 - v], -1)

    def rays(self, column: Tensor, row: Tensor) -> Tensor:
        """Directions [..., 3] in model space from the camera, at (0, 0, distance), through pixels, y down."""
        x, y = (column - self.centre) / self.focal, (self.centre - 1 - row) / self.focal
        return torch.stack([x, y, -torch.ones_like(x)], -1)


def rotation(angles: Tensor) -> Tensor:
    """Euler angles x, y, z in radians [..., 3] -> rotations [..., 3, 3] for row vectors: v @ R.

    It is (Rz Ry Rx) transposed, right-handed. In a picture: angle x > 0 nods down, angle y > 0 turns
    the face to the image's right, angle z > 0 rolls it counter-clockwise.
    """
    if angles.shape[-1] != 3:
        raise BadInput(f"The angles have shape {tuple(angles.shape)}; the last dimension must be 3.")
    (sx, sy, sz), (cx, cy, cz) = angles.sin().unbind(-1), angles.cos().unbind(-1)
    cz_sy, sz_sy = cz * sy, sz * sy
    first = cz * cy, sz * cy, -sy
    second = cz_sy * sx - sz * cx, sz_sy * sx + cz * cx, cy * sx
    third = cz_sy * cx + sz * sx, sz_sy * cx - cz * sx, cy * cx
    return torch.stack([*first, *second, *third], -1).unflatten(-1, (3, 3))  # [...,9] -> [...,3,3]


def rotation_angles(matrices: Tensor) -> Tensor:
    """The inverse of `rotation`, [..., 3, 3] -> [..., 3], for angles y inside (-pi/2, pi/2)."""
    x = torch.atan2(matrices[..., 1, 2], matrices[..., 2, 2])
    y = torch.asin((-matrices[..., 0, 2]).clamp(-1, 1))
    z = torch.atan2(matrices[..., 0, 1], matrices[..., 0, 0])
    return torch.stack([x, y, z], -1)


def transform(points: Tensor, pose: Tensor) -> Tensor:
    """Moves points [..., V, 3] by a pose [..., 6]: rotation by its angles, then its translation."""
    if pose.shape[-1] != 6:
        raise BadInput(f"The pose has shape {tuple(pose.shape)}; the last dimension must be 6.")
    return points @ rotation(pose[..., :3]) + pose[..., None, 3:]
