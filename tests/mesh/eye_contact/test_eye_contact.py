"""Eyes turned elsewhere: they look where they shall, and nothing outside them changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gohd_core.mesh.clip import fit_clip
from gohd_core.mesh.eye_contact.eye_contact import LIMIT, ClipEyes, EyeRows
from gohd_core.mesh.eye_contact.iris_drawing import _whole_white, draw_iris
from gohd_core.mesh.eye_contact.limbus import Limbus
from gohd_core.mesh.eyes.lid_following import LOWER_FOLLOWS, UPPER_FOLLOWS, moved_lids
from tests.support.clip_faces import acted, landmarks
from tests.support.mesh_faces import SIZE, painted_picture

BOX = (0.0, 0.0, float(SIZE))


def eyes(yaws, looks, shut=0.0, shots=None) -> ClipEyes:
    meshes = [acted((0.0, yaw, 0.0), look=look, shut=shut) for yaw, look in zip(yaws, looks, strict=True)]
    rows = EyeRows.of(*_fitted(meshes))
    return ClipEyes.of(rows, BOX, 25.0, shots=shots)


def _fitted(meshes):
    faces = [landmarks(mesh) for mesh in meshes]
    points, contours = np.stack([f.points for f in faces]), np.stack([f.eye_contours for f in faces])
    return fit_clip(torch.stack(meshes), SIZE), points, contours


def gaze_after(clip: ClipEyes, shifts) -> np.ndarray:
    return np.mean([e.plane.gaze(e.offset + s) for e, s in zip(clip.eyes, shifts, strict=True)], 0)


def test_eyes_of_a_still_head_are_turned_to_the_camera_and_along_a_path() -> None:
    clip = eyes([0.0] * 12, [(0.15, 0.0)] * 12)
    assert np.allclose(gaze_after(clip, clip.shifts(np.zeros((12, 2))))[:, 0], 0, atol=0.01)
    path = np.stack([np.linspace(-0.1, 0.2, 12), np.zeros(12)], 1)
    assert np.allclose(gaze_after(clip, clip.shifts(path))[:, 0], path[:, 0], atol=0.02)


def test_looks_up_and_down_are_reached_with_the_lids() -> None:
    clip = eyes([0.0] * 12, [(0.0, 0.0)] * 12)
    for look in np.radians([-12.0, 12.0]):
        after = gaze_after(clip, clip.shifts(np.tile([0.0, look], (12, 1))))
        assert np.abs(np.degrees(after[:, 1] - look)).max() < 1.5


def test_a_turned_head_looks_at_the_camera_by_turning_its_eyes_back() -> None:
    yaw = 0.25
    clip = eyes([yaw] * 12, [(0.0, 0.0)] * 12)
    after = gaze_after(clip, clip.shifts(np.zeros((12, 2))))
    assert np.allclose(after, clip.towards(np.zeros((12, 2))), atol=0.03)
    assert np.abs(after[:, 0]).min() > 0.2


def test_strength_scales_the_change_and_shut_or_distant_eyes_stay() -> None:
    clip = eyes([0.0] * 12, [(0.15, 0.0)] * 12)
    whole, half = (clip.shifts(np.zeros((12, 2)), strength)[0] for strength in (1.0, 0.5))
    assert np.allclose(half[:, 0], whole[:, 0] / 2, atol=2e-3)
    far = np.tile([2 * LIMIT, 0.0], (12, 1))
    assert all(np.abs(shift).max() < 5e-3 for shift in clip.shifts(far))
    looks = [(0.15, 0.0)] * 12
    blinking = eyes([0.0] * 12, looks)
    blinking.opening[5] = 0.3
    assert np.abs(blinking.shifts(np.zeros((12, 2)))[0][5]).max() == 0


def test_eyes_that_are_shut_throughout_are_not_turned() -> None:
    clip = eyes([0.0] * 12, [(0.15, 0.0)] * 12, shut=0.9)
    assert clip.opening.max() < 0.45
    assert all(np.abs(shift).max() == 0 for shift in clip.shifts(np.zeros((12, 2))))


def test_irises_that_jump_about_are_not_believed() -> None:
    rng = np.random.default_rng(0)
    calm = eyes([0.0] * 30, [(0.1, 0.0)] * 30)
    wild = eyes([0.0] * 30, [(float(x), 0.0) for x in rng.normal(0, 0.25, 30)])
    assert not calm.unsteady() and wild.unsteady()


def test_nothing_goes_on_over_a_cut() -> None:
    yaws, looks = [0.0] * 10 + [0.3] * 10, [(0.1, 0.0)] * 10 + [(-0.2, 0.0)] * 10
    shots = np.repeat([0, 1], 10)
    clip = eyes(yaws, looks, shots=shots)
    for shift in clip.shifts(np.zeros((20, 2))):
        assert all(np.ptp(shift[shots == shot], 0).max() < 1e-6 for shot in (0, 1))
        assert np.abs(shift[10] - shift[9]).max() > 0.02


@pytest.fixture
def picture() -> np.ndarray:
    mesh = acted(look=(0.0, 0.0))
    return (painted_picture(mesh)[0].movedim(0, -1).numpy() * 127.5 + 127.5).round().astype(np.uint8)


def test_nothing_outside_the_eyes_changes_by_a_bit(picture) -> None:
    clip = eyes([0.0], [(0.0, 0.0)])
    drawn = picture.copy()
    for eye in clip.eyes:
        draw_iris(drawn, eye, 0, np.array([0.03, 0.0]))
    changed = (drawn != picture).any(-1)
    assert 20 < changed.sum() < 0.02 * changed.size
    inside = np.zeros_like(changed)
    for eye in clip.eyes:
        low, high = np.floor(eye.lids[0].min(0)).astype(int), np.ceil(eye.lids[0].max(0)).astype(int)
        inside[low[1] : high[1] + 1, low[0] : high[0] + 1] = True
    assert not (changed & ~inside).any()


def test_an_iris_is_dark_where_it_went_and_white_where_it_was(picture) -> None:
    clip = eyes([0.0], [(0.0, 0.0)])
    drawn, eye = picture.copy(), clip.eyes[0]
    shift = np.array([-1.0 * eye.radius, 0.0])
    draw_iris(drawn, eye, 0, shift)
    new = np.round(eye.iris[0] + eye.plane.axes[0] @ shift).astype(int)
    left = np.round(eye.iris[0] - 0.8 * eye.plane.axes[0] @ shift).astype(int)
    assert drawn[new[1], new[0]].mean() < 90
    assert drawn[left[1], left[0]].mean() > picture[left[1], left[0]].mean() + 40


def test_an_iris_that_goes_into_shade_takes_no_light_ring_along(picture) -> None:
    clip = eyes([0.0], [(0.0, 0.0)])
    eye = clip.eyes[0]
    radius, (x, y) = eye.radius * eye.plane.scale[0], eye.iris[0]
    picture[:, : round(x - 1.15 * radius)] = picture[:, : round(x - 1.15 * radius)] * 0.4
    drawn, shift = picture.copy(), np.array([-0.6 * eye.radius, 0.0])
    draw_iris(drawn, eye, 0, shift)
    new = eye.iris[0] + eye.plane.axes[0] @ shift
    row = drawn[round(y), round(new[0] - 1.3 * radius) : round(new[0] - 0.8 * radius)].mean(-1)
    assert row.max() < 86


def test_no_change_leaves_every_pixel(picture) -> None:
    clip = eyes([0.0], [(0.0, 0.0)])
    drawn = picture.copy()
    for eye in clip.eyes:
        draw_iris(drawn, eye, 0, np.zeros(2))
    assert torch.equal(torch.from_numpy(drawn), torch.from_numpy(picture))


@pytest.mark.parametrize("up", [0.025, -0.025])
def test_lids_follow_an_iris_up_and_down(picture, up: float) -> None:
    clip = eyes([0.0], [(0.0, 0.0)])
    upper, lower = (shares[int(up < 0)] for shares in (UPPER_FOLLOWS, LOWER_FOLLOWS))
    for eye in clip.eyes:
        width = eye.plane.width * eye.plane.scale[0]
        way = eye.plane.axes[0] @ np.array([0.0, up])
        moved = moved_lids(picture.astype(np.float32), eye.lids[0], way, width)
        steps = moved.lids - eye.lids[0]
        assert np.allclose(steps[12], upper * way, atol=0.1 * abs(way[1]))
        assert np.allclose(steps[4], lower * way, atol=0.05 * abs(way[1]))
        assert np.abs(steps[[0, 8]]).max() == 0
        # The skin just above the upper lid's new edge is that from above the old one.
        x, y = (moved.lids[12] + [0.0, -3.0]).round().astype(int)
        back = (np.array([x, y]) - steps[12]).round().astype(int)
        assert np.abs(moved.skin[y, x] - picture[back[1], back[0]]).max() < 40
        drawn = picture.copy()
        draw_iris(drawn, eye, 0, np.array([0.0, up]))
        changed = np.argwhere((drawn != picture).any(-1))
        low, high = eye.lids[0].min(0), eye.lids[0].max(0)
        reach = 0.36 * width
        assert (changed[:, 0] > low[1] - reach).all() and (changed[:, 0] < high[1] + reach).all()
        assert (changed[:, 1] >= low[0] - 1).all() and (changed[:, 1] <= high[0] + 1).all()
        assert (drawn != picture)[int(low[1] - 2) : int(low[1]) + 1].any()


def test_eyes_without_irises_stay(picture) -> None:
    rows = EyeRows.of(*_fitted([acted()]))
    still = np.zeros(2)
    for step, changes in ((0.01, False), (0.2, True)):
        seen = Limbus(step, 0.05, still, np.zeros((1, 2)))
        drawn = picture.copy()
        for eye in ClipEyes.of(rows, BOX, 25.0, (seen, seen)).eyes:
            draw_iris(drawn, eye, 0, np.array([0.03, 0.0]))
        assert (drawn != picture).any() == changes


def test_frames_of_glasses_above_the_lids_stay(picture) -> None:
    clip, shift = eyes([0.0], [(0.0, 0.0)]), np.array([0.0, 0.015])
    for eye in clip.eyes:
        lids, width = eye.lids[0], eye.plane.width * eye.plane.scale[0]
        top = int(lids.min(0)[1]) - 1
        left, right = int(lids[:, 0].min() - 0.5 * width), int(lids[:, 0].max() + 0.5 * width)
        picture[top - 3 : top, left:right] = 10
        bent, straight = picture.copy(), picture.copy()
        draw_iris(bent, eye, 0, shift)
        draw_iris(straight, replace(eye, bridge=0.7), 0, shift)
        line = slice(top - 3, top), slice(left, right)
        assert np.abs(bent[line].astype(int) - picture[line]).max() > 40
        assert np.abs(straight[line].astype(int) - picture[line]).max() < 12
        assert (straight != picture).any()


def test_irises_that_do_not_go_together_are_not_believed() -> None:
    clip = eyes([0.0] * 30, [(0.1, 0.0)] * 30)
    clip.eyes[0].offset[:] += np.random.default_rng(0).normal(0, 0.02, (30, 2))
    assert clip.unsteady()


def test_lashes_below_the_upper_lid_go_down_with_it(picture) -> None:
    clip, shift = eyes([0.0], [(0.0, 0.0)]), np.array([0.0, -0.03])
    for eye in clip.eyes:
        lids, width = eye.lids[0], eye.plane.width * eye.plane.scale[0]
        upper = lids[9:16][np.argsort(lids[9:16, 0])]
        columns = np.arange(int(lids[:, 0].min()) + 2, int(lids[:, 0].max()) - 1)
        for x in columns:
            top = np.interp(x, *upper.T)
            picture[int(top) : int(top + 0.07 * width), x] = 15
        drawn = picture.copy()
        draw_iris(drawn, eye, 0, shift)
        moved = moved_lids(picture.astype(np.float32), lids, eye.plane.axes[0] @ shift, width).lids
        new = moved[9:16][np.argsort(moved[9:16, 0])]
        beside = eye.iris[0, 0] + np.array([-1.45, 1.45]) * eye.radius * eye.plane.scale[0]
        for x in beside.round().astype(int):
            old, top = int(np.interp(x, *upper.T)), int(np.interp(x, *new.T))
            assert drawn[old, x].min() > 120 and drawn[top : top + 3, x].max(-1).min() < 60


def test_skin_in_a_corner_tells_nothing_of_the_white_below_an_iris() -> None:
    """Lids are read too wide at one corner: only there anything is seen deep below the upper lid."""
    turn = np.linspace(0, np.pi, 9)
    lids = np.zeros((16, 2))
    lids[:9] = np.stack([50 - 40 * np.cos(turn), 40 + 16 * np.sin(turn)], 1)
    lids[9:] = np.stack([50 - 40 * np.cos(turn[1:-1]), 40 - 16 * np.sin(turn[1:-1])], 1)
    row, column = np.mgrid[:80, :100]
    between = ((column - 50) / 40) ** 2 + ((row - 40) / 16) ** 2 < 1
    source = np.where(between, 200.0, 120.0)[..., None] * np.ones(3, np.float32)
    source[(column > 62) & (row > 40)] = (90, 60, 55)
    known = (between & (np.hypot(column - 50, row - 40) > 18)).astype(np.float32)
    known[(column < 34) & (row > 40)] = 0
    white = _whole_white(source.astype(np.float32), known, lids, lids, 80.0)
    assert white[42:52, 36:60].min() > 110
