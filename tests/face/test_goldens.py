"""Small goldens, for clones without the full fixtures; see make_face_goldens.py for their origin."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import gohd_core as gohd
from gohd_core.face.crop import Box, face_crop_box
from gohd_core.face.reading.alignment import align_face
from tests.support import recipe
from tests.support.face_helpers import picture
from tests.support.official_smoothing import smooth_in_place

BOXES = np.array([[20.4, 10, 150, 160.9], [-5, 30, 120, 190]])


@pytest.fixture(scope="module")
def geometry():
    with np.load(recipe.SMALL / "face_geometry.npz") as file:
        return dict(file)


def test_extractor(tmp_path):
    content, stored = recipe.load_small_golden("face_recon")
    torch.save(content, tmp_path / "a.pth")
    found = gohd.load_extractor(tmp_path / "a.pth").extract(picture(224, 224))
    recipe.assert_close(found.coefficients.columns(), stored["coeff"], 1e-4)


def test_gaze_estimator(tmp_path):
    content, stored = recipe.load_small_golden("gaze")
    torch.save(content, tmp_path / "b.pkl")
    found = gohd.load_gaze_estimator(tmp_path / "b.pkl").estimate(picture(200, 180), BOXES)
    recipe.assert_close(found.values, stored["pitch_yaw"], 1e-4)


def test_face_parser(tmp_path):
    content, stored = recipe.load_small_golden("face_parsing")
    torch.save(content, tmp_path / "c.pth")
    logits = gohd.load_face_parser(tmp_path / "c.pth").logits(picture(96, 96))
    recipe.assert_close(logits[:, :, ::32, ::32], stored["logits_sub"], 1e-4)


@pytest.mark.parametrize("case", ["syn0", "syn1", "outside", "noface"])
def test_alignment(geometry, case):
    width, height = geometry[f"{case}/trans_params_f64"][:2].astype(int)
    landmarks = geometry[f"{case}/lm68_f64"]
    given = None if (landmarks == -1).all() else landmarks
    found = align_face(picture(height, width), given, no_face="whole")
    assert found.box == tuple(geometry[f"{case}/crop_box_f64"].astype(int))
    assert found.resized == tuple(geometry[f"{case}/resized_wh"])


def test_crop_boxes(geometry):
    rows = (geometry[f"crop/{key}"] for key in ("boxes_ltrb", "image_hw", "crop_ltrb"))
    for box, (height, width), crop in zip(*rows, strict=True):
        assert face_crop_box(Box.of(box), height, width, release=True).as_tuple() == tuple(crop)


def test_smoothing(geometry):
    found = smooth_in_place(torch.tensor(geometry["crop/smooth_in_12"]))
    recipe.assert_close(found, geometry["crop/smooth_out_12"], 1e-6)
