"""Portraits from every kind of picture, the way back to the frame, and their coefficients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.errors import BadInput
from gohd_core.face.portrait import prepare_portrait
from tests.support.face_helpers import face_landmarks, picture, tiny_extractor, tiny_gaze_estimator


def test_a_square_picture_is_used_whole():
    image = picture(300, 300)
    portrait = prepare_portrait(image)
    assert portrait.box == (0, 0, 300, 300) and portrait.crop.shape == (256, 256, 3)
    assert portrait.source.shape == (1, 3, 256, 256)
    assert portrait.source.min() >= -1 and portrait.source.max() <= 1
    np.testing.assert_allclose(portrait.frame * 255, image, atol=1e-3)


def test_a_picture_of_the_crop_size_is_untouched():
    image = picture(256, 256)
    portrait = prepare_portrait(image)
    np.testing.assert_allclose(portrait.crop * 255, image, atol=1e-3)
    torch.testing.assert_close(portrait.source[0].permute(1, 2, 0), portrait.crop * 2 - 1)


@pytest.mark.parametrize("channels", [None, 1, 3, 4])
@pytest.mark.parametrize("floats", [False, True])
def test_grey_alpha_and_floats(channels, floats):
    rgb = picture(64, 64)
    grey = rgb[..., :1]
    alpha = np.full((64, 64, 1), 255, np.uint8)
    image = {None: grey[..., 0], 1: grey, 3: rgb, 4: np.concatenate([rgb, alpha], -1)}[channels]
    portrait = prepare_portrait(image.astype(np.float32) / 255 if floats else image, size=64)
    expected = rgb if channels in (3, 4) else np.repeat(grey, 3, -1)
    np.testing.assert_allclose(portrait.crop * 255, expected, atol=1e-3)


def test_crop_by_landmarks_and_by_box_agree_and_hold_the_face():
    image, points = picture(480, 640), face_landmarks(300, 220, 120)
    by_points = prepare_portrait(image, landmarks=points)
    low, high = points.min(0), points.max(0)
    by_box = prepare_portrait(image, box=(*low, *high))
    assert by_points.box == by_box.box
    inside = by_points.to_crop(torch.tensor(points))
    assert inside.min() > 0 and inside.max() < 255
    torch.testing.assert_close(by_points.to_frame(inside), torch.tensor(points))


def test_crop_pixels_come_from_where_the_transform_says():
    image = np.zeros((300, 500, 3), np.uint8)
    image[140:145, 330:335] = 255
    portrait = prepare_portrait(image, box=(280, 90, 380, 190))
    bright = torch.nonzero(portrait.crop[..., 0] > 0.5).float().mean(0).flip(0)
    expected = portrait.to_crop(torch.tensor([332.0, 142.0]))
    torch.testing.assert_close(bright, expected, atol=0.7, rtol=0)


def test_faces_of_a_detector():
    image = picture(400, 600)
    small, large = face_landmarks(120, 150, 60), face_landmarks(400, 200, 150)

    def detector(found):
        assert found.dtype == np.uint8 and found.shape == (400, 600, 3)
        return [small, large]

    first = prepare_portrait(image, detector=detector)
    assert np.allclose(first.landmarks, large, atol=1e-3), "the largest face comes first"
    second = prepare_portrait(image, detector=detector, face=1)
    assert np.allclose(second.landmarks, small, atol=1e-3)
    with pytest.raises(BadInput, match="the last one found is number 1"):
        prepare_portrait(image, detector=detector, face=2)
    with pytest.raises(BadInput, match="No face was found"):
        prepare_portrait(image, detector=lambda _: [])


def test_an_8k_picture():
    image = np.zeros((4320, 7680, 3), np.uint8)
    image[1000:3000, 3000:5000] = 200
    portrait = prepare_portrait(image, box=(3500, 1500, 4500, 2500))
    assert portrait.crop.shape == (256, 256, 3) and portrait.crop.mean() > 0.7


@pytest.mark.parametrize(
    ("image", "options", "words"),
    [
        (np.zeros((1, 1, 3), np.uint8), {}, "1 x 1 pixels"),
        (picture(200, 300), {}, "nothing says where its face is"),
        (picture(200, 300), {"whole": True}, "only a square one"),
        (picture(200, 200), {"box": (150, 20, 20, 90)}, "empty"),
        (picture(200, 200), {"box": (500, 500, 600, 600)}, "outside|edge"),
        (picture(200, 200), {"box": (100, 100, 104, 104)}, "larger picture"),
        (picture(200, 200), {"landmarks": np.zeros((5, 2))}, "68"),
        (picture(200, 200), {"size": 8}, "crop size"),
        (np.zeros((3, 64, 64, 3), np.uint8), {}, "3 were given"),
        (np.full((64, 64, 3), np.inf), {}, "NaN or infinite"),
        (np.zeros((64, 64, 5)), {}, "channels"),
    ],
)
def test_bad_pictures(image, options, words):
    with pytest.raises(BadInput, match=words) as caught:
        prepare_portrait(image, **options)
    assert "\n" not in str(caught.value)


def test_one_of_a_batch():
    batch = np.stack([picture(64, 64, 1), picture(64, 64, 2)])
    portrait = prepare_portrait(batch, index=1, size=64)
    np.testing.assert_allclose(portrait.crop * 255, batch[1], atol=1e-3)


def test_builtin_coefficients_need_no_landmarks():
    extractor, gaze = tiny_extractor(aligned=False), tiny_gaze_estimator(official=False)
    portrait = prepare_portrait(picture(128, 128), extractor=extractor, gaze_estimator=gaze)
    assert portrait.p0.shape == (6,) and portrait.e0.shape == (64,) and portrait.g0.shape == (2,)
    assert portrait.identity.shape == (80,) and portrait.landmarks.shape == (68, 2)
    crop = portrait.crop.numpy()
    torch.testing.assert_close(portrait.p0, extractor.extract(crop).pose.values[0])
    torch.testing.assert_close(portrait.g0, gaze.estimate(crop).values[0])


def test_official_coefficients_are_aligned_by_the_landmarks():
    extractor, gaze = tiny_extractor(aligned=True), tiny_gaze_estimator(official=True)
    image, points = picture(400, 500), face_landmarks(240, 180, 140)
    portrait = prepare_portrait(image, landmarks=points, extractor=extractor, gaze_estimator=gaze)
    expected = extractor.extract(portrait.crop.numpy(), portrait.to_crop(portrait.landmarks))
    torch.testing.assert_close(portrait.p0, expected.pose.values[0])
    assert portrait.g0.shape == (2,)
    with pytest.raises(BadInput, match="needs the landmarks"):
        prepare_portrait(picture(64, 64), extractor=extractor)


def test_missing_coefficients_and_mixed_spaces_say_so():
    portrait = prepare_portrait(picture(64, 64))
    for name in ("p0", "e0", "g0"):
        with pytest.raises(BadInput, match="prepare it with"):
            getattr(portrait, name)
    with pytest.raises(BadInput, match="one kind"):
        prepare_portrait(
            picture(64, 64),
            extractor=tiny_extractor(aligned=False),
            gaze_estimator=tiny_gaze_estimator(official=True),
        )


def test_a_resized_portrait_is_one_prepared_at_that_size():
    image, box = picture(480, 640).astype(np.float32) / 255, (200, 140, 400, 360)
    portrait = prepare_portrait(image, box=box, size=256)
    for size in (96, 256, 400):
        torch.testing.assert_close(
            portrait.resized(size).crop, prepare_portrait(image, box=box, size=size).crop
        )
    assert portrait.resized(256) is portrait


def test_the_motion_of_a_portrait_is_its_own_coefficients():
    readers = {
        "extractor": tiny_extractor(aligned=False),
        "gaze_estimator": tiny_gaze_estimator(official=False),
    }
    portrait = prepare_portrait(picture(64, 64), **readers)
    assert len(portrait.motion) == 1
    torch.testing.assert_close(portrait.motion.pose.values[0], portrait.p0)
    torch.testing.assert_close(portrait.motion.gaze.values[0], portrait.g0)
    unread = prepare_portrait(picture(64, 64), extractor=readers["extractor"])
    with pytest.raises(BadInput, match="was not read"):
        unread.motion  # noqa: B018
