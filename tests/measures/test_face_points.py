"""Openings of lips and lids do not depend on the head's pose, and grow as lips and lids open."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gohd_core.measures.face_points import (
    CORNERS,
    INNER_LIPS,
    LIDS,
    eye_aspect_ratios,
    face_region,
    lid_heights,
    lips_gap,
)
from gohd_core.measures.images import gradient_energy
from tests.support.drawn_meshes import noise_picture, seen_mesh


def test_a_gap_is_measured_in_distances_of_the_eyes() -> None:
    points = seen_mesh(512)[None]
    eyes = np.linalg.norm(points[0, 33] - points[0, 263])
    for upper, lower in INNER_LIPS:
        points[0, lower] = points[0, upper] + (0, 0.2 * eyes, 0)
    assert lips_gap(points)[0] == pytest.approx(0.2, abs=1e-5)
    assert lips_gap(2 * points)[0] == pytest.approx(0.2, abs=1e-5)


def test_a_turned_head_has_the_same_openings() -> None:
    straight, turned = seen_mesh(512)[None], seen_mesh(512, yaw=30, pitch=10)[None]
    # Perspective alone is left.
    assert lids_and_lips(turned) == pytest.approx(lids_and_lips(straight), rel=0.12, abs=0.01)


def lids_and_lips(points: np.ndarray) -> np.ndarray:
    return np.concatenate([lid_heights(points)[0], lips_gap(points)])


def test_each_eye_by_itself() -> None:
    points = seen_mesh(512)[None]
    open_eyes = lid_heights(points)[0]
    for upper, lower in LIDS[0]:
        points[0, upper] = points[0, lower]
    shut_left = lid_heights(points)[0]
    assert shut_left[0] == 0 and shut_left[1] == open_eyes[1] > 0.1


def test_lids_beside_and_behind_one_another_have_no_aspect_ratio() -> None:
    points = seen_mesh(512)[None]
    before = eye_aspect_ratios(points)[0]
    outer, inner = CORNERS[1]
    along = points[0, outer] - points[0, inner]
    for upper, lower in LIDS[1]:
        points[0, lower] = points[0, upper] + 0.3 * along + (0, 0, 9)
    after = eye_aspect_ratios(points)[0]
    assert after[0] == before[0] > 0.1 and after[1] == pytest.approx(0, abs=1e-6)
    assert lid_heights(points)[0, 1] > 0.2


def test_the_region_of_a_face_is_inside_its_outline() -> None:
    points = seen_mesh(256)
    region = face_region(points, 256, 256)
    column, row = points[1, :2].round().astype(int)  # tip of the nose
    assert region[row, column] and not region[0].any() and 0.1 < region.mean() < 0.6


def test_blur_takes_gradient_energy_and_only_where_it_is_looked_for() -> None:
    picture = noise_picture(64)
    soft = cv2.GaussianBlur(picture, (0, 0), 1.0)
    left = np.zeros((64, 64), bool)
    left[:, :32] = True
    whole = np.ones_like(left)
    assert gradient_energy(soft, whole) < 0.5 * gradient_energy(picture, whole)
    half = picture.copy()
    half[:, 36:] = 128
    assert gradient_energy(half, left) == pytest.approx(gradient_energy(picture, left))
    assert gradient_energy(picture, np.zeros_like(left)) == 0
    ramp = np.repeat(np.arange(0, 128, 2, dtype=np.uint8)[None, :, None], 64, 0).repeat(3, 2)
    inner = np.zeros_like(left)
    inner[2:-2, 2:-2] = True
    assert gradient_energy(ramp, inner) == pytest.approx(2.0)
