"""Linear interpolation between the rows of an array."""

from __future__ import annotations

import numpy as np


def interpolate_rows(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Rows of `values` [N, ...] at fractional `places` [...]; edges repeat."""
    places = np.clip(places, 0, len(values) - 1)
    low = np.minimum(places.astype(np.int64), len(values) - 2)
    share = (places - low).astype(values.dtype).reshape(*low.shape, *[1] * (values.ndim - 1))
    return values[low] * (1 - share) + values[low + 1] * share
