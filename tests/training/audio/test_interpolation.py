"""Interpolation between rows."""

from __future__ import annotations

import numpy as np

from gohd_core.training.audio.interpolation import interpolate_rows


def test_rows_are_linear_between_two_and_repeat_at_edges() -> None:
    rows = np.array([[0, 1], [2, 5], [4, 4]], np.float32)
    found = interpolate_rows(rows, np.array([[-1.0, 0.5], [1.25, 9.0]]))
    np.testing.assert_allclose(found, [[[0, 1], [1, 3]], [[2.5, 4.75], [4, 4]]])
    assert found.dtype == np.float32
