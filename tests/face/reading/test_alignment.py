"""Five-point alignment of faces."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.errors import BadInput
from gohd_core.face.reading.alignment import MODEL_POINTS, RESCALE, align_face, fit_scale
from tests.support.face_helpers import face_landmarks, picture


def test_fit_finds_the_camera_that_made_the_points():
    scale, shift = 37.5, np.array([120.0, 80.0])
    translation, found = fit_scale(scale * MODEL_POINTS[:, :2] + shift)
    np.testing.assert_allclose(translation, shift, atol=1e-3)
    assert abs(found - scale) < 1e-3


def test_aligned_faces_have_one_size_and_place():
    seen = []
    for cx, cy, size in ((150, 160, 120), (400, 300, 260), (90, 500, 70)):
        landmarks = face_landmarks(cx, cy, size)
        found = align_face(picture(640, 640), landmarks)
        moved = found.to_crop(landmarks)
        seen.append(moved)
        ratio = np.divide(found.resized, found.original)
        np.testing.assert_allclose((moved + found.box[:2] + 0.5) / ratio - 0.5, landmarks, atol=1e-9)
        assert found.image.shape == (224, 224, 3)
    np.testing.assert_allclose(seen[0], seen[1], atol=2.5)
    np.testing.assert_allclose(seen[0], seen[2], atol=2.5)


def test_aligned_pixels_are_those_of_the_picture():
    image = np.zeros((300, 300, 3), np.uint8)
    landmarks = face_landmarks(150, 150, 130)
    nose = landmarks[30].round().astype(int)
    image[nose[1] - 2 : nose[1] + 3, nose[0] - 2 : nose[0] + 3] = 255
    found = align_face(image, landmarks)
    bright = np.argwhere(found.image[..., 0] > 128).mean(0)[::-1]
    np.testing.assert_allclose(bright, found.to_crop(nose.astype(float)), atol=0.6)


def test_no_face_is_an_error_unless_asked():
    with pytest.raises(BadInput, match="No face was found"):
        align_face(picture(100, 100))
    found = align_face(picture(100, 160), no_face="whole")
    assert abs(found.scale - RESCALE / (found.original[0] + found.original[1]) * 4) < 0.1
    with pytest.raises(BadInput, match="one place"):
        align_face(picture(100, 100), np.full((68, 2), 30.0))
    with pytest.raises(BadInput, match="too small"):
        align_face(picture(2000, 2000), face_landmarks(900, 900, 2))
