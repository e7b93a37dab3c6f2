"""Pictures in every form that people have them, and the sentences for those that are none."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from gohd_core.errors import BadInput
from gohd_core.images import check_landmarks, rgb_images, single_image
from tests.support.face_helpers import face_landmarks, picture


def test_all_forms_of_one_picture_agree():
    image = picture(20, 30)
    floats = image.astype(np.float32) / 255
    forms = [
        image,
        floats,
        floats.astype(np.float64),
        torch.tensor(floats),
        torch.tensor(image),
        torch.tensor(image).permute(2, 0, 1),
        torch.tensor(floats)[None],
        torch.tensor(floats).permute(2, 0, 1)[None],
        Image.fromarray(image),
        np.concatenate([image, np.full((20, 30, 1), 255, np.uint8)], -1),
        [image],
    ]
    for form in forms:
        (found,) = rgb_images(form)
        assert found.dtype == np.uint8 and (found == image).all()


def test_grey_is_repeated():
    grey = picture(12, 16)[..., 0]
    for form in (grey, grey[..., None], Image.fromarray(grey), grey.astype(np.float32) / 255):
        (found,) = rgb_images(form)
        assert (found == grey[..., None]).all() and found.shape == (12, 16, 3)


def test_alpha_hides_colour():
    image = picture(10, 10)
    alpha = np.zeros((10, 10, 1), np.uint8)
    (found,) = rgb_images(np.concatenate([image, alpha], -1))
    assert np.ptp(found) == 0 and abs(int(found[0, 0, 0]) - 128) <= 1
    half = np.concatenate([np.full((4, 4, 3), 1.0), np.full((4, 4, 1), 0.5)], -1)
    assert np.allclose(single_image(half), 0.75)


def test_batches_and_lists_keep_their_order_and_sizes():
    a, b = picture(10, 12, 1), picture(14, 9, 2)
    assert [found.shape for found in rgb_images([a, b])] == [(10, 12, 3), (14, 9, 3)]
    batch = np.stack([a, a[::-1]])
    assert (rgb_images(batch)[1] == a[::-1]).all()
    assert (single_image(batch, 1) == a[::-1]).all()


def test_slight_overshoot_is_clipped_and_more_is_refused():
    assert single_image(np.full((4, 4, 3), 1.05)).max() == 1
    with pytest.raises(BadInput, match="scale them to 0..1"):
        rgb_images(np.full((4, 4, 3), 200.0))


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((5, 5, 2)), "1, 3 or 4 channels"),
        (np.zeros(5), "1 dimensions"),
        (np.zeros((1, 2, 3, 4, 3)), "5 dimensions"),
        (np.zeros((0, 4, 3)), "empty"),
        (np.full((4, 4, 3), np.nan), "NaN"),
        (np.zeros((4, 4, 3), np.int32), "int32"),
        ("face.png", "str"),
        ([], "at least one"),
        (None, "NoneType"),
    ],
)
def test_other_values_are_refused(image, words):
    with pytest.raises(BadInput, match=words):
        rgb_images(image)


def test_one_of_a_batch():
    batch = np.zeros((3, 8, 8, 3), np.uint8)
    with pytest.raises(BadInput, match="3 were given"):
        single_image(batch)
    with pytest.raises(BadInput, match="number 5"):
        single_image(batch, 5)


def test_landmarks_are_checked():
    points = face_landmarks(10, 10, 5)
    assert check_landmarks(torch.tensor(points), 1, 68).shape == (1, 68, 2)
    for bad, words in (
        (points[:5], "is wanted"),
        (np.full((68, 2), np.nan), "NaN"),
        ("none", "not an array"),
        (np.stack([points, points]), "is wanted"),
    ):
        with pytest.raises(BadInput, match=words):
            check_landmarks(bad, 1, 68)
