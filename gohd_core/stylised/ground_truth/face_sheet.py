"""The front of the stylised head as a sheet of points, linear in its identity and expression."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gohd_core.stylised.head.morphable import stylised_basis
from gohd_core.stylised.person.parts import bind

ROWS, COLUMNS = 24, 24
_ACROSS, _DOWN, _UP = 1.35, -1.3, 1.0
"""Extent of the sheet in the layout's radians."""


@dataclass(frozen=True)
class SheetModel:
    """mean [24,24,3] float32 from the image's top left, identity [24,24,3,80], expression [24,24,3,64]."""

    mean: np.ndarray
    identity: np.ndarray
    expression: np.ndarray


@lru_cache(maxsize=1)
def sheet_model() -> SheetModel:
    """Built once."""
    across, up = np.linspace(-_ACROSS, _ACROSS, COLUMNS), np.linspace(_UP, _DOWN, ROWS)
    binding, basis = bind(np.stack(np.meshgrid(across, up), -1).reshape(-1, 2)), stylised_basis()

    def bound(values: np.ndarray) -> np.ndarray:
        found = binding.apply(values.reshape(len(values), -1))
        return found.reshape(ROWS, COLUMNS, *values.shape[1:]).astype(np.float32)

    return SheetModel(bound(basis.mean_shape), bound(basis.identity_basis), bound(basis.expression_basis))
