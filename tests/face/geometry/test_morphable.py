"""The morphable model against loops over its definition, and the eye-motion feature of Fig. 4."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from gohd_core.errors import BadCheckpoint, BadInput
from gohd_core.face.geometry.camera import Camera, rotation, rotation_angles, transform
from gohd_core.face.geometry.eye_motion import eye_height
from gohd_core.face.geometry.morphable import MorphableModel
from gohd_core.face.geometry.morphable_file import LANDMARK_FIELDS, read_landmark_model
from gohd_core.stylised.head.expressions import EXPRESSION_NAMES
from tests.support.face_helpers import bfm_arrays, write_bfm


@pytest.fixture(scope="module")
def arrays():
    return bfm_arrays()


@pytest.fixture(scope="module")
def model(arrays, tmp_path_factory):
    return MorphableModel.from_file(write_bfm(tmp_path_factory.mktemp("bfm") / "m.mat", arrays))


def test_shape_is_the_sum_of_eq_10(model, arrays):
    rng = np.random.default_rng(1)
    identity, expression = rng.standard_normal(80), rng.standard_normal(64)
    mean = arrays["meanshape"].reshape(-1, 3)
    mean = mean - mean.mean(0)
    for vertex in (0, 7, 41):
        expected = mean[vertex].copy()
        for axis in range(3):
            row = 3 * vertex + axis
            expected[axis] += sum(arrays["idBase"][row, k] * identity[k] for k in range(80))
            expected[axis] += sum(arrays["exBase"][row, k] * expression[k] for k in range(64))
        found = model.vertices(torch.tensor(identity).float(), torch.tensor(expression).float())
        np.testing.assert_allclose(found[vertex], expected, atol=1e-5)


def test_landmarks_are_rows_of_the_shape(model, arrays):
    expression = torch.randn(4, 64)
    shape = model.vertices(torch.zeros(80), expression)
    assert shape.shape == (4, 90, 3)
    rows = torch.tensor(arrays["keypoints"].ravel() - 1)
    torch.testing.assert_close(model.landmarks(expression=expression), shape[:, rows])
    small = model.landmarks_only()
    torch.testing.assert_close(small.landmarks(expression=expression), shape[:, rows])


def test_rotation_by_elementary_matrices():
    for angles in ([0.3, 0, 0], [0, -0.5, 0], [0, 0, 0.7], [0.2, -0.4, 0.9]):
        x, y, z = angles
        rx = [[1, 0, 0], [0, math.cos(x), -math.sin(x)], [0, math.sin(x), math.cos(x)]]
        ry = [[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]]
        rz = [[math.cos(z), -math.sin(z), 0], [math.sin(z), math.cos(z), 0], [0, 0, 1]]
        expected = (np.array(rz) @ ry @ rx).T
        np.testing.assert_allclose(rotation(torch.tensor(angles)), expected, atol=1e-6)
        torch.testing.assert_close(rotation_angles(rotation(torch.tensor(angles))), torch.tensor(angles))


def test_directions_of_angles_in_a_picture():
    nose = torch.tensor([[0.0, 0.0, 1.0]])
    camera = Camera()
    middle = camera.pixels(nose)[0]

    def moved(*pose):
        return camera.pixels(transform(nose, torch.tensor(pose)))[0] - middle

    assert moved(0.3, 0.0, 0.0, 0.0, 0.0, 0.0)[1] > 10, "angle x > 0 nods down"
    assert moved(0.0, 0.3, 0.0, 0.0, 0.0, 0.0)[0] > 10, "angle y > 0 turns to the image's right"
    assert moved(0.0, 0.0, 0.0, 0.0, 0.2, 0.0)[1] < -10, "translation y > 0 moves up"
    ear = torch.tensor([[1.0, 0.0, 0.0]])
    rolled = camera.pixels(transform(ear, torch.tensor([0, 0, 0.3, 0, 0, 0])))
    assert rolled[0, 1] < camera.pixels(ear)[0, 1] - 10, "angle z > 0 rolls counter-clockwise"


def test_camera_keeps_its_angle_of_view():
    points = torch.randn(5, 3)
    small, large = Camera.of_size(128).pixels(points), Camera.of_size(256).pixels(points)
    # Columns are f x / z + size / 2 and rows size - 1 - v, in the official code's convention.
    torch.testing.assert_close(small[:, 0] * 2, large[:, 0])
    torch.testing.assert_close((small[:, 1] + 1) * 2, large[:, 1] + 1)


def test_eye_motion_of_the_neutral_face(model):
    feature = model.eye_motion_feature(torch.zeros(3, 64))
    torch.testing.assert_close(feature, torch.tensor([1.0] + [0.0] * 20).expand(3, 21))


def test_eye_motion_by_its_definition(model):
    expression = torch.randn(5, 64)
    found = model.eye_motion_feature(expression)
    moved = model.projection(model.landmarks(expression=expression)).numpy()
    neutral = model.projection(model.landmarks()).numpy()

    def height(points):
        right = points[37] + points[38] - points[40] - points[41]
        left = points[43] + points[44] - points[46] - points[47]
        return math.hypot(*right) / 2 + math.hypot(*left) / 2

    for t in range(5):
        assert math.isclose(found[t, 0], height(moved[t]) / height(neutral), rel_tol=1e-4)
        for k in range(10):
            for axis in range(2):
                expected = (moved[t, 17 + k, axis] - neutral[17 + k, axis]) / (height(neutral) / 2)
                assert math.isclose(found[t, 1 + 2 * k + axis], expected, rel_tol=1e-3, abs_tol=1e-4)


def test_eye_motion_reaches_the_expression_alone(model):
    expression = torch.randn(2, 64, requires_grad=True)
    model.eye_motion_feature(expression).sum().backward()
    assert torch.isfinite(expression.grad).all() and expression.grad.abs().min() > 0


def test_eye_motion_of_the_stylised_head():
    names = EXPRESSION_NAMES
    head = MorphableModel.stylised().landmarks_only()
    blink = torch.zeros(64)
    blink[[names.index(name) for name in names if "blink" in name.lower()]] = 1
    feature = head.eye_motion_feature(blink)
    assert feature[0] < 0.15, "closed lids have no height"
    raised = torch.zeros(64)
    raised[[k for k, name in enumerate(names) if "brow" in name and "up" in name]] = 1
    vertical = head.eye_motion_feature(raised)[2::2]
    assert (vertical > 0).all(), "raised brows are positive"


def test_landmark_file_is_the_same_model(model, tmp_path):
    path, small = tmp_path / "l.safetensors", model.landmarks_only()
    save_file({name: getattr(small, name).contiguous() for name in LANDMARK_FIELDS}, path)
    again = MorphableModel(space="bfm09", **read_landmark_model(path))
    expression = torch.randn(3, 64)
    torch.testing.assert_close(again.eye_motion_feature(expression), model.eye_motion_feature(expression))
    (tmp_path / "cut.safetensors").write_bytes(path.read_bytes()[:500])
    with pytest.raises(BadCheckpoint, match="damaged"):
        read_landmark_model(tmp_path / "cut.safetensors")


def test_the_asset_holds_the_procedural_landmarks():
    pytest.importorskip("scipy")
    asset, whole = MorphableModel.stylised_landmarks(), MorphableModel.stylised()
    expression, identity = torch.randn(2, 64), torch.randn(2, 80)
    torch.testing.assert_close(asset.landmarks(identity, expression), whole.landmarks(identity, expression))


def test_eye_height_of_shut_eyes_has_a_gradient():
    points = torch.zeros(68, 2, requires_grad=True)
    eye_height(points).backward()
    assert torch.isfinite(points.grad).all()


def test_bad_files(arrays, tmp_path):
    with pytest.raises(BadCheckpoint, match="request it"):
        MorphableModel.from_file(tmp_path / "absent.mat")
    (tmp_path / "text.mat").write_text("not a file of MATLAB's" * 50)
    with pytest.raises(BadCheckpoint, match="not a MATLAB file"):
        MorphableModel.from_file(tmp_path / "text.mat")
    whole = write_bfm(tmp_path / "whole.mat", arrays)
    (tmp_path / "cut.mat").write_bytes(whole.read_bytes()[:3000])
    with pytest.raises(BadCheckpoint):
        MorphableModel.from_file(tmp_path / "cut.mat")
    few = {key: value for key, value in arrays.items() if key not in ("exBase", "tri")}
    with pytest.raises(BadCheckpoint, match="lacks exBase, tri"):
        MorphableModel.from_file(write_bfm(tmp_path / "few.mat", few))
    broken = arrays | {"exBase": np.full_like(arrays["exBase"], np.nan)}
    with pytest.raises(BadCheckpoint, match="not finite"):
        MorphableModel.from_file(write_bfm(tmp_path / "nan.mat", broken))
    small = arrays | {"keypoints": arrays["keypoints"][:, :5]}
    with pytest.raises(BadInput, match="landmark_indices"):
        MorphableModel.from_file(write_bfm(tmp_path / "five.mat", small))


def test_wrong_shapes(model):
    with pytest.raises(BadInput, match="64"):
        model.vertices(expression=torch.zeros(3, 80))
    with pytest.raises(BadInput, match="must be 6"):
        model.landmarks(pose=torch.zeros(2, 7))
    with pytest.raises(BadInput, match="no coefficient space"):
        MorphableModel(
            model.mean_shape, model.identity_basis, model.expression_basis, range(68), space="flame"
        )


def test_a_ray_leads_back_to_its_pixel():
    camera = Camera.of_size(256)
    column, row = torch.tensor([0.0, 80.5, 255.0]), torch.tensor([10.0, 128.0, 200.25])
    points = torch.tensor([0.0, 0.0, camera.distance]) + 7.0 * camera.rays(column, row)
    assert torch.allclose(camera.pixels(points), torch.stack([column, row], -1), atol=1e-3)
