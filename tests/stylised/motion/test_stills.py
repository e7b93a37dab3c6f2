"""Camera conventions of the stylised space, and the sampling of still pictures."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.errors import BadInput
from gohd_core.stylised import camera
from gohd_core.stylised.head.expressions import active_expressions
from gohd_core.stylised.motion.stills import CLUSTER_KINDS, GAZE_LIMIT, limit_gaze, random_stills

RNG = np.random.default_rng(11)


def test_rotation_is_rz_ry_rx_written_out():
    x, y, z = 0.3, -0.7, 0.2
    rx = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    rz = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    np.testing.assert_allclose(camera.rotation_matrix(np.array([x, y, z])), rz @ ry @ rx, atol=1e-12)


def test_projection_is_the_official_familys():
    points = RNG.normal(0, 0.6, (20, 3))
    for size in (128, 224, 256):
        focal = 1015.0 * size / 224.0
        depth = 10.0 - points[:, 2]
        expected = np.stack(
            [
                focal * points[:, 0] / depth + size / 2,
                size - 1 - (focal * points[:, 1] / depth + size / 2),
                depth,
            ],
            -1,
        )
        np.testing.assert_allclose(camera.project(points, size), expected, rtol=1e-12)


def test_camera_agrees_with_the_face_package():
    torch = pytest.importorskip("torch")
    from gohd_core.face.geometry import camera as shared

    angles = RNG.normal(0, 0.4, (5, 3))
    for_rows = shared.rotation(torch.from_numpy(angles)).numpy()
    np.testing.assert_allclose(np.swapaxes(camera.rotation_matrix(angles), -1, -2), for_rows, atol=1e-9)
    points = RNG.normal(0, 0.6, (20, 3))
    pixels = shared.Camera.of_size(256).pixels(torch.from_numpy(points)).numpy()
    np.testing.assert_allclose(camera.project(points, 256)[:, :2], pixels, atol=1e-9)


def test_gaze_signs_and_inverse():
    ahead = camera.gaze_direction(np.zeros(2))
    np.testing.assert_allclose(ahead, [0, 0, 1])
    assert camera.gaze_direction(np.array([0.2, 0.0]))[1] > 0, "pitch > 0 looks up"
    assert camera.gaze_direction(np.array([0.0, 0.2]))[0] < 0, "yaw > 0 looks to the image's left"
    pose, gaze = RNG.normal(0, 0.3, (50, 6)), RNG.normal(0, 0.3, (50, 2))
    np.testing.assert_allclose(camera.gaze_from_head(pose, camera.gaze_in_head(pose, gaze)), gaze, atol=1e-9)
    np.testing.assert_allclose(camera.gaze_in_head(np.zeros((50, 6)), gaze), gaze, atol=1e-9)


def test_eyes_stay_on_the_camera_when_the_head_turns():
    turned = np.array([0.0, 0.3, 0.0, 0.0, 0.0, 0.0])
    # The head turns to the image's right, so the eyes turn to the left in the head.
    np.testing.assert_allclose(camera.gaze_in_head(turned, np.zeros(2)), [0.0, 0.3], atol=1e-12)


def test_neck_translation_keeps_the_pivot_in_place():
    angles = RNG.normal(0, 0.4, (10, 3))
    moved = camera.NECK_PIVOT @ np.swapaxes(camera.rotation_matrix(angles), -1, -2)
    np.testing.assert_allclose(
        moved + camera.neck_translation(angles), np.tile(camera.NECK_PIVOT, (10, 1)), atol=1e-6
    )


def test_bursts_change_one_factor_at_a_time():
    groups = {
        group: [mode.index for mode in active_expressions() if mode.group == group]
        for group in ("mouth", "lids", "brows")
    }
    cluster = len(CLUSTER_KINDS)
    for seed in range(20):
        expression, pose, gaze, kinds = random_stills(np.random.default_rng(seed), 30)
        assert expression.shape == (30, 64) and pose.shape == (30, 6) and gaze.shape == (30, 2)
        assert kinds[0] == kinds[cluster] == "base" and set(kinds[2 * cluster :]) == {"free"}
        for k in range(2 * cluster):
            base = k // cluster * cluster
            changed = set(np.flatnonzero(expression[k] != expression[base]))
            moved = not np.array_equal(pose[k], pose[base])
            looked = not np.array_equal(gaze[k], gaze[base])
            allowed = {"mouth": "mouth", "blink": "lids", "brows": "brows"}.get(kinds[k])
            assert changed <= set(groups[allowed] if allowed else [])
            assert moved == (kinds[k] == "pose")
            assert not looked or kinds[k] in ("gaze", "pose")


def test_only_active_modes_are_sampled_and_within_their_range():
    expression, pose, gaze, _ = random_stills(np.random.default_rng(3), 400)
    active = active_expressions()
    rest = np.setdiff1d(np.arange(64), [mode.index for mode in active])
    assert not expression[:, rest].any()
    for mode in active:
        values = expression[:, mode.index]
        assert mode.low <= values.min() and 0.6 < values.max() <= mode.high
    in_head = camera.gaze_in_head(pose, gaze)
    assert (np.abs(in_head) <= np.array(GAZE_LIMIT) + 1e-5).all()


def test_limit_gaze_keeps_reachable_directions():
    pose, gaze = np.zeros((2, 6)), np.array([[0.1, -0.3], [0.0, 1.0]])
    limited = limit_gaze(pose, gaze)
    np.testing.assert_allclose(limited[0], gaze[0], atol=1e-12)
    np.testing.assert_allclose(limited[1], [0.0, GAZE_LIMIT[1]], atol=1e-12)


def test_stills_depend_on_the_generator_alone():
    first, again = (random_stills(np.random.default_rng(9), 24) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first[:3], again[:3], strict=True))
    with pytest.raises(BadInput, match="at least one"):
        random_stills(np.random.default_rng(9), 0)
