"""Gaze from irises in a face mesh, and between the head's axes and the camera's.

Gaze is (horizontal, vertical) in radians in the networks' order: horizontal > 0 to the image's left,
vertical > 0 up, (0, 0) straight out of the picture.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gohd_core.face.geometry.camera import rotation
from gohd_core.mesh.contours import LEFT_LIDS, RIGHT_LIDS

LEFT_IRIS, RIGHT_IRIS = slice(473, 478), slice(468, 473)
REST = (0.0408, 0.063)
"""Place of an iris at gaze 0, from the middle of the eye's corners: outward and up, as shares of the eye's
width."""
RADIUS = 0.42
"""Radius of an eyeball as a share of the eye's width."""
_MOST = 0.9


def eyes_in_head(points: Tensor) -> Tensor:
    """Gaze in the head [B,2,2] of the left and the right eye, from points in head space [B,478,3]."""
    found = []
    for lids, iris, outward in ((LEFT_LIDS, LEFT_IRIS, 1.0), (RIGHT_LIDS, RIGHT_IRIS, -1.0)):
        right, left = points[:, lids[0].right], points[:, lids[0].left]
        width = (right - left).norm(dim=-1, keepdim=True)
        offset = (points[:, iris].mean(1) - (right + left) / 2)[:, :2] / width
        offset = (offset - offset.new_tensor([outward * REST[0], REST[1]])) / RADIUS
        angle = offset.clamp(-_MOST, _MOST).asin()
        found.append(torch.stack([-angle[:, 0], angle[:, 1]], -1))
    return torch.stack(found, 1)


def into_head(pose: Tensor, gaze: Tensor) -> Tensor:
    """Gaze [B,2] relative to the head of poses [B,6] (`stylised.camera.gaze_in_head`)."""
    return _angles((_direction(gaze)[:, None] @ rotation(pose[:, :3]).mT)[:, 0])


def from_head(pose: Tensor, gaze: Tensor) -> Tensor:
    """The inverse of `into_head`."""
    return _angles((_direction(gaze)[:, None] @ rotation(pose[:, :3]))[:, 0])


def _direction(gaze: Tensor) -> Tensor:
    yaw, pitch = gaze.unbind(-1)
    return torch.stack([-yaw.sin() * pitch.cos(), pitch.sin(), yaw.cos() * pitch.cos()], -1)


def _angles(direction: Tensor) -> Tensor:
    x, y, z = direction.unbind(-1)
    return torch.stack([torch.atan2(-x, z), y.clamp(-1, 1).asin()], -1)
