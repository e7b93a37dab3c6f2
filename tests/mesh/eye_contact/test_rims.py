"""Rims of glasses before an eye: drawn lines, and what only looks like one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gohd_core.mesh.eye_contact.rims import rims

WIDTH, HIGH, WIDE = 60.0, 78, 104


def lids() -> np.ndarray:
    x = np.linspace(-1, 1, 9)
    bow = 12 * (1 - x**2)
    lower, upper = (np.stack([x * WIDTH / 2, sign * bow], -1) for sign in (1, -1))
    middle = np.array([WIDE / 2, 42])
    return (middle + np.concatenate([lower, upper[1:8]])).astype(np.float32)


def window(rim: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Skin with a dark eye and, at a row, a rim; and what is between the lids."""
    picture, opening = np.full((HIGH, WIDE, 3), 180, np.uint8), np.zeros((HIGH, WIDE), np.float32)
    outline = np.round(np.concatenate([lids()[:9], lids()[:8:-1]])).astype(np.int32)
    cv2.fillPoly(opening, [outline], 1.0)
    cv2.fillPoly(picture, [outline], (220, 220, 220))
    cv2.polylines(picture, [outline], True, (70, 60, 60), 2)
    cv2.circle(picture, (WIDE // 2, 42), 10, (50, 40, 40), -1)
    if rim is not None:
        cv2.line(picture, (0, rim), (WIDE, rim), (30, 25, 25), 2)
    return picture.astype(np.float32), opening


@pytest.mark.parametrize("rim", [12, 27, 30])
def test_a_rim_is_kept_above_a_lid_and_before_it(rim: int) -> None:
    picture, opening = window(rim)
    kept = rims(picture, opening, lids(), WIDTH, 0.8)
    assert kept[rim, 2:-2].min() > 0.6
    away = np.abs(np.arange(HIGH) - rim) > 8
    assert kept[away].max() < 0.1


def test_lashes_and_irises_are_no_rims() -> None:
    picture, opening = window(None)
    assert rims(picture, opening, lids(), WIDTH, 0.8).max() < 0.01
