"""Contours of a clip's own lips, where its pictures have them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gohd_core.mesh.contours import HALF, lip_contours, opposite
from gohd_core.mesh.dubbing.fitted_meshes import FittedMeshes
from gohd_core.mesh.frame import EDGE
from gohd_core.mesh.picture.photometry import smooth, smoothstep

TOUCHING = (0.006, 0.03)
"""Gap up to which lips meet where they touch in pictures, and from which they are where the mesh has them."""
_PUSH, _THICKNESS = 0.006, 0.55
"""Outward shift of the own lips' edges on an open mouth: model units, and at most which share of the lips."""
_OUTER, _LEAST_APART = 4, 0.8
"""The contour around the lips, and the least distance of those beyond over the face's at rest."""
_BLOCK = 32
"""Frames whose lips are told together."""


class OwnLips:
    """Own lips of a clip's frames, in head space.

    Attributes:
        line: [48] by how much the line where shut lips touch lies above the mesh's, model units.
    """

    def __init__(self, rows: FittedMeshes, gap: np.ndarray, share: Tensor, neutral: Tensor) -> None:
        """gap: [T] between them. share: [T] of the gap that is read that this is. neutral: [7,48,3]."""
        self._rows, self._gap, self._share, self._neutral = rows, gap, share, neutral
        self.line = neutral.new_zeros(neutral.shape[1])
        self._near: tuple[int, Tensor] = (-1, neutral)

    def meet(self, line: np.ndarray) -> None:
        """Has shut ones touch so far [48] above the mesh's line."""
        self.line = torch.from_numpy(line).float()
        self._near = (-1, self.line)

    def at(self, t: int) -> Tensor:
        """Own lips of frame t [7,48,3], whose edges lie together where they are shut."""
        start = t - t % _BLOCK
        if self._near[0] != start:
            self._near = start, self.of(slice(start, start + _BLOCK))
        return self._near[1][t - start]

    def of(self, rows: slice) -> Tensor:
        """Own lips [n,7,48,3] of frames."""
        found = lip_contours(self._rows.points(rows))
        edges = found[:, : EDGE + 1]
        middle = (edges + opposite(edges, 2)) / 2
        found[:, : EDGE + 1] = middle + self._share[rows, None, None, None] * (edges - middle)
        # Of mouths wide open meshes have the skin beside the lips on them.
        for k in range(_OUTER + 1, len(found[0])):
            beside = self._neutral[k] - self._neutral[k - 1]
            apart = beside[..., :2].norm(dim=-1, keepdim=True).clamp_min(1e-4)
            out = ((found[:, k] - found[:, k - 1]) * (beside / apart))[..., :2].sum(-1, keepdim=True)
            found[:, k] += (_LEAST_APART * apart - out).clamp_min(0) * beside / apart
        return self.on_line(found, torch.from_numpy(self._gap[rows]))

    def on_line(self, lips: Tensor, gap: Tensor) -> Tensor:
        """Lips [n,7,48,3] that are so far [n] apart: shut ones meet where the pictures' do. In place."""
        share = 1 - smooth(*TOUCHING, gap)[:, None, None]
        lips[:, : EDGE + 1, :, 1] += share * self.line
        lips[:, EDGE + 1, :, 1] += share[:, 0] * self.line / 2
        return lips

    def pushed(self, t: int, cuts: np.ndarray) -> Tensor:
        """Own lips of frame t [7,48,3], an open mouth's edges outwards: no teeth are carried along.

        cuts: [2] by how much the upper and the lower lip's true edge lies inside the mesh's.
        """
        found = self.at(t).clone()
        index = torch.arange(found.shape[1], dtype=torch.float32, device="cpu")
        sign = torch.where(index < HALF, 1.0, -1.0).to(torch.float32)
        sine = (index * (2 * torch.pi / len(index))).sin().abs() ** 0.7
        out = _PUSH - torch.where(index < HALF, *torch.from_numpy(cuts).float())
        push = float(smoothstep(0.008, 0.035, float(self._gap[t]))) * sine * out
        thickness = ((found[4, :, 1] - found[EDGE, :, 1]) * sign).clamp_min(1e-4)
        push = torch.minimum(push, _THICKNESS * thickness)
        for contour in (2, 3):
            way = found[4, :, 1] - found[contour, :, 1]
            found[contour, :, 1] = found[4, :, 1] - way * (1 - push / thickness)
        found[: EDGE + 1, :, 1] += push * sign
        return found
