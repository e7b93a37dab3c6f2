"""Nods by optical flow: what the picture's points tell, and how it goes together with the meshes' pitch."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.interpolate import griddata

from gohd_core.driving.nods import SECONDS, PitchFlow, steady_pitch
from gohd_core.mesh.reading.canonical import canonical_face

SIDE, UNIT, MIDDLE = 320, 110.0, np.array([160.0, 160.0])
"""Side of the pictures, pixels of a model unit, and where the head's origin lies."""


def face() -> tuple[np.ndarray, np.ndarray]:
    """Points in head space [478,3], and in pixels of a picture that shows them from the front."""
    head = canonical_face().points.numpy()
    head = np.concatenate([head, head[:10]])  # irises are not followed
    pixels = MIDDLE + UNIT * head[:, :2] * (1, -1)
    return head, np.concatenate([pixels, -UNIT * head[:, 2:]], 1)


def pictures(head: np.ndarray, pixels: np.ndarray, nod: float, shift: float) -> list[np.ndarray]:
    """A patterned face, and the same after a small nod (radians, down) and a shift to the right (pixels)."""
    grid = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), -1).astype(np.float64)
    depth = griddata(pixels[:, :2], head[:, 2], grid, "linear")
    near = griddata(pixels[:, :2], head[:, 2], grid, "nearest")
    depth = cv2.GaussianBlur(np.where(np.isnan(depth), near, depth), (0, 0), 2)
    noise = np.random.default_rng(0).normal(size=(SIDE, SIDE, 3))
    pattern = cv2.GaussianBlur(noise, (0, 0), 2.5)
    pattern = (128 + 40 * pattern / pattern.std()).clip(0, 255).astype(np.uint8)
    source = grid - np.stack([np.full_like(depth, shift), UNIT * depth * nod], -1)
    return [pattern, cv2.remap(pattern, source.astype(np.float32), None, cv2.INTER_CUBIC)]


@pytest.mark.parametrize("nod", [-0.03, 0.0, 0.02])
def test_nods_are_told_from_the_picture_whatever_the_mesh_says(nod: float) -> None:
    head, pixels = face()
    first, second = pictures(head, pixels, nod, 3.0)
    for seems in (0.0, 0.04):
        flow = PitchFlow()
        assert np.isnan(flow.change(first, pixels, head, np.zeros(3)))
        moved = pixels + np.stack([np.full(478, 3.0), UNIT * head[:, 2] * seems, np.zeros(478)], 1)
        found = flow.change(second, moved, head, np.array([seems, 0, 0]))
        assert found == pytest.approx(nod, abs=0.002 + 0.1 * abs(nod))


def test_nothing_is_known_after_a_frame_without_a_face() -> None:
    head, pixels = face()
    first, second = pictures(head, pixels, 0.02, 0.0)
    flow = PitchFlow()
    flow.change(first, pixels, head, np.zeros(3))
    flow.forget()
    assert np.isnan(flow.change(second, pixels, head, np.zeros(3)))


def test_faces_beyond_the_edge_and_leaps_do_not_stop_a_run() -> None:
    head, pixels = face()
    first, second = pictures(head, pixels, 0.0, 0.0)
    for away in ((-400.0, 0.0, 0.0), (150.0, -150.0, 0.0), (900.0, 900.0, 0.0)):
        flow = PitchFlow()
        flow.change(first, pixels, head, np.zeros(3))
        change = flow.change(second, pixels + away, head, np.zeros(3))
        assert np.isnan(change) or abs(change) < 0.5


def test_pitch_follows_the_changes_and_the_meshes_mean() -> None:
    rng = np.random.default_rng(1)
    true = np.cumsum(rng.normal(0, 0.004, 200))
    talking = 0.02 * np.sin(np.arange(200) * 1.3)
    changes = np.diff(true, prepend=np.nan) + rng.normal(0, 0.0005, 200)
    found = steady_pitch(true + talking, changes, 25.0)
    left = 1 / (1 + (2 * SECONDS * 25 * np.sin(1.3 / 2)) ** 2)  # of that frequency, were all changes believed
    assert left * talking.std() < (found - true).std() < 0.6 * talking.std()
    assert found.mean() == pytest.approx((true + talking).mean(), abs=1e-9)


def test_steady_pitch_is_the_least_squares_of_both() -> None:
    rng = np.random.default_rng(2)
    pitch, changes = rng.normal(0, 0.01, (2, 12))
    changes[[0, 5]] = np.nan
    links = np.flatnonzero(np.isfinite(changes))
    off = changes[links] - np.diff(pitch)[links - 1]
    roots = SECONDS * 30 / np.sqrt(1 + (off / np.radians(2.0)) ** 2)
    matrix = np.zeros((len(links), 12))
    matrix[np.arange(len(links)), links], matrix[np.arange(len(links)), links - 1] = roots, -roots
    wanted = np.concatenate([pitch, roots * changes[links]])
    expected = np.linalg.lstsq(np.concatenate([np.eye(12), matrix]), wanted, rcond=None)[0]
    np.testing.assert_allclose(steady_pitch(pitch, changes, 30.0), expected, atol=1e-9)
    np.testing.assert_allclose(steady_pitch(pitch, np.full(12, np.nan), 30.0), pitch, atol=1e-12)


def test_a_single_frame_keeps_its_pitch() -> None:
    np.testing.assert_allclose(steady_pitch(np.array([0.3]), np.array([np.nan]), 25.0), [0.3])
