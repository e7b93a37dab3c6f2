"""Rings of points around mouth and eyes: where lips and lids are, by a head's shape and its expression.

The paper's descriptors are coefficients of a morphable face (eq. 10); its rows around lips and lids say where
their edges are in any pose, for any expression, to a fraction of a pixel. Flows that a network finds at a
quarter of the picture's size are smooth just there, where a mouth parts and a lid covers the eye.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from gohd_core.constants import N_EXPRESSION, N_POSE
from gohd_core.face.camera import Camera, transform

PARTS = 3
"""Mouth, the subject's left eye, the right one."""
RINGS, POINTS = 8, 48
"""Rings of a part: the ends of lashes (of a mouth its edge again), then from inside outwards; and points of a
ring, counter-clockwise from the image's right corner."""
LASHES, RIM, EDGE = range(3)
MODES = 20
"""Directions in which heads' rings differ."""
MOVING = (0, 1, 3, 4, 5, 6, 7, 8, 10, 11, 13, 14, 15, 16)
"""Columns of the expression that move the rings in the stylised world's data: of mouth, lids and brows."""
MIRRORED_MOVING = (0, 1, 2, 3, 4, 5, 7, 6, 9, 8, 10, 12, 11, 13)
"""The same columns in a mirror, as places in `MOVING`."""
_BLINKS = slice(8, 10)
"""Places of the left and the right blink in `MOVING`."""


@dataclass(frozen=True)
class OwnShape:
    """Where a portrait's lips, lids and skin are.

    Attributes:
        neutral: [B,2,7,48,3] rings of mouth and left eye in the head, without expression; model units.
        lashes: [B,1] length of the lashes; 1 is long.
        sheet: [B,24,24,3] points of the face's front (`face_sheet.py`), likewise.
        skin: [B,24,24] how far the portrait shows skin there, 0..1.
        descriptor: [B,72] the portrait's own.
    """

    neutral: Tensor
    lashes: Tensor
    sheet: Tensor
    skin: Tensor
    descriptor: Tensor

    def mapped(self, change: Callable[[Tensor], Tensor]) -> OwnShape:
        """With every part changed alike."""
        return OwnShape(*(change(getattr(self, field.name)) for field in fields(self)))


class FaceRings(nn.Module):
    """A head's rings and a descriptor -> rings in the picture, [B,3,8,48,2] pixels, x right and y down.

    The model is that of the weights' coefficient space; the right eye is the left one's mirror image.
    """

    def __init__(self) -> None:
        super().__init__()
        points = 2 * (RINGS - 1) * POINTS * 3
        self.register_buffer("mean", torch.zeros(points))
        self.register_buffer("modes", torch.zeros(MODES, points))
        self.register_buffer("expression", torch.zeros(len(MOVING), points))
        self.register_buffer("lashes", torch.zeros(2, POINTS, 3))

    def set_model(self, mean: Tensor, modes: Tensor, expression: Tensor, lashes: Tensor) -> None:
        """mean [2,7,48,3], modes [MODES,2,7,48,3] a standard deviation each, expression [64,2,7,48,3].

        All of them of mouth and left eye, without ends of lashes; `lashes` [2,48,3] goes from the eye's edge
        to the ends of lashes of length 1, and what a blink of 1 adds to that.
        """
        self.mean.copy_(mean.flatten())
        self.modes.copy_(modes.flatten(1))
        self.expression.copy_(expression[list(MOVING)].flatten(1))
        self.lashes.copy_(lashes)

    def neutral(self, shape: Tensor) -> Tensor:
        """Rings in the head without expression, from shares of the modes [B,MODES] -> [B,2,7,48,3]."""
        return (self.mean + shape @ self.modes).unflatten(1, (2, RINGS - 1, POINTS, 3))

    def forward(self, neutral: Tensor, lashes: Tensor, descriptor: Tensor, size: int) -> Tensor:
        """neutral and lashes as in `OwnShape` (B or 1), descriptor [B,72] in the network's order."""
        moving = descriptor[:, list(MOVING)]
        one, other = (
            neutral + (each @ self.expression).unflatten(1, neutral.shape[1:])
            for each in (moving, moving[:, list(MIRRORED_MOVING)])
        )
        blinks = moving[:, _BLINKS].clamp(0, 1)
        left, right = (
            self._with_lashes(eye, lashes, blinks[:, k, None])
            for k, eye in enumerate((one[:, 1], other[:, 1]))
        )
        mouth = torch.cat([one[:, 0, EDGE - 1, None], one[:, 0]], dim=1)
        points = torch.stack([mouth, left, mirrored(right)], 1)
        moved = transform(points.flatten(1, 3), descriptor[:, N_EXPRESSION : N_EXPRESSION + N_POSE])
        return Camera.of_size(size).pixels(moved).unflatten(1, (PARTS, RINGS, POINTS))

    def _with_lashes(self, eye: Tensor, length: Tensor, blink: Tensor) -> Tensor:
        """A left eye's rings [B,7,48,3] after the ends of its lashes; length [1 or B,1], blink [B,1]."""
        lashes = length[..., None] * (self.lashes[0] + blink[..., None] * self.lashes[1])
        return torch.cat([(eye[:, EDGE - 1] + lashes)[:, None], eye], dim=1)


def mirrored(rings: Tensor) -> Tensor:
    """Rings [...,48,3] of the other side, again counter-clockwise from the image's right corner."""
    flipped = rings * rings.new_tensor([-1, 1, 1])
    order = (POINTS // 2 - torch.arange(POINTS)) % POINTS
    return flipped[..., order, :]
