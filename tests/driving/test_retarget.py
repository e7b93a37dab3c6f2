"""Which part of a portrait follows whom: video, sound, itself, or a set gaze."""

from __future__ import annotations

import pytest
import torch

from gohd_core.driving import DriveOptions, driven_motion
from gohd_core.driving.retarget import FREE_DEPTH, LARGEST_DEPTH, LARGEST_WAY
from gohd_core.errors import BadInput
from gohd_core.face import MorphableModel, Portrait
from gohd_core.motion import Expression, Gaze, Motion, Pose
from gohd_core.stylised.head.expressions import INDEX

SPACE = "stylised"


@pytest.fixture(scope="module")
def model():
    return MorphableModel.stylised_landmarks()


@pytest.fixture
def portrait():
    own = {"pose": Pose, "expression": Expression, "gaze": Gaze}
    parts = {name: kind(torch.full((1, kind.width), 0.1), SPACE) for name, kind in own.items()}
    picture = torch.zeros(8, 8, 3)
    return Portrait(frame=picture, box=(0, 0, 8, 8), crop=picture, **parts)


def _motion(seed: int, frames: int) -> Motion:
    values = 0.3 * torch.randn(frames, 72, generator=torch.Generator().manual_seed(seed))
    return Motion.from_descriptors(values, SPACE)


def test_all_from_the_video_with_the_head_relative(portrait) -> None:
    video = _motion(0, 9)
    video.pose.values[:, 3:] *= 0.1
    made = driven_motion(portrait, {"video": video})
    assert torch.allclose(made.pose.values, 0.1 + video.pose.values - video.pose.values[:1], atol=1e-6)
    assert torch.allclose(made.expression.values, video.expression.values, atol=1e-6)
    assert torch.allclose(made.gaze.values, video.gaze.values, atol=1e-6)
    absolute = driven_motion(portrait, {"video": video}, DriveOptions(relative=frozenset()))
    assert torch.allclose(absolute.pose.values, video.pose.values, atol=1e-6)


def test_a_head_that_walks_off_stays_in_the_portraits_picture(portrait) -> None:
    video = _motion(0, 9)
    way = torch.linspace(0, 2.0, 9)
    video.pose.values[:, 3:5] = way[:, None] * torch.tensor([0.6, -0.8])
    moved = driven_motion(portrait, {"video": video}).pose.values[:, 3:5] - 0.1
    gone = moved.norm(dim=1)
    assert torch.allclose(moved[:2], video.pose.values[:2, 3:5], atol=1e-6)
    assert (gone.diff() > 0).all() and gone[-1] <= LARGEST_WAY + 1e-6
    assert torch.allclose(moved[1:] / gone[1:, None], torch.tensor([0.6, -0.8]).expand(8, 2), atol=1e-5)
    absolute = driven_motion(portrait, {"video": video}, DriveOptions(relative=frozenset()))
    assert torch.allclose(absolute.pose.values, video.pose.values, atol=1e-6)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_head_that_comes_near_is_not_cut_off(portrait, sign) -> None:
    video = _motion(0, 9)
    way = sign * torch.linspace(0, 4 * LARGEST_DEPTH, 33)
    video = video.resampled(25, frames=33)
    video.pose.values[:, 3:5], video.pose.values[:, 5] = 0, way
    moved = driven_motion(portrait, {"video": video}).pose.values[:, 5] - 0.1
    near = way.abs() <= FREE_DEPTH
    assert near[:4].all() and torch.allclose(moved[near], way[near], atol=1e-6)
    assert (sign * moved.diff() >= 0).all() and moved.abs().max() <= LARGEST_DEPTH + 1e-6


def test_mouth_from_sound_and_eyes_from_the_video(portrait, model) -> None:
    video, audio = _motion(1, 8), _motion(2, 12)
    sources = {"pose": "video", "mouth": "audio", "eyes": "video", "gaze": (0.2, -0.3)}
    options = DriveOptions(sources, length="mouth")
    made = driven_motion(portrait, {"video": video, "audio": audio}, options, model)
    assert len(made) == 12 and torch.allclose(made.gaze.values, torch.tensor([0.2, -0.3]))
    jaw, blink = INDEX["jaw_open"], INDEX["blink_left"]
    near = (made.expression.values[:8, jaw] - audio.expression.values[:8, jaw]).abs().mean()
    far = (made.expression.values[:8, jaw] - video.expression.values[:8, jaw]).abs().mean()
    assert near < 0.5 * far
    near = (made.expression.values[:8, blink] - video.expression.values[:8, blink]).abs().mean()
    far = (made.expression.values[:8, blink] - audio.expression.values[:8, blink]).abs().mean()
    assert near < 0.5 * far


def test_the_portraits_own_eyes_do_not_shorten_the_result(portrait, model) -> None:
    sources = {"pose": "own", "mouth": "video", "eyes": "own", "gaze": "own"}
    made = driven_motion(portrait, {"video": _motion(3, 7)}, DriveOptions(sources, length="shortest"), model)
    assert len(made) == 7
    assert torch.allclose(made.pose.values, torch.full((7, 6), 0.1))


def test_frames_that_were_not_seen_may_show_the_portrait_itself(portrait) -> None:
    video = _motion(4, 6)
    valid = torch.tensor([True, True, False, False, True, True])
    parts = {
        n: type(p)(p.values, SPACE, 25, valid)
        for n, p in (("pose", video.pose), ("expression", video.expression), ("gaze", video.gaze))
    }
    made = driven_motion(portrait, {"video": Motion(**parts)}, DriveOptions(own_where_unseen=True))
    assert torch.allclose(made.descriptors()[2:4], torch.full((2, 72), 0.1))
    assert torch.allclose(made.expression.values[4:], video.expression.values[4:], atol=1e-6)


def test_sources_that_are_not_there_are_named(portrait) -> None:
    with pytest.raises(BadInput, match="'audio', which is not there; use video, own"):
        driven_motion(portrait, {"video": _motion(0, 3)}, DriveOptions({"pose": "audio"}))
    with pytest.raises(BadInput, match="Nothing drives the portrait"):
        driven_motion(portrait, {}, DriveOptions({"gaze": (0.0, 0.0)}))
    with pytest.raises(BadInput, match="no part 'nose'"):
        DriveOptions({"nose": "video"})
    with pytest.raises(BadInput, match="but nothing drives it"):
        driven_motion(
            portrait,
            {"video": _motion(0, 3)},
            DriveOptions({"mouth": "video"}, length="pose"),
            MorphableModel.stylised_landmarks(),
        )
