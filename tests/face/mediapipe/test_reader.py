"""Faces of pictures and videos: large, small, turned, several, none; and portraits made of them."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

import gohd_core as gohd
from gohd_core.errors import BadInput
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.face.mediapipe.regions import cut_regions, to_picture
from gohd_core.face.picking import FaceChoice
from gohd_core.portraits import photograph_warning, prepare_portrait
from tests.support.make_mediapipe_goldens import load_picture
from tests.support.mediapipe_helpers import faces_folder, needs_files

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return load_picture("astronaut")


def _grey(height: int, width: int) -> np.ndarray:
    noise = np.random.default_rng(0).normal(128, 12, (height // 8, width // 8, 3))
    return cv2.resize(noise.clip(0, 255).astype(np.uint8), (width, height))


def _placed(canvas: np.ndarray, picture: np.ndarray, size: int, left: int, top: int) -> np.ndarray:
    canvas[top : top + size, left : left + size] = cv2.resize(
        picture, (size, size), interpolation=cv2.INTER_AREA
    )
    return canvas


def test_a_region_is_cut_and_its_points_brought_back() -> None:
    picture = np.zeros((80, 100, 3), np.uint8)
    picture[30, 60] = 255
    for angle in (0.0, 0.7):
        region = np.array([55.0, 35.0, 24.0, angle])
        window = cut_regions([picture], region[None], 96, border="zeros", device=CPU)[0, 0].numpy()
        rows, columns = np.mgrid[0:96, 0:96] + 0.5
        middle = np.array([(columns * window).sum(), (rows * window).sum()]) / window.sum() / 96
        assert np.abs(to_picture(middle[None], region)[0] - (60, 30)).max() < 0.05


def test_a_large_region_is_averaged_and_stays_in_place() -> None:
    picture = np.zeros((900, 700, 3), np.uint8)
    picture[400:410, 301:311] = 255
    region = np.array([349.5, 449.5, 900.0, 0.0])
    window = cut_regions([picture], region[None], 90, border="border", device=CPU)[0, 0].numpy()
    rows, columns = np.mgrid[0:90, 0:90] + 0.5
    middle = np.array([(columns * window).sum(), (rows * window).sum()]) / window.sum() / 90
    assert np.abs(to_picture(middle[None], region)[0] - (305.5, 404.5)).max() < 0.5
    assert window.sum() == pytest.approx(1, abs=0.02)


@needs_files
def test_a_photograph_is_read(reader: FaceReader, astronaut: np.ndarray) -> None:
    (face,) = reader.read(astronaut)
    assert face.points.shape == (478, 3) and face.points.dtype == np.float32
    assert face.presence > 0.99 and face.score > 0.8
    assert face.landmarks68.shape == (68, 2) and face.eye_contours.shape == (2, 71, 2)
    # Her pupils, as seen in the picture.
    assert np.abs(face.points[468, :2] - (202.8, 100.5)).max() < 1.5
    assert np.abs(face.points[473, :2] - (246.0, 102.7)).max() < 1.5
    lids = face.points[[159, 145], :2]
    assert np.abs(face.eye_contours[0, :16].mean(0) - lids.mean(0)).max() < 3


@needs_files
def test_irises_of_a_mirrored_picture_are_mirrored(reader: FaceReader, astronaut: np.ndarray) -> None:
    (face,), (other,) = reader.read(astronaut), reader.read(np.ascontiguousarray(astronaut[:, ::-1]))
    mirrored = other.points[[473, 476, 475, 474, 477, 468, 471, 470, 469, 472], :2] * (-1, 1) + (511, 0)
    wanted = face.points[[468, 471, 470, 469, 472, 473, 476, 475, 474, 477], :2]
    order = [0, 3, 2, 1, 4, 5, 8, 7, 6, 9]
    assert np.abs(mirrored[order] - wanted).max() < 1.5


@needs_files
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turned_pictures_are_read_as_upright_ones(
    reader: FaceReader, astronaut: np.ndarray, turns: int
) -> None:
    (face,) = reader.read(astronaut)
    (turned,) = reader.read(np.ascontiguousarray(np.rot90(astronaut, turns)))
    points = turned.points[:, :2].astype(np.float64)
    for _ in range(turns):
        points = np.stack([511 - points[:, 1], points[:, 0]], 1)
    assert np.abs(points - face.points[:, :2]).mean() < 0.02 * face.size


@needs_files
def test_a_small_face_in_a_large_picture_is_found(reader: FaceReader, astronaut: np.ndarray) -> None:
    (face,) = reader.read(astronaut)
    size = round(512 * 64 / face.size)
    (small,) = reader.read(_placed(_grey(1200, 1600), astronaut, size, 1200, 500))
    wanted = (face.points[:, :2] + 0.5) * size / 512 - 0.5 + (1200, 500)
    assert np.abs(small.points[:, :2] - wanted).mean() < 0.02 * 64


@needs_files
def test_several_faces_come_the_largest_first(reader: FaceReader, astronaut: np.ndarray) -> None:
    canvas = _placed(_grey(640, 1024), astronaut, 360, 20, 100)
    canvas = _placed(canvas, load_picture("01"), 512, 450, 60)
    faces = reader.read(canvas)
    assert [face.box.left > 450 for face in faces] == [True, False]
    left = prepare_portrait(canvas, reader=reader, face=FaceChoice("left"))
    assert left.mesh is not None and left.mesh[:, 0].max() < 400
    with pytest.raises(BadInput, match="Face number 2 is wanted, but the last one found is number 1"):
        prepare_portrait(canvas, reader=reader, face=2)


@needs_files
def test_a_picture_without_a_face_says_what_was_looked_for(reader: FaceReader) -> None:
    assert reader.read(_grey(300, 400)) == []
    with pytest.raises(BadInput, match="No face was found in the picture, upright or turned"):
        prepare_portrait(_grey(300, 400), reader=reader)


@needs_files
def test_a_face_is_followed_frame_by_frame_as_in_a_batch(reader: FaceReader, astronaut: np.ndarray) -> None:
    frames = [np.roll(astronaut, (2 * k, 5 * k), (0, 1)) for k in range(12)]
    together = reader.track(frames)
    previous = None
    for k, face in enumerate(together):
        (previous,) = reader.track([frames[k]], previous)
        assert face is not None and previous is not None
        # The first frame is the least alike (.0056): alone, its region is refined once more.
        assert np.abs(face.points - previous.points).mean() < (0.005 if k else 0.006) * face.size
        assert (
            np.abs(face.points[:, :2] - together[0].points[:, :2] - (5 * k, 2 * k)).mean() < 0.01 * face.size
        )


@needs_files
def test_a_face_that_was_lost_is_found_again(reader: FaceReader, astronaut: np.ndarray) -> None:
    frames = [astronaut, _grey(512, 512), _grey(512, 512), np.roll(astronaut, 150, 1), astronaut]
    found = reader.track(frames)
    assert [face is not None for face in found] == [True, False, False, True, True]
    assert np.abs(found[3].points[:, 0] - found[0].points[:, 0] - 150).mean() < 3
    assert np.abs(found[4].points - found[0].points).mean() < 2
    assert reader.track([_grey(256, 256)] * 2) == [None, None]


@needs_files
def test_people_are_segmented_from_the_background(reader: FaceReader, astronaut: np.ndarray) -> None:
    mask = reader.person_mask(astronaut)
    assert mask.shape == (512, 512) and mask.dtype == np.float32
    assert mask[120, 220] > 0.9 and mask[420, 200] > 0.9  # her face and her suit
    assert mask[60, 480] < 0.1


@needs_files
def test_drawn_heads_are_read_as_ever_and_photographs_by_their_mesh(
    reader: FaceReader, astronaut: np.ndarray
) -> None:
    readers = {"extractor": gohd.load_extractor(), "gaze_estimator": gohd.load_gaze_estimator()}
    avatar = load_picture("01")
    drawn = prepare_portrait(avatar, reader=reader, **readers)
    plain = prepare_portrait(avatar, reader=None, **readers)
    assert drawn.mesh is None and drawn.box == plain.box and torch.equal(drawn.crop, plain.crop)
    assert torch.equal(drawn.motion.descriptors(), plain.motion.descriptors())
    photograph = prepare_portrait(astronaut, reader=reader, **readers)
    assert photograph.mesh.shape == (478, 3) and photograph.motion.space == "stylised"
    left, top, right, bottom = photograph.box
    assert right - left == bottom - top and photograph.size % 64 == 0
    assert photograph.person_mask.shape == (photograph.size, photograph.size)
    assert photograph_warning(photograph, "stylised") is None
    assert prepare_portrait(astronaut, reader=reader, size=384, **readers).size == 384
    with pytest.raises(BadInput, match="256 to 1024 pixels in steps of 64; 300 is"):
        prepare_portrait(astronaut, reader=reader, size=300, **readers)


@needs_files
def test_an_extractor_that_aligns_gets_the_mesh_s_landmarks(reader: FaceReader) -> None:
    seen = []

    def extract(crop: np.ndarray, points: torch.Tensor) -> SimpleNamespace:
        seen.append(points)
        return SimpleNamespace(pose=None, expression=None, identity=[None], landmarks=None)

    extractor = SimpleNamespace(extract=extract, space="bfm09", config=SimpleNamespace(aligned=True))
    prepare_portrait(load_picture("01"), reader=reader, extractor=extractor)
    assert seen[0].shape == (68, 2)


@needs_files
def test_networks_move_as_one_module(reader: FaceReader) -> None:
    held = sum(buffer.numel() * buffer.element_size() for buffer in reader.state_dict().values())
    assert held > 8e6  # what manages memory sees the weights
    assert all(buffer.device.type == "cpu" for buffer in reader.to("cpu").buffers())
    meta = FaceReader.load(faces_folder()).to("meta")
    assert all(buffer.device.type == "meta" for buffer in meta.buffers())
