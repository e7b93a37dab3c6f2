"""Contours around mouth and eyes: where lips and lids are, by a head's shape and its expression.

The paper's descriptors are coefficients of a morphable face (eq. 10); its rows around lips and lids say where
their edges are in any pose, for any expression, to a fraction of a pixel. Flows that a network finds at a
quarter of the picture's size are smooth just there, where a mouth parts and a lid covers the eye.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gohd_core.animator.geometry.linear_shape import MIRRORED_MOVING, MOVING, FacePoints
from gohd_core.constants import N_EXPRESSION, N_POSE
from gohd_core.face.geometry.camera import Camera, transform

PARTS = 3
"""Mouth, the subject's left eye, the right one."""
CONTOURS = 8
"""Contours of a part: the ends of lashes (of a mouth its edge again), then from inside outwards."""
POINTS = 48
"""Points of a contour, counter-clockwise from the image's right corner."""
LASHES, RIM, EDGE = range(3)
"""The first contours: ends of lashes, inner rim, edge of the lip or lid."""
_BLINKS = slice(8, 10)
"""Places of the left and the right blink in `MOVING`."""


@dataclass(frozen=True)
class SourceShape:
    """A portrait's own shape: lips, lids and skin.

    Attributes:
        neutral: [B,2,7,48,3] contours of mouth and left eye in the head, without expression; model units.
        lashes: [B,1] length of the lashes; 1 is long.
        mesh: [B,24,24,3] points of the face's front (`face_mesh.py`), likewise.
        skin: [B,24,24] how far the portrait shows skin there, 0..1.
        descriptor: [B,72] the portrait's own.
    """

    neutral: Tensor
    lashes: Tensor
    mesh: Tensor
    skin: Tensor
    descriptor: Tensor


class FaceContours(FacePoints):
    """A head's contours and a descriptor -> contours in the picture, [B,3,8,48,2] pixels, x right and y down.

    The points are [2,7,48] of mouth and left eye, without the ends of lashes; the right eye is the left one's
    mirror image. `lashes` [2,48,3] goes from the eye's edge to the ends of lashes of length 1, and its
    change by a blink of 1.
    """

    def __init__(self) -> None:
        super().__init__(2, CONTOURS - 1, POINTS)
        self.register_buffer("lashes", torch.zeros(2, POINTS, 3, dtype=torch.float32, device="cpu"))

    def forward(self, neutral: Tensor, lashes: Tensor, descriptor: Tensor, size: int) -> Tensor:
        """neutral and lashes as in `SourceShape` (B or 1), descriptor [B,72] in the network's order."""
        moving = descriptor[:, list(MOVING)]
        one, other = (self.deform(neutral, each) for each in (moving, moving[:, list(MIRRORED_MOVING)]))
        blinks = moving[:, _BLINKS].clamp(0, 1)
        left, right = (
            self._with_lashes(eye, lashes, blinks[:, k, None])
            for k, eye in enumerate((one[:, 1], other[:, 1]))
        )
        mouth = torch.cat([one[:, 0, EDGE - 1, None], one[:, 0]], dim=1)
        points = torch.stack([mouth, left, mirror_order(right * right.new_tensor([-1, 1, 1]), dim=-2)], 1)
        pose = descriptor[:, N_EXPRESSION : N_EXPRESSION + N_POSE]
        posed = transform(points.flatten(1, 3), pose)  # [B,3*8*48,3]
        # [B,N,2] -> [B,3,8,48,2]
        return Camera.of_size(size).pixels(posed).unflatten(1, (PARTS, CONTOURS, POINTS))

    def _with_lashes(self, eye: Tensor, length: Tensor, blink: Tensor) -> Tensor:
        """A left eye's contours [B,7,48,3] after the ends of its lashes; length [1 or B,1], blink [B,1]."""
        lashes = length[..., None] * (self.lashes[0] + blink[..., None] * self.lashes[1])
        return torch.cat([(eye[:, EDGE - 1] + lashes)[:, None], eye], dim=1)


def mirror_order(contours: Tensor, dim: int) -> Tensor:
    """Values at a contour's points, reordered for its mirror image: again counter-clockwise from the image's
    right corner."""
    order = (POINTS // 2 - torch.arange(POINTS, device=contours.device, dtype=torch.long)) % POINTS
    return contours.index_select(dim, order)
