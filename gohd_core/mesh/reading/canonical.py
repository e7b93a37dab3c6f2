"""The canonical face mesh, laid on the stylised head: the mean of the sample portraits' own meshes.

`scripts/canonical_face.py` makes the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from gohd_core.animator.geometry.linear_shape import MOVING
from gohd_core.checkpoints.loading import assets_folder
from gohd_core.checkpoints.reading import read_file
from gohd_core.face.mediapipe.points import landmarks_68
from gohd_core.mesh.contours import face_contours
from gohd_core.mesh.reading.columns import DRAWN
from gohd_core.mesh.reading.spline import Spline
from gohd_core.stylised.ground_truth.feature_rings import feature_rings
from gohd_core.stylised.head.morphable import stylised_basis

FILE = "canonical_face.safetensors"
_FRONT = -0.2
"""Depth from which vertices of the stylised head belong to its front, model units."""
_NEAREST = 3
"""Vertices that a place on the head is taken from."""
_ON_SURFACE = 0.7
"""Share of the way that control points are drawn onto the stylised head's surface."""
_SPREAD = 2.0
"""Of the mean spread by expressions, what every point of a mesh is uncertain by."""
_EYELID_PAIRS = ((1, 1), (4, 3), (6, 5))
"""Contours of an eye in `face_contours` and on the stylised head."""


@dataclass(frozen=True)
class CanonicalFace:
    """The face mesh in the stylised head's space, float64 on the CPU.

    Attributes:
        points: [468,3] model units, symmetric.
        mirror: [468] the point on the other side.
        rigidity: [468] weights, summing to 1: how little a point moves with expressions.
        on_head: [468,3] the place on the stylised mean head that corresponds to each point.
        expression: [468,19,3] what the columns of the expression do there that are drawn (`columns.DRAWN`).
    """

    points: Tensor
    mirror: Tensor
    rigidity: Tensor
    on_head: Tensor
    expression: Tensor


@lru_cache(maxsize=1)
def canonical_face() -> CanonicalFace:
    """Read and laid on the head once."""
    points = read_file(assets_folder() / FILE)[0]["points"].double()
    flipped = points * points.new_tensor([-1.0, 1.0, 1.0])
    mirror = torch.cdist(points, flipped).argmin(1)
    on_head = _on_head(points)
    basis = stylised_basis()
    head = torch.tensor(basis.mean_shape, dtype=torch.float64, device="cpu")
    front = (head[:, 2] > _FRONT).nonzero()[:, 0]
    distance, nearest = torch.cdist(on_head, head[front]).topk(_NEAREST, largest=False)
    share = 1 / (distance + 1e-3) ** 2
    share = share / share.sum(1, keepdim=True)
    at = front[nearest]  # [468,3 nearest]
    columns = torch.tensor(basis.expression_basis[:, :, list(DRAWN)], dtype=torch.float64, device="cpu")
    expression = torch.einsum("nk,nkcm->nmc", share, columns[at])
    spread = expression[:, : len(MOVING)].square().sum((1, 2))
    rigidity = 1 / (spread + _SPREAD * spread.mean())
    return CanonicalFace(points, mirror, rigidity / rigidity.sum(), on_head, expression)


def _on_head(points: Tensor) -> Tensor:
    """Points of the canonical face [468,3] on the stylised mean head.

    A spline through landmarks and contours of both, then drawn onto the surface.
    """
    basis, rings = stylised_basis(), torch.tensor(feature_rings().mean, dtype=torch.float64, device="cpu")
    head = torch.tensor(basis.mean_shape, dtype=torch.float64, device="cpu")
    controls = [torch.from_numpy(landmarks_68(points.numpy()))[:36]]  # all but eyes and lips
    targets = [head[torch.tensor(basis.landmark_indices, dtype=torch.long, device="cpu")][:36]]
    own = face_contours(points[None])[0]
    every = torch.arange(0, 48, 3, dtype=torch.long, device="cpu")
    upper = torch.arange(0, 25, 3, dtype=torch.long, device="cpu")
    mouth = rings[0]
    controls += [own[0, 1, upper], own[0, 4, every], own[0, 5, every]]
    targets += [(mouth[1, upper] + mouth[1, (48 - upper) % 48]) / 2, mouth[4, every], mouth[5, every]]
    flip = points.new_tensor([-1.0, 1.0, 1.0])
    for ours, theirs in _EYELID_PAIRS:
        controls += [own[1, ours, every], own[1, ours, every] * flip]
        targets += [rings[1, theirs, every], rings[1, theirs, every] * flip]
    guess = Spline(torch.cat(controls), torch.cat(targets), 2e-3)(points)
    front = head[head[:, 2] > _FRONT]
    distance, nearest = torch.cdist(guess, front).topk(_NEAREST, largest=False)
    share = 1 / (distance + 1e-3)
    surface = (front[nearest] * (share / share.sum(1, keepdim=True))[..., None]).sum(1)
    return torch.lerp(guess, surface, _ON_SURFACE)
