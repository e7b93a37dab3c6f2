"""The detector around face-alignment's networks, with fake ones, and against the library where it is."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch

from gohd_core.checkpoints.detector_files import DETECTOR_FILES, FAN, check_whole, find_detector_files
from gohd_core.errors import BadCheckpoint, BadInput
from gohd_core.face import FaceChoice, prepare_portrait
from gohd_core.face.crop import Box
from gohd_core.face.detection import detector as detection_module
from gohd_core.face.detection.detector import FaceDetector, best_boxes
from gohd_core.face.detection.heatmaps import cut_view, view_of
from gohd_core.landmarks68 import MIRRORED
from tests.support.face_helpers import face_landmarks, picture
from tests.support.fake_faces import FakeNetworks, chart

TWO = chart((70, 90, 80), (180, 130, 50))


def test_all_faces_are_found_with_their_landmarks() -> None:
    faces = FakeNetworks().detector().detect(TWO)[0]
    assert len(faces) == 2 and faces[0].score > faces[1].score > 0.9
    for face, (x, y, width) in zip(faces, ((70, 90, 80), (180, 130, 50)), strict=True):
        assert abs((face.box.left + face.box.right) / 2 - x) < 1 and abs(face.box.width - width) < 3
        assert np.abs(face.landmarks - face_landmarks(x, y, width)).mean() < width / 60
        assert face.certainty > 0.5


def test_a_batch_is_read_by_one_call_a_network_and_as_one_by_one() -> None:
    pictures = [chart((60 + 8 * k, 100, 80)) for k in range(6)]
    networks = FakeNetworks()
    together = networks.detector().detect(pictures)
    assert networks.found == [6] and networks.read == [6, 6]
    single = [FakeNetworks().detector().detect(one)[0] for one in pictures]
    for a, b in zip(together, single, strict=True):
        assert np.array_equal(a[0].landmarks, b[0].landmarks)


def test_pictures_of_several_sizes_and_none_with_a_face() -> None:
    faces = (
        FakeNetworks()
        .detector()
        .detect([chart((70, 90, 80)), chart(side=128), chart((60, 60, 70), side=160)])
    )
    assert [len(found) for found in faces] == [1, 0, 1]


def test_a_large_picture_is_shrunk_for_boxes_alone(monkeypatch) -> None:
    monkeypatch.setattr(detection_module, "LARGEST_SIDE", 120)
    networks = FakeNetworks()
    rows = networks.detector().boxes([chart((70, 90, 80))])[0]
    assert np.abs((rows[0, :2] + rows[0, 2:4]) / 2 - (70, 90)).max() < 2


def test_mirrored_reading_knows_left_from_right() -> None:
    assert np.array_equal(np.array(MIRRORED)[list(MIRRORED)], np.arange(68))
    points = face_landmarks(0, 0, 100)
    assert np.allclose(points[list(MIRRORED)] * (-1, 1), points, atol=1e-6)
    one, both = (FakeNetworks().detector(mirrored=m).detect(TWO)[0][0].landmarks for m in (False, True))
    assert np.abs(one - both).mean() < 1.5


def test_whole_pixels_are_as_released() -> None:
    fine = FakeNetworks().detector().detect(TWO)[0][0].landmarks
    released = FakeNetworks().detector(whole_pixels=True).detect(TWO)[0][0].landmarks
    assert np.array_equal(released, np.trunc(released)) and not np.array_equal(fine, np.trunc(fine))
    assert np.abs(fine - released).max() <= 2 and abs((fine - released).mean()) < 0.3


def test_suppression_keeps_the_best_of_those_that_overlap() -> None:
    rows = np.array([[0, 0, 10, 10, 0.6], [1, 1, 11, 11, 0.9], [40, 40, 50, 50, 0.7]], float)
    assert best_boxes(rows)[:, 4].tolist() == [0.9, 0.7]
    assert len(best_boxes(np.zeros((0, 5)))) == 0


def test_a_view_reaches_past_the_picture_in_black() -> None:
    view = view_of(Box(-20, -20, 40, 40))
    crop = cut_view(np.full((60, 60, 3), 200, np.uint8), view)
    assert crop.shape == (256, 256, 3) and crop[0, 0].max() == 0 and crop[200, 200].min() == 200


@pytest.mark.parametrize(
    ("choice", "x"),
    [
        (FaceChoice(), 70),
        (FaceChoice(index=1), 180),
        (FaceChoice("smallest"), 180),
        (FaceChoice("right"), 180),
        (FaceChoice("left"), 70),
        (FaceChoice("bottom"), 180),
        (FaceChoice("top"), 70),
        (FaceChoice("central"), 70),
        (FaceChoice(box=(150, 100, 200, 170)), 180),
        (FaceChoice(mask=np.pad(np.ones((40, 40)), ((110, 90), (160, 40)))), 180),
    ],
)
def test_a_face_is_picked(choice, x) -> None:
    portrait = prepare_portrait(TWO, detector=FakeNetworks().detector(), face=choice)
    assert abs(float(portrait.landmarks[:, 0].mean()) - x) < 3
    left, _, right, _ = portrait.box
    assert left < x < right


def test_a_face_that_is_not_there_is_said_to_be_missing() -> None:
    detector = FakeNetworks().detector()
    with pytest.raises(BadInput, match="Face number 2 is wanted, but the last one found is number 1"):
        prepare_portrait(TWO, detector=detector, face=2)
    with pytest.raises(BadInput, match="No face lies in the box or mask that was given, of 2 found"):
        prepare_portrait(TWO, detector=detector, face=FaceChoice(box=(220, 0, 230, 10)))
    with pytest.raises(BadInput, match="No face was found"):
        prepare_portrait(chart(), detector=detector)
    with pytest.raises(BadInput, match="one of its size"):
        FaceChoice(mask=np.ones((3, 3))).pick([Box(0, 0, 1, 1)], 4, 4)
    with pytest.raises(BadInput, match="no order of faces"):
        FaceChoice("prettiest")


def test_a_box_and_a_detector_crop_by_the_box_and_read_its_landmarks() -> None:
    portrait = prepare_portrait(TWO, detector=FakeNetworks().detector(), box=(155, 105, 205, 155))
    assert abs(float(portrait.landmarks[:, 0].mean()) - 180) < 3


def test_missing_weights_say_what_where_and_how(tmp_path) -> None:
    with pytest.raises(BadCheckpoint) as caught:
        FaceDetector.load(tmp_path)
    for item in DETECTOR_FILES:
        assert item.name in str(caught.value) and item.url in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    (tmp_path / FAN.name).write_bytes(b"x")
    assert list(find_detector_files([tmp_path / "none", tmp_path])) == [FAN.name]
    with pytest.raises(BadCheckpoint) as caught:
        FaceDetector.load([tmp_path])
    assert FAN.url not in str(caught.value)


def test_damaged_weights_are_found_by_their_digest(tmp_path) -> None:
    path = tmp_path / FAN.name
    path.write_bytes(b"half a file")
    found = hashlib.sha256(b"half a file").hexdigest()[:10]
    with pytest.raises(BadCheckpoint, match=found):
        check_whole(path, FAN)


class _Small(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)


def test_weights_are_loaded_into_the_librarys_networks(tmp_path, monkeypatch) -> None:
    """The real loading code, with stand-ins for the library's networks and for the released digests."""
    monkeypatch.setattr(detection_module, "_library_networks", lambda: (_Small(), _Small()))
    checked = []
    monkeypatch.setattr(detection_module, "check_whole", lambda path, item: checked.append(path.name))
    weights = _Small().state_dict()
    for item in DETECTOR_FILES:
        torch.save(weights, tmp_path / item.name)
    detector = FaceDetector.load(tmp_path, batch_size=3)
    assert checked == [item.name for item in DETECTOR_FILES] and detector.batch_size == 3
    assert torch.equal(detector.reader.layer.weight, weights["layer.weight"]) and not detector.reader.training
    torch.save({"other": torch.zeros(2)}, tmp_path / FAN.name)
    with pytest.raises(BadCheckpoint, match="does not hold the weights"):
        FaceDetector.load(tmp_path)


