"""Driving frames: where LivePortrait and Wan-Animate crop, followed or still, and a neutral beginning."""

from __future__ import annotations

import pytest
import torch

from gohd_core.errors import BadInput
from gohd_core.face.mediapipe.points import landmarks_68
from gohd_core.face.portrait import Portrait
from gohd_core.mesh.portrait import own_motion
from gohd_core.motion import Expression, Gaze, Motion, Pose
from gohd_core.render.driver_framing import SIZE, driver_boxes, framed, from_rest
from gohd_core.stylised.head.expressions import INDEX
from tests.support import mesh_faces


def points() -> torch.Tensor:
    """68 landmarks whose box is 100 wide and 120 high, from (200, 150) on."""
    generator = torch.Generator().manual_seed(2)
    made = torch.rand(68, 2, generator=generator)
    made = (made - made.amin(0)) / (made.amax(0) - made.amin(0))
    return made * torch.tensor([100.0, 120.0]) + torch.tensor([200.0, 150.0])


def portrait(**changes) -> Portrait:
    expression = torch.zeros(1, 64)
    expression[0, INDEX["jaw_open"]], expression[0, INDEX["frown"]] = 0.5, 0.3
    motion = {
        "pose": Pose(torch.full((1, 6), 0.05), "stylised"),
        "expression": Expression(expression, "stylised"),
    }
    motion["gaze"] = Gaze(torch.zeros(1, 2), "stylised")
    kept = {"frame": torch.zeros(400, 600, 3), "box": (100, 50, 400, 350), "crop": torch.zeros(256, 256, 3)}
    return Portrait(**kept, landmarks=points(), **motion, **changes)


def moving(frames: int = 10) -> Motion:
    generator = torch.Generator().manual_seed(1)
    tracks = (torch.rand(frames, width, generator=generator) for width in (6, 64, 2))
    return Motion(*(kind(t, "stylised") for kind, t in zip((Pose, Expression, Gaze), tracks, strict=True)))


def test_liveportrait_takes_a_still_square_that_is_2_2_times_the_face() -> None:
    boxes = driver_boxes(portrait(), moving(), "liveportrait")
    assert boxes.shape == (10, 4) and bool((boxes == boxes[0]).all())
    side = 2.2 * 120
    middle = (250, 210 - 0.1 * side)
    wanted = [middle[0] - side / 2, middle[1] - side / 2, middle[0] + side / 2, middle[1] + side / 2]
    assert boxes[0].tolist() == pytest.approx(wanted, abs=1e-3)


def test_wan_animate_takes_the_face_alone_with_1_3_times_its_area() -> None:
    left, top, right, bottom = driver_boxes(portrait(), moving(), "wan animate")[0].tolist()
    assert (right - left) * (bottom - top) == pytest.approx(1.3 * 100 * 120, rel=1e-4)
    assert (150 - top) == pytest.approx(3 * (bottom - 270), rel=1e-3), "more forehead than chin"
    assert (200 - left) == pytest.approx(right - 300, rel=1e-3)


def test_frames_are_cut_where_the_boxes_lie_and_go_on_beyond_the_edge() -> None:
    frames = torch.zeros(3, 3, 100, 120)
    frames[:, 0, :, :60] = 1.0
    boxes = torch.tensor([[40.0, 20, 80, 60], [60, 20, 100, 60], [-50, 0, 10, 60]])
    made = torch.cat(list(framed([frames[:2], frames[2:]], boxes)))
    assert made.shape == (3, 3, SIZE, SIZE)
    assert made[0, 0, 100, 100] == 1 and made[0, 0, 100, 400] == 0
    assert made[1, 0, :, 8:].max() < 0.01 and made[2, 0].min() == pytest.approx(1.0)


def test_it_begins_at_rest_with_its_mouth_shut() -> None:
    made, own = from_rest(moving(), portrait(), 0.2), portrait()
    assert made.expression.values[0, INDEX["jaw_open"]] == 0
    assert made.expression.values[0, INDEX["frown"]] == pytest.approx(0.3)
    assert torch.equal(made.pose.values[0], own.p0)
    assert torch.equal(made.expression.values[5:], moving().expression.values[5:])


def test_what_cannot_be_is_a_sentence() -> None:
    with pytest.raises(BadInput, match="is no framing"):
        driver_boxes(portrait(), moving(), "square")


def test_the_box_follows_a_head_that_was_read_by_its_mesh() -> None:
    mesh = mesh_faces.painted_mesh()
    read = own_motion(mesh, 256)
    frame = {"frame": torch.zeros(256, 256, 3), "box": (0, 0, 256, 256), "crop": torch.zeros(256, 256, 3)}
    who = Portrait(**frame, pose=read.pose, expression=read.expression, gaze=read.gaze, mesh=mesh)
    seen = torch.from_numpy(landmarks_68(mesh)).float()[:, :2]
    still = Portrait(**frame, landmarks=seen)
    boxes = driver_boxes(who, read, "wan animate")
    assert boxes[0].tolist() == pytest.approx(driver_boxes(still, read, "wan animate")[0].tolist(), abs=1.0)
    pose = read.pose.values.repeat(2, 1)
    pose[1, 3] += 0.2  # to the face's left, the picture's right
    moved = Motion(Pose(pose, "stylised"), read.expression.fitted(2), read.gaze.fitted(2))
    boxes = driver_boxes(who, moved, "wan animate")
    assert (boxes[1] - boxes[0])[0] > 5 and (boxes[1] - boxes[0])[1].abs() < 0.5
    assert torch.equal(*driver_boxes(who, moved, "liveportrait"))
