"""ComfyUI's face landmarks: 478 points to 68, one face through a batch, blendshapes and matrix to motion."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.driving import SmoothingConfig, motion_from_blendshapes
from gohd_core.driving.blendshapes import EYE_RANGE, expression_of
from gohd_core.errors import BadInput
from gohd_core.face import Box, FaceChoice, MorphableModel
from gohd_core.face.crop import face_crop_box
from gohd_core.face.geometry.camera import Camera
from gohd_core.face.mediapipe.points import POINTS, face_track, landmarks_68
from gohd_core.landmarks68 import RIGID
from gohd_core.stylised.head.expressions import EXPRESSION_NAMES, INDEX, active_expressions
from tests.support.fake_mediapipe import NAMES, face, payload, points_478

REST = np.array([0.0, 0.0, 0.0, 0.0, 0.05, 0.1])
UNTOUCHED = SmoothingConfig("none")


def test_the_mapping_names_68_places_left_and_right_alike() -> None:
    assert len(POINTS) == 68 and len(set(POINTS)) == 68
    assert all(0 <= k < 468 for indices in POINTS for k in indices)
    landmarks = MorphableModel.stylised_landmarks().landmarks().numpy()[:, :2]
    assert np.abs(landmarks_68(points_478(landmarks)) - landmarks).max() < 1e-6
    doubled = [k for k, indices in enumerate(POINTS) if len(indices) == 2]
    assert {16 - k for k in doubled if k < 17} == {k for k in doubled if k < 17}
    with pytest.raises(BadInput, match="478, 2"):
        landmarks_68(np.zeros((68, 2)))


def test_one_face_is_followed_where_its_place_in_the_list_changes() -> None:
    small = {"left": 20, "top": 20, "side": 120}
    frames = [
        [face(REST), face(REST, **small)],
        [face(REST, **small), face(REST, left=110)],
        [face(REST, **small)],
        [],
        [face(REST, left=115), face(REST, **small)],
    ]
    track = face_track(payload(frames))
    middles = [None if points is None else float(points[:, 0].mean()) for points in track.landmarks()]
    assert middles[3] is None and track.width == 500
    assert middles[0] == pytest.approx(middles[1] - 10, abs=1e-3) and middles[0] > 150
    assert middles[2] < 150, "the large face is gone: after a cut the choice decides anew"
    assert middles[4] < 150, "and that face is followed"
    other = face_track(payload(frames), FaceChoice("smallest"))
    assert other.landmarks()[0][:, 0].mean() < 150 and other.landmarks()[1][:, 0].mean() < 150


def test_other_values_are_refused() -> None:
    with pytest.raises(BadInput, match="no face landmarks"):
        face_track([1, 2])
    with pytest.raises(BadInput, match="no pictures"):
        face_track(payload([]))
    bare = face(REST)
    del bare["transformation_matrix"]
    with pytest.raises(BadInput, match="no transformation matrix"):
        motion_from_blendshapes(face_track(payload([[bare]])))
    flat = face(REST)
    flat["transformation_matrix"] = np.zeros((4, 4))
    with pytest.raises(BadInput, match="no rotation"):
        motion_from_blendshapes(face_track(payload([[flat]])))
    with pytest.raises(BadInput, match="lack"):
        expression_of({"jawOpen": 1.0})


def test_head_angles_are_the_matrix_and_the_place_puts_the_head_where_it_is_seen() -> None:
    time = np.arange(30) / 25
    poses = np.stack(
        [0.2 * np.sin(3 * time), 0.4 * np.cos(2 * time), 0.1 * time, 0.2 * time, -0.1 * time, 0 * time], 1
    )
    track = face_track(payload([[face(pose)] for pose in poses]))
    made = motion_from_blendshapes(track, steadying=UNTOUCHED).motion
    assert len(made) == 30 and made.space == "stylised" and made.valid.all()
    assert np.abs(made.pose.values[:, :3].numpy() - poses[:, :3]).max() < 1e-4
    landmarks = track.landmarks()
    square = face_crop_box(Box.around(landmarks[0]), track.height, track.width)
    corner = np.array([square.left, square.top])
    model = MorphableModel.stylised_landmarks()
    for pose, points in zip(made.pose.values, landmarks, strict=True):
        shown = Camera.of_size(square.width).pixels(model.landmarks(pose=pose))[list(RIGID)].numpy()
        assert np.abs(shown + corner - points[list(RIGID)]).max() < 0.5, "another square, another view"
    moved = made.pose.values[:, 3].numpy()
    assert np.corrcoef(moved, poses[:, 3])[0, 1] > 0.999


def test_shapes_become_the_movements_that_the_built_in_weights_know() -> None:
    known = {mode.name for mode in active_expressions()}
    moved = {}
    for name in NAMES:
        values = expression_of(dict.fromkeys(NAMES, 0.0) | {name: 1.0})
        moved[name] = {EXPRESSION_NAMES[k]: v for k, v in enumerate(values) if v}
        assert moved[name].keys() <= known
    assert moved["jawOpen"] == {"jaw_open": 1.0} and moved["eyeBlinkLeft"] == {"blink_left": 1.0}
    assert moved["mouthFunnel"] == {"lip_pucker": 1.0} and moved["browDownLeft"] == {"frown": 0.5}
    assert {name for found in moved.values() for name in found} == known
    assert expression_of(dict.fromkeys(NAMES, 0.0) | {"jawOpen": 3.0})[INDEX["jaw_open"]] == 1


def test_eyes_turn_to_the_right_side_and_with_the_head() -> None:
    def gaze(pose=REST, **shapes):
        track = face_track(payload([[face(pose, **shapes)]]))
        return motion_from_blendshapes(track, steadying=UNTOUCHED).motion.gaze.values[0].numpy()

    assert np.abs(gaze()).max() < 1e-6
    up = gaze(eyeLookUpLeft=0.5, eyeLookUpRight=0.5)
    assert up[0] == pytest.approx(0.5 * EYE_RANGE, abs=1e-5) and abs(up[1]) < 1e-6
    left = gaze(eyeLookInLeft=1.0, eyeLookOutRight=1.0)
    assert left[1] == pytest.approx(EYE_RANGE, abs=1e-5), "the subject's right is the image's left"
    turned = gaze(np.array([0.0, 0.3, 0.0, 0.0, 0.0, 0.0]))
    assert turned[1] == pytest.approx(-0.3, abs=1e-4), "a head turned to the image's right looks there"
    nod = gaze(np.array([0.3, 0.0, 0.0, 0.0, 0.0, 0.0]))
    assert nod[0] == pytest.approx(-0.3, abs=1e-4), "a nod looks down"


def test_rates_gaps_and_smoothing_are_those_of_videos() -> None:
    frames = [
        [face(REST + np.array([0, 0.01 * k, 0, 0, 0, 0]))] if k not in (10, 11) else [] for k in range(30)
    ]
    made = motion_from_blendshapes(face_track(payload(frames)), source_fps=30, missing="interpolate")
    assert len(made.motion) == 25 and made.report.without_face == 2
    yaw = made.motion.pose.values[:, 1]
    assert torch.allclose(yaw[:24], 0.012 * torch.arange(24), atol=2e-4)
    assert not made.motion.valid[8:10].any() and made.identity.shape == (80,)
