"""Lids' edges as frames show them, on drawn eyes whose edges are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gohd_core.mesh.eye_contact.seen_lids import SeenLids

WIDTH = 60.0
SKIN, BALL = (200, 140, 120), (235, 235, 240)


def lids(height: float, wider: float = 0.0) -> np.ndarray:
    """An eye's edges [16,2]; `wider` pixels farther out above and below."""
    x = np.linspace(-1, 1, 9)
    bow = (height / 2 + wider) * np.sqrt(1 - x**2)
    lower = np.stack([x * WIDTH / 2, bow], -1)
    upper = np.stack([x * WIDTH / 2, -bow], -1)[1:8]
    return (np.concatenate([lower, upper]) + 80).astype(np.float32)


def drawn(edges: np.ndarray, iris: bool = False) -> np.ndarray:
    picture = np.full((160, 160, 3), SKIN, np.uint8)
    outline = np.round(np.concatenate([edges[:9], edges[:8:-1]]) * 16).astype(np.int32)
    cv2.fillPoly(picture, [outline], BALL, cv2.LINE_AA, 4)
    cv2.polylines(picture, [outline], True, (40, 20, 20), 2, cv2.LINE_AA, 4)
    if iris:
        cv2.circle(picture, (80, 80), 9, (60, 40, 30), -1)
    return picture


@pytest.mark.parametrize("iris", [False, True])
def test_edges_go_out_to_where_a_wide_eye_ends(iris: bool) -> None:
    read, true = lids(26), lids(26, wider=5)
    found = SeenLids().widened(drawn(true, iris), read)
    assert np.abs(found[[4, 12], 1] - true[[4, 12], 1]).max() < 2.5
    assert np.abs(found[[0, 8]] - read[[0, 8]]).max() < 1.6


def test_edges_that_lie_on_lashes_stay() -> None:
    read = lids(26)
    assert np.abs(SeenLids().widened(drawn(read), read) - read).max() < 0.7


def test_narrow_eyes_and_plain_skin_stay() -> None:
    narrow = lids(14)
    assert np.array_equal(SeenLids().widened(drawn(lids(14, wider=5)), narrow), narrow)
    plain, read = np.full((160, 160, 3), SKIN, np.uint8), lids(26)
    assert np.abs(SeenLids().widened(plain, read) - read).max() < 1e-3


def test_edges_follow_a_jump_calmly() -> None:
    seen, read = SeenLids(), lids(26)
    first = seen.widened(drawn(read), read)
    second = seen.widened(drawn(lids(26, wider=5)), read)
    at_once = SeenLids().widened(drawn(lids(26, wider=5)), read)
    assert first[4, 1] < second[4, 1] < at_once[4, 1]
