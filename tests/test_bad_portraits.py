"""Pictures that are hard or no portraits, by the public name: a sentence, or a portrait to be drawn."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

import gohd_core as gohd
from gohd_core.errors import BadInput
from gohd_core.face.mediapipe.reader import FaceReader
from tests.support.drawn_meshes import noise_picture
from tests.support.face_networks import needs_face_networks

pytestmark = needs_face_networks


@pytest.fixture(scope="module")
def alone(reader, astronaut) -> gohd.Portrait:
    return gohd.prepare_portrait(astronaut, reader=reader)


def refused(picture: np.ndarray, reader: FaceReader) -> str:
    with pytest.raises(BadInput) as error:
        gohd.prepare_portrait(picture, reader=reader)
    said = str(error.value)
    assert said.endswith(".") and "\n" not in said and len(said) < 400, said
    return said


def test_no_face(reader) -> None:
    said = refused(noise_picture(200), reader)
    assert "No face was found" in said and "eyes and the mouth" in said


def test_a_picture_of_thirty_pixels(reader, astronaut) -> None:
    said = refused(cv2.resize(astronaut, (30, 30), interpolation=cv2.INTER_AREA), reader)
    assert "No face" in said or "larger picture" in said


def test_a_face_that_is_too_small_says_by_how_much(reader, astronaut) -> None:
    said = refused(cv2.resize(astronaut, (176, 176), interpolation=cv2.INTER_AREA), reader)
    assert "at least 48" in said


def test_a_face_that_is_cut_by_the_edge(reader, astronaut) -> None:
    (face,) = reader.read(astronaut)
    middle = int(face.points[1, 0])
    for part in (astronaut[:, middle:], astronaut[:, :middle], astronaut[: int(face.points[2, 1])]):
        said = refused(np.ascontiguousarray(part), reader)
        assert "cut off" in said or "No face" in said


def test_a_face_in_a_picture_of_twelve_thousand_pixels(reader, astronaut, alone) -> None:
    wide = np.full((1024, 12_000, 3), 127, np.uint8)
    wide[:, 7000:8024] = cv2.resize(astronaut, (1024, 1024), interpolation=cv2.INTER_CUBIC)
    portrait = gohd.prepare_portrait(wide, reader=reader)
    there = (portrait.mesh[:, :2] + 0.5 - torch.tensor([7000.0, 0])) / 2 - 0.5
    assert (there - alone.mesh[:, :2]).abs().mean() < 1
    assert portrait.frame.shape == (1024, 12_000, 3) and portrait.size <= 1024


@pytest.mark.parametrize("form", ["grey", "grey floats", "alpha", "batch"])
def test_grey_and_alpha(reader, astronaut, alone, form) -> None:
    grey = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)
    opaque = np.full((512, 512, 1), 255, np.uint8)
    picture = {
        "grey": grey,
        "grey floats": grey[..., None].astype(np.float32) / 255,
        "alpha": np.concatenate([astronaut, opaque], 2),
        "batch": astronaut[None],
    }[form]
    portrait = gohd.prepare_portrait(picture, reader=reader)
    assert portrait.frame.shape == (512, 512, 3)
    assert (portrait.mesh - alone.mesh).abs().mean() < 2


def test_a_transparent_background_counts_as_grey(reader, astronaut) -> None:
    alpha = np.zeros((512, 512, 1), np.uint8)
    alpha[:320, 120:330] = 255
    portrait = gohd.prepare_portrait(np.concatenate([astronaut, alpha], 2), reader=reader)
    assert (portrait.frame[500, 500] - 0.5).abs().max() < 0.01


def test_sixteen_bits(reader, astronaut) -> None:
    """Arrays of whole numbers above 255 have no known range: they are refused, or read by their own one."""
    deep = astronaut.astype(np.uint16) * 257
    try:
        portrait = gohd.prepare_portrait(deep, reader=reader)
    except BadInput as error:
        assert "uint16" in str(error)
    else:
        assert (portrait.frame * 255 - torch.from_numpy(astronaut)).abs().max() < 1
