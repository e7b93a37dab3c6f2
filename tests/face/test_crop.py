"""Squares around faces, and their cuts."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.errors import BadInput
from gohd_core.face.crop import Box, face_crop_box, grown_box, resize_crop, slice_box
from tests.support.face_helpers import picture


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
