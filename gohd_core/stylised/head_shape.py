"""The shape of a stored head as the animator reads it: rings, lashes and sheet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gohd_core.clips import Clip
from gohd_core.stylised.face_sheet import sheet_model
from gohd_core.stylised.feature_rings import feature_rings
from gohd_core.stylised.identity import Identity


@dataclass(frozen=True)
class HeadShape:
    """rings [2,7,48,3] and sheet [24,24,3] without expression, float32 model units; length of the lashes."""

    rings: np.ndarray
    lashes: float
    sheet: np.ndarray


def head_shape(clip: Clip) -> HeadShape:
    """From a clip's identity."""
    identity, rings, sheet = clip.read("identity"), feature_rings(), sheet_model()
    return HeadShape(
        rings.mean + rings.identity @ identity,
        _lash_length(clip.info["identity_seed"]),
        sheet.mean + sheet.identity @ identity,
    )


@lru_cache(maxsize=4096)
def _lash_length(seed: int) -> float:
    return Identity.random(seed).style.lashes
