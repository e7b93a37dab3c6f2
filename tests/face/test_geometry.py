"""Properties of alignment, crop boxes and smoothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.errors import BadInput
from gohd_core.face.alignment import MODEL_POINTS, RESCALE, align_face, fit_scale
from gohd_core.face.camera import Camera
from gohd_core.face.crop import Box, face_crop_box, grown_box, resize_crop, slice_box
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


@pytest.mark.parametrize("seed", range(40))
def test_fixed_crop_is_square_inside_and_centred(seed):
    rng = np.random.default_rng(seed)
    height, width = rng.integers(200, 700, 2)
    side = rng.uniform(60, 150, 2)
    corner = rng.uniform([0, 0], [width - side[0], height - side[1]])
    box = Box.of((*corner, *(corner + side)))
    try:
        crop = face_crop_box(box, height, width)
    except BadInput as error:
        assert "more room" in str(error)
        return
    left, top, right, bottom = crop.ints()
    assert left >= 0 and top >= 0 and right <= width and bottom <= height
    assert abs((right - left) - (bottom - top)) <= 3, "square but for truncation"
    assert abs((left + right) / 2 - (box.left + box.right) / 2) <= 2


def test_release_crop_runs_over_the_right_edge_and_ours_does_not():
    box, height, width = Box(500, 160, 630, 290), 480, 640
    release, ours = (face_crop_box(box, height, width, release=r) for r in (True, False))
    assert release.right > width
    image = picture(height, width)
    cut, whole = slice_box(image, release), slice_box(image, ours)
    assert cut.shape[0] != cut.shape[1]
    assert whole.shape[0] == whole.shape[1]


def test_margin_is_the_share_asked_for():
    crop = grown_box(Box(200, 200, 300, 300), 600, 600, margin=0.25)
    assert crop.as_tuple() == (175, 175, 325, 325)
    wide = grown_box(Box(200, 200, 300, 240), 600, 600, margin=0.25)
    assert wide.width == wide.height == 150


def test_bad_boxes():
    for values, words in (
        ((1, 2, 3), "four numbers"),
        ((10, 10, 10, 20), "empty"),
        ((0, 0, float("nan"), 5), "empty"),
        ("face", "four numbers"),
    ):
        with pytest.raises(BadInput, match=words):
            Box.of(values)
    with pytest.raises(BadInput, match="outside"):
        face_crop_box(Box(10, 500, 60, 560), 300, 300)
    with pytest.raises(BadInput, match="more room"):
        face_crop_box(Box(290, 100, 590, 400), 300, 300)
    with pytest.raises(BadInput, match="outside the picture"):
        slice_box(picture(50, 50), Box(-5, 0, 20, 20))
    with pytest.raises(BadInput, match="no pixel"):
        slice_box(picture(50, 50), Box(60, 60, 90, 90))


def test_shrinking_averages_instead_of_skipping():
    checks = np.zeros((512, 512, 3), np.uint8)
    checks[::2, ::2] = checks[1::2, 1::2] = 255
    assert resize_crop(checks, 128).std() < 2
    assert abs(int(resize_crop(checks, 128).mean()) - 127) <= 1


def test_a_ray_leads_back_to_its_pixel():
    camera = Camera.of_size(256)
    column, row = torch.tensor([0.0, 80.5, 255.0]), torch.tensor([10.0, 128.0, 200.25])
    points = torch.tensor([0.0, 0.0, camera.distance]) + 7.0 * camera.rays(column, row)
    assert torch.allclose(camera.pixels(points), torch.stack([column, row], -1), atol=1e-3)
