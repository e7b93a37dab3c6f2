"""Rings of points around mouth and eye of the stylised head, linear in its identity and expression."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gohd_core.stylised.head.morphable import stylised_basis
from gohd_core.stylised.head.template import EYE_LEFT, EYE_RINGS, MOUTH, template
from gohd_core.stylised.person.eyes import lash_positions

POINTS = 48
"""Points of a ring, counter-clockwise from the image's right corner; rings go from the rim inside lips or
lids outwards."""
_MOUTH_RINGS = (-0.02, 0.0, 0.012, 0.026, 0.058, 0.105, 0.14)
_PARTS = ((MOUTH, _MOUTH_RINGS), (EYE_LEFT, EYE_RINGS))


@dataclass(frozen=True)
class FeatureRings:
    """Mouth and left eye (the right one is its mirror image), model units.

    Attributes:
        mean: [2,7,48,3] float32; identity: [2,7,48,3,80]; expression: [2,7,48,3,64].
        lashes: [2,48,3] from the left eye's edge to the ends of lashes of length 1 in an open eye, and what
            a blink of 1 adds.
    """

    mean: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    lashes: np.ndarray

    def modes(self, count: int) -> np.ndarray:
        """The `count` directions of identities [count,80] (orthonormal rows) that move the rings most."""
        _, _, rows = np.linalg.svd(self.identity.reshape(-1, self.identity.shape[-1]), full_matrices=False)
        return rows[:count].astype(np.float32)


@lru_cache(maxsize=1)
def feature_rings() -> FeatureRings:
    """Built once; points between two vertices of a ring lie on the line between them, as rendered."""
    head, basis = template(), stylised_basis()
    rows, shares = [], []
    for kind, offsets in _PARTS:
        rings = np.stack([head.ring(kind, offset) for offset in offsets])
        at = np.arange(POINTS) * rings.shape[1] / POINTS
        low = np.floor(at).astype(int)
        rows.append(np.stack([rings[:, low], rings[:, (low + 1) % rings.shape[1]]]))
        shares.append(at - low)
    pairs, share = np.stack(rows, 1), np.stack(shares)[:, None, :, None].astype(np.float32)

    def resampled(values: np.ndarray) -> np.ndarray:
        share_ = share if values.ndim == 2 else share[..., None]
        return values[pairs[0]] * (1 - share_) + values[pairs[1]] * share_

    linear = (basis.mean_shape, basis.identity_basis, basis.expression_basis)
    return FeatureRings(*(resampled(each) for each in linear), _lashes())


def _lashes() -> np.ndarray:
    upper = POINTS // 2 + 1
    open_eye, shut = (lash_positions(np.zeros((upper, 3)), 1, 1.0, closed)[upper:] for closed in (0.0, 1.0))
    found = np.zeros((2, POINTS, 3), np.float32)
    # Lashes are ordered from the inner corner outwards, rings from the outer one.
    found[:, :upper] = np.stack([open_eye, shut - open_eye])[:, ::-1]
    return found
