"""Fits a mesh's eyes to the picture: lower lids to the eyeball's edge, irises to their limbus."""

from __future__ import annotations

import cv2
import numpy as np

from gohd_core.mesh.contours import LEFT_LIDS, RIGHT_LIDS, Loop
from gohd_core.mesh.picture.photometry import blur

_INSIDE, _BEYOND = (-0.12, -0.05), (0.11, 0.17)
"""Places before and behind a lid's edge, in eye widths, that show the eyeball and the skin for certain."""
_FARTHEST, _OF_FOLD = 0.10, 0.6
"""Largest outward shift of an edge: in eye widths, and as a share of the way to the fold below it."""
_CONTRAST = 0.14
"""Difference of skin and eyeball (0..1) from which on the edge between them is believed."""
_STEP = 0.01
_OFFSETS, _RADII = np.linspace(-0.25, 0.25, 7), np.arange(0.88, 1.57, 0.04)
"""Search grid for the limbus: offsets of its middle, and its radii, in the mesh's iris radii."""
_ARC, _LEAST_ARC = 64, 12
"""Directions in which the limbus is sampled, and how many of them must be visible."""
_EDGE = 0.12
"""Half the width of its edge, in iris radii."""
_LEAST_EDGE = 0.03
"""Step of light (0..1) across a limbus below which none is seen."""
_DISTRUST = 0.5
"""Prior: score that a limbus at the border of the search grid loses against one where the mesh has it."""


def with_lower_lids(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Mesh points [478,2] whose lower lids lie on the edge of the eyeball, where it is seen to reach farther.

    picture: [S,S,3] in 0..1. Meshes are of human eyes: in large drawn ones they end within the iris.
    """
    points = points.copy()
    for edge, fold, _ in (LEFT_LIDS, RIGHT_LIDS):
        points[list(edge.lower)] += _lower_shift(picture, points, edge, fold)
    return points


def _lower_shift(picture: np.ndarray, points: np.ndarray, edge: Loop, fold: Loop) -> np.ndarray:
    """Shift of each point of a lower lid's edge, [n,2]."""
    across = points[edge.right] - points[edge.left]
    width = float(np.linalg.norm(across))
    right = across / max(width, 1e-6)
    down = np.array([-right[1], right[0]])
    steps = np.arange(_INSIDE[0], _BEYOND[1] + _STEP, _STEP)
    own = points[list(edge.lower)]
    beside = np.linspace(-0.03, 0.03, 5)[:, None, None, None] * across
    colours = _sampled(picture, own[:, None] + steps[:, None] * (width * down) + beside).mean(0)  # [n,k,3]
    inside, beyond = (colours[:, (steps >= a) & (steps <= b)] for a, b in (_INSIDE, _BEYOND))
    ball, skin = np.median(inside, 1), np.median(beyond, 1)  # [n,3]
    way = skin - ball
    apart = np.linalg.norm(way, axis=1)
    like_skin = np.einsum("nkc,nc->nk", colours - ball[:, None], way / np.maximum(apart**2, 1e-6)[:, None])
    outwards = steps >= 0
    reached = np.maximum.accumulate(like_skin[:, outwards] > 0.5, 1)
    shift = np.where(reached[:, -1], steps[outwards][reached.argmax(1)], 0.0) * (apart > _CONTRAST)
    room = _OF_FOLD * ((points[list(fold.lower)] - own) @ down) / width
    shift = np.minimum(shift, np.clip(room, 0, _FARTHEST))
    # One point alone is taken for a lash or a light.
    padded = np.pad(shift, 1, mode="edge")
    shift = np.median([padded[:-2], shift, padded[2:]], 0)
    shift = np.convolve(np.pad(shift, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")
    return shift[:, None] * (width * down)


def limbus(
    luma: np.ndarray, between: np.ndarray, middle: np.ndarray, radius: float
) -> tuple[np.ndarray, float]:
    """The iris's circle, where the picture darkens most across it (Daugman's integro-differential operator).

    Args:
        luma: [h,w] in 0..1.
        between: [h,w] 1 between the lids.
        middle, radius: as the mesh has it, pixels.

    Returns:
        middle [2] and radius; the mesh's own where no limbus is seen.
    """
    score = limbus_scores(luma, between, middle, radius) * _limbus_prior(_DISTRUST)
    y, x, r = np.unravel_index(score.argmax(), score.shape)
    if score[y, x, r] < _LEAST_EDGE:
        return middle, radius
    return middle + radius * _OFFSETS[[x, y]], radius * float(_RADII[r])


def limbus_scores(luma: np.ndarray, between: np.ndarray, middle: np.ndarray, radius: float) -> np.ndarray:
    """Mean step of light across the circles of the search grid [n,n,r]: offsets down and to the right, radii.

    Args: see `limbus`.
    """
    luma = blur(luma, max(0.6, 0.06 * radius))
    turn = np.arange(_ARC) * (2 * np.pi / _ARC)
    ways = np.stack([np.cos(turn), np.sin(turn)], -1)
    dy, dx = np.meshgrid(_OFFSETS, _OFFSETS, indexing="ij")
    offsets = np.stack([dx, dy], -1)  # [n,n,2]
    reach = _RADII[:, None] + np.array([-_EDGE, _EDGE])  # [r,2]
    at = offsets[:, :, None, None, None] + reach[:, :, None, None] * ways  # [n,n,r,2,arc,2]
    at = middle + radius * at
    found, seen = (_sampled(each, at) for each in (luma, between.astype(np.float32)))  # [n,n,r,2,arc]
    seen = (seen > 0.9).all(3)  # [n,n,r,arc]
    count = seen.sum(-1)
    step = (found[..., 1, :] - found[..., 0, :]).clip(-0.1, 0.35)
    return np.where(count >= _LEAST_ARC, (step * seen).sum(-1) / np.maximum(count, 1), 0)


def _limbus_prior(distrust: float) -> np.ndarray:
    """Share of its score that a limbus keeps, by where it lies on the grid of `limbus_scores`."""
    away = np.hypot(np.hypot(_OFFSETS[:, None], _OFFSETS)[..., None] / _OFFSETS[-1], (_RADII - 1) / 0.5)
    return 1 - distrust * (away / 1.5) ** 2


def _sampled(picture: np.ndarray, at: np.ndarray) -> np.ndarray:
    """A picture [h,w] or [h,w,C] at pixels [...,2] (column, row)."""
    flat = at.astype(np.float32).reshape(len(at), -1, 2)
    found = cv2.remap(picture, flat, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return found.reshape(*at.shape[:-1], *picture.shape[2:])
