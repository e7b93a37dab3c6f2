"""The line between shut lips: the darkest curve near the one that the face mesh gives."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from gohd_core.mesh.contours import HALF
from gohd_core.mesh.frame import POINTS
from gohd_core.motion.curves import smoothstep

_REACH, _STEPS = 0.024, 33
"""Search range for the seam on either side of the mesh's line, model units, and places in it."""
_AWAY, _BEND, _BEND_LENGTH = 1.2, 0.05, 0.003
"""Costs of lying a whole `_REACH` away, and of a bend by `_BEND_LENGTH` from one point to the next, in
contrasts between the lips and their line."""
FOLLOW = (1.0, 1.0, 0.6, 0.25)
"""Share of the seam's shift that each contour of the lips follows, from the edge outwards."""


def seam_offset(image: Tensor, edge: Tensor, unit: float) -> Tensor:
    """Height of the line between shut lips over their edge [48,2] (pixels of a picture [1,3,S,S]), at each of
    the edge's points; [48] model units of `unit` pixels."""
    grey = cv2.cvtColor(image[0].permute(1, 2, 0).cpu().numpy() * 0.5 + 0.5, cv2.COLOR_RGB2GRAY)
    grey = cv2.GaussianBlur(grey, (0, 0), max(0.6, 0.004 * unit))
    points = edge.cpu().numpy()
    axis = points[0] - points[HALF]
    axis = axis / np.linalg.norm(axis)
    up = np.array([axis[1], -axis[0]])
    offsets = np.linspace(-_REACH, _REACH, _STEPS)
    at = points[1:HALF, None] + offsets[None, :, None] * unit * up
    light = cv2.remap(grey, at.astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    contrast = max(float(np.ptp(light, 1).mean()), 0.03)
    cost = (light - light.min(1, keepdims=True)) / contrast + _AWAY * (offsets / _REACH) ** 2
    found = offsets[_smoothest(cost, (offsets[:, None] - offsets) ** 2 / _BEND_LENGTH**2 * _BEND)]
    found = cv2.GaussianBlur(np.pad(found, 1)[None], (5, 1), 1.0, borderType=cv2.BORDER_REPLICATE)[0][1:-1]
    inward = smoothstep(0, 0.35, np.sin(np.arange(1, HALF) * np.pi / HALF))
    offset = np.zeros(POINTS)
    offset[1:HALF] = found * inward
    offset[:HALF:-1] = offset[1:HALF]
    return torch.tensor(offset, device=edge.device, dtype=edge.dtype)


def _smoothest(cost: np.ndarray, step: np.ndarray) -> np.ndarray:
    """The cheapest way through cost [n,m], with step [m,m] from one place to the next; by dynamic
    programming."""
    total, came_from = cost[0], []
    for row in cost[1:]:
        reached = total[None] + step
        came_from.append(reached.argmin(1))
        total = row + reached.min(1)
    way = [int(total.argmin())]
    for before in reversed(came_from):
        way.append(int(before[way[-1]]))
    return np.array(way[::-1])
