"""Raising and frowning of a portrait's own brows: they move as a whole, and skin stretches around them."""

from __future__ import annotations

import torch
from torch import Tensor

from gohd_core.measures.face_points import OUTER_CORNERS
from gohd_core.mesh.picture.photometry import smooth
from gohd_core.mesh.reading.canonical import canonical_face

BROWS = slice(10, 14)
"""Places in `DRAWN`: the inner brows up, the left and the right outer brow up, frown."""
_UPPER = (300, 293, 334, 296, 336, 9, 107, 66, 105, 63, 70)
_LOWER = (276, 283, 282, 295, 285, 8, 55, 65, 52, 53, 46)
"""Points of the mesh along the brows' upper and lower edges, from the subject's left to the right."""
_FOLD = (359, 467, 260, 259, 257, 258, 286, 414, 168, 190, 56, 28, 27, 29, 30, 247, 130)
"""Points on the folds of the upper lids and on the bridge of the nose."""
_TOP = 10
"""Point of the mesh at the top of the forehead."""
_BESIDE = 0.12
"""Distance beyond the brows' ends over which their motion fades, in distances of the eyes' outer corners."""
_STRETCHED = (0.05, 0.75)
"""Shares of the way from a fold to the brow between which skin is stretched."""
_FOREHEAD = 0.8
"""Share of the forehead above the brows over which their motion fades."""
_LEAST = 0.02
"""Least height of the skin between fold and brow, distances of the eyes."""
_LOWERED = 0.6
"""Share of the way to the fold that a frown goes at most."""
_DEPTH = (0.45, 0.15)
"""Depths behind the brows between which their motion fades, in distances of the eyes."""


def brow_directions(points: Tensor, places: Tensor) -> Tensor:
    """Displacements [4, ..., 3] by the columns of `BROWS` at places [..., 3] of a head.

    points: [478,3] the portrait's own mesh in head space, float64.
    """
    face = canonical_face()
    upper, lower, fold = (points[list(each)] for each in (_UPPER, _LOWER, _FOLD))
    right, left = OUTER_CORNERS
    eyes = (points[left] - points[right]).norm()
    size = eyes / (face.points[left] - face.points[right]).norm()
    shifts = size / 2 * sum(face.expression[list(each), BROWS] for each in (_UPPER, _LOWER))  # [11,4,3]
    along = (upper + lower)[:, 0] / 2
    x, y, z = places.unbind(-1)
    above, below = _between(along, torch.stack([upper[:, 1], lower[:, 1]], -1), x).unbind(-1)
    skin = torch.minimum(_between(fold[:, 0], fold[:, 1], x), below - _LEAST * eyes)
    start, stop = (skin + share * (below - skin) for share in _STRETCHED)
    share = smooth(start, stop, y) * smooth(above + _FOREHEAD * (points[_TOP, 1] - above), above, y)
    share = share * smooth(_BESIDE * eyes, 0.0, torch.maximum(along.min() - x, x - along.max()))
    share = share * smooth(*_DEPTH, (upper[:, 2].mean() - z) / eyes)
    moved = _between(along, shifts, x) * share[..., None, None]  # [...,4,3]
    lowest = -_LOWERED * (below - skin)
    moved[..., 1] = torch.maximum(moved[..., 1], lowest[..., None])
    return moved.movedim(-2, 0)  # [...,4,3] -> [4,...,3]


def _between(at: Tensor, values: Tensor, x: Tensor) -> Tensor:
    """Values [n,...] that are given at places [n], linearly between them at x [N...]: [N...,...]."""
    at, order = at.sort()
    values = values[order]
    k = torch.searchsorted(at, x.contiguous()).clamp(1, len(at) - 1)
    share = ((x - at[k - 1]) / (at[k] - at[k - 1]).clamp_min(1e-6)).clamp(0, 1)
    return torch.lerp(values[k - 1], values[k], share.reshape(*x.shape, *[1] * (values.ndim - 1)))
