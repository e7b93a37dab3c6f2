"""Against the official implementation's stored results; skipped where the full fixtures are absent."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import gohd_core as gohd
from gohd_core.face.crop import Box, face_crop_box, grown_box, resize_crop, slice_box
from gohd_core.face.geometry.camera import Camera
from gohd_core.face.geometry.eye_motion import eye_height
from gohd_core.face.reading.alignment import align_face, five_points
from gohd_core.face.reading.gaze_estimator import _crop_boxes
from gohd_core.images import rgb_images
from tests.support import recipe
from tests.support.official_smoothing import repeat_back_and_forth, smooth_in_place

NETWORK = 1e-4
GEOMETRY = 1e-5


@pytest.fixture(scope="module")
def bfm():
    folder = recipe.parity_folder("bfm")
    stored = recipe.golden("bfm")
    model = gohd.MorphableModel.from_file(folder / "BFM_model_front_a.mat")
    groups = torch.tensor(stored["coeff"]).split([80, 64, 80, 3, 27, 3], 1)
    return model, stored, groups, torch.cat([groups[3], groups[5]], 1)


def test_extractor(tmp_path):
    stored = recipe.golden("face_recon")
    extractor = gohd.load_extractor(recipe.write_official("face_recon", tmp_path / "epoch_20.pth"))
    found = extractor.extract(stored["images_u8"])
    recipe.assert_close(found.coefficients.columns(), stored["coeff"], NETWORK)
    recipe.assert_close(found.pose.values, stored["pose"], NETWORK)
    recipe.assert_close(found.expression.values, stored["exp"], NETWORK)
    recipe.assert_close(found.identity, stored["coeff"][:, :80], NETWORK)


def test_gaze_estimator(tmp_path):
    stored = recipe.golden("gaze")
    path = recipe.write_official("gaze", tmp_path / "L2CSNet_gaze360.pkl")
    estimator = gohd.load_gaze_estimator(path)
    found = estimator.estimate(stored["image_u8"], stored["boxes"])
    # The official gaze is [horizontal, vertical]; ours is (pitch, yaw).
    recipe.assert_close(found.values.flip(1), stored["gaze_rad"], NETWORK)
    import cv2

    for index, face in enumerate(_crop_boxes(rgb_images(stored["image_u8"]), stored["boxes"])):
        small = cv2.resize(face, (224, 224), interpolation=cv2.INTER_LINEAR)
        assert (small == stored[f"face224_u8_{index}"]).all()


def test_face_parser(tmp_path):
    stored = recipe.golden("face_parsing")
    parser = gohd.load_face_parser(recipe.write_official("face_parsing", tmp_path / "79999_iter.pth"))
    recipe.assert_close(parser.logits(stored["image_u8"])[:, :, ::16, ::16], stored["logits_sub"], NETWORK)
    labels = parser.parse(stored["image_u8"])[0, ::4, ::4].numpy()
    clear = stored["top2_margin_sub"][0] > 1e-3
    assert clear.mean() > 0.9
    assert (labels == stored["labels"])[clear].all()
    from gohd_core.face.reading.gaze_estimator import IMAGENET_MEAN, IMAGENET_STD

    image = torch.tensor(stored["image_u8"]).permute(2, 0, 1)[None] / 255
    x = (image - torch.tensor(IMAGENET_MEAN)[:, None, None]) / torch.tensor(IMAGENET_STD)[:, None, None]
    with torch.inference_mode():
        _, eighth, sixteenth = parser.network.all_heads(x)
    recipe.assert_close(eighth[:, :, ::32, ::32], stored["logits16_sub"], NETWORK)
    recipe.assert_close(sixteenth[:, :, ::32, ::32], stored["logits32_sub"], NETWORK)


def test_morphable_shape_and_camera(bfm):
    model, stored, groups, pose = bfm
    shape = model.vertices(groups[0], groups[1])
    recipe.assert_close(shape, stored["shape"], GEOMETRY)
    recipe.assert_close(model.rotation(groups[3]), stored["rotation"], GEOMETRY)
    moved = model.transform(shape, pose)
    recipe.assert_close(moved, stored["transformed"], GEOMETRY)
    recipe.assert_close(Camera().to_camera(moved), stored["camera"], GEOMETRY)
    for centre in (112, 128):
        camera = Camera(centre=centre)
        recipe.assert_close(model.projection(moved, camera), stored[f"c{centre}_proj2d"], GEOMETRY)
        landmarks = model.landmarks(groups[0], groups[1], pose)
        recipe.assert_close(model.projection(landmarks, camera), stored[f"c{centre}_landmarks"], GEOMETRY)
        plain = model.landmarks(expression=groups[1])
        recipe.assert_close(
            model.projection(plain, camera), stored[f"c{centre}_exp_only_landmarks2d"], GEOMETRY
        )


def test_eye_height(bfm):
    model, stored, groups, pose = bfm
    landmarks = model.projection(model.landmarks(groups[0], groups[1], pose))
    recipe.assert_close(eye_height(landmarks), stored["c112_eye_height"], GEOMETRY)


def test_alignment_boxes_and_crops_are_exact():
    stored = recipe.golden("face_align")
    done = 0
    for case, source in zip(stored["cases"], stored["image_of_case"], strict=True):
        image = _source(stored, str(source))
        if image is None:
            continue
        landmarks = stored[f"{case}_lm68_f64"]
        found = align_face(image, None if (landmarks == -1).all() else landmarks, no_face="whole")
        assert found.box == tuple(stored[f"{case}_crop_box_f64"].astype(int)), case
        assert found.resized == tuple(stored[f"{case}_resized_wh"]), case
        assert (found.image == stored[f"{case}_crop_u8"]).all(), case
        np.testing.assert_allclose(found.scale, stored[f"{case}_trans_params_f64"][2], rtol=1e-6)
        if not (landmarks == -1).all():
            flipped = landmarks * [1, -1] + [0, image.shape[0] - 1]
            np.testing.assert_allclose(five_points(flipped), stored[f"{case}_five_flipped_f64"])
        done += 1
    assert done >= 4


def _source(stored, name):
    if f"{name}_image_u8" in stored:
        return stored[f"{name}_image_u8"]
    path = recipe.PARITY.parent / "media" / "portraits" / name
    if not path.is_file():
        return None
    from PIL import Image

    return np.asarray(Image.open(path).convert("RGB"))


def test_crop_boxes_are_exact():
    stored = recipe.golden("crop")
    for box, (height, width), crop, sliced in zip(
        stored["boxes_ltrb"], stored["image_hw"], stored["crop_ltrb"], stored["sliced_hw"], strict=True
    ):
        found = face_crop_box(Box.of(box), height, width, release=True)
        assert found.as_tuple() == tuple(crop)
        assert slice_box(np.zeros((height, width, 3), np.uint8), found).shape[:2] == tuple(sliced)
    for box, (height, width), margin, grown in zip(
        stored["bbox_float_f64"],
        stored["bbox_hw"],
        stored["bbox_increase_f64"],
        stored["bbox_out"],
        strict=True,
    ):
        found = grown_box(Box.of(box), height, width, margin=margin, release=True)
        np.testing.assert_allclose(found.as_tuple(), grown, rtol=1e-6)


def test_crop_pixels():
    stored = recipe.golden("crop")
    part = slice_box(stored["load_image_u8"], Box.of(stored["load_crop_ltrb"]))
    assert (resize_crop(part, 256, release=True) == stored["load_out_u8"].transpose(1, 2, 0)).all()


def test_smoothing_and_repeating():
    stored = recipe.golden("crop")
    for length in (3, 4, 5, 12, 30):
        found = smooth_in_place(torch.tensor(stored[f"smooth_in_{length}"]))
        recipe.assert_close(found, stored[f"smooth_out_{length}"], 1e-6)
    for (target, length), kept in zip(stored["repeat_cases"], stored["repeat_lengths"], strict=True):
        found = repeat_back_and_forth(torch.arange(float(length)), int(target))
        assert len(found) == target
        assert (found[:kept].numpy() == stored[f"repeat_out_{target}_{length}"]).all()