def test_boxes_and_landmarks_equal_the_librarys() -> None:
    library = pytest.importorskip("face_alignment", reason="face-alignment is not installed")
    from face_alignment.detection.sfd.bbox import nms
    from face_alignment.detection.sfd.detect import detect
    from face_alignment.utils import crop, flip, get_preds_fromhm

    assert library.__version__
    torch.manual_seed(1)
    finder, reader = detection_module._library_networks()
    finder.eval(), reader.eval()
    image = picture(96, 128)
    ours = FaceDetector(finder, reader, whole_pixels=True, least_score=0.5).boxes([image])[0]
    raw = detect(finder, image, "cpu")[0]
    theirs = np.array([row for row in raw[nms(raw, 0.3)] if row[-1] > 0.5])
    assert len(ours) == len(theirs) > 0
    order = [rows[np.lexsort(rows.T.round(2))] for rows in (ours, theirs)]
    assert np.abs(order[0] - order[1]).max() < 1e-3
    boxes = [Box(20, 15, 90, 85), Box(-10, 30, 60, 120)]
    detector = FaceDetector(finder, reader, whole_pixels=True)
    points, certainty = detector.landmarks([image, image], boxes)
    for k, box in enumerate(boxes):
        centre = np.array([box.right - box.width / 2, box.bottom - box.height / 2 - box.height * 0.12])
        scale = (box.width + box.height) / 195
        inputs = torch.from_numpy(crop(image, centre, scale).transpose(2, 0, 1)).float()[None] / 255
        with torch.inference_mode():
            maps = reader(inputs)[-1] + flip(reader(flip(inputs))[-1], is_label=True)
        _, theirs, scores = get_preds_fromhm(maps.numpy(), centre, scale)
        # The library inverts a matrix where we divide; a value on the edge may truncate to either side.
        away = np.abs(points[k] - theirs[0])
        assert away.max() <= 1 and (away == 0).mean() > 0.97
        assert abs(certainty[k] - scores.mean() / 2) < 1e-5
