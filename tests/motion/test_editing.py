"""Edits of a track: each does as its name says, leaves its input alone, and refuses bad options."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from gohd_core.choices import SMOOTHING
from gohd_core.errors import BadInput
from gohd_core.motion import Expression, Gaze, Motion, Pose, editing
from gohd_core.motion.keyframes import Keyframes


def ramp(frames: int = 50, fps: int = 25) -> Gaze:
    """Pitch rises by 0.01 a frame, yaw stays."""
    values = torch.stack([0.01 * torch.arange(frames), torch.full((frames,), 0.3)], dim=1)
    return Gaze(values, "stylised", fps)


def noisy(frames: int = 200, sigma: float = 0.05) -> tuple[Pose, torch.Tensor]:
    clean = torch.sin(torch.arange(frames) / 20)[:, None].expand(-1, 6)
    noise = torch.randn(frames, 6, generator=torch.Generator().manual_seed(3)) * sigma
    return Pose(clean + noise, "bfm09"), clean


def turning(frames: int = 40) -> Pose:
    """The head turns on past 180 degrees; the angle is stored wrapped, as networks give it."""
    angle = torch.linspace(2.8, 3.6, frames)
    values = torch.zeros(frames, 6)
    values[:, 1] = torch.atan2(angle.sin(), angle.cos())
    return Pose(values, "bfm09")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (25.0, Fraction(25)),
        (23.976, Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (24, Fraction(24)),
        (12.5, Fraction(25, 2)),
    ],
)
def test_frame_rates_of_film_and_television_are_exact(given, wanted) -> None:
    assert editing.exact_fps(given) == wanted


def test_a_frame_rate_out_of_range_is_refused() -> None:
    with pytest.raises(BadInput, match="from 1 to 120"):
        editing.exact_fps(0.5)


@pytest.mark.parametrize(("centre", "middle"), [("zero", 0.0), ("first", 0.0), ("mean", 0.245)])
def test_scaling_moves_away_from_the_centre(centre, middle) -> None:
    track = ramp()
    scaled = editing.scaled(track, 2.0, centre)
    assert torch.allclose(scaled.values[:, 0], middle + 2 * (track.values[:, 0] - middle), atol=1e-6)


def test_scaling_by_one_and_offset_by_zero_change_nothing() -> None:
    track = ramp()
    assert torch.equal(editing.offset(track, torch.zeros(2)).values, track.values)
    assert torch.allclose(editing.scaled(track, 1.0, "mean").values, track.values, atol=1e-6)


def test_scaling_a_wrapped_angle_scales_the_turn_that_was_made() -> None:
    scaled = editing.scaled(turning(), 2.0, "first").values[:, 1]
    assert float(scaled[-1] - scaled[0]) == pytest.approx(1.6, abs=1e-5)


@pytest.mark.parametrize("method", SMOOTHING)
def test_smoothing_takes_the_noise_and_leaves_the_motion(method) -> None:
    track, clean = noisy()
    smooth = editing.smoothed(track, 0.3 if method == "savitzky-golay" else 0.12, method)
    before = (track.values - clean).square().mean().sqrt()
    after = (smooth.values - clean).square().mean().sqrt()
    assert after < 0.6 * before
    jitter = [t.values.diff(dim=0).diff(dim=0).abs().mean() for t in (track, smooth)]
    assert jitter[1] < 0.4 * jitter[0]


@pytest.mark.parametrize("method", SMOOTHING)
def test_smoothing_does_not_lag(method) -> None:
    """Of a step, as much lies before its middle as after it."""
    values = torch.zeros(101, 2)
    values[51:] = 1.0
    values[50] = 0.5
    smooth = editing.smoothed(Gaze(values, "stylised"), 0.2, method).values[:, 0]
    assert torch.allclose(smooth + smooth.flip(0), torch.ones(101), atol=1e-3)


def test_smoothing_a_wrapped_angle_never_swings_through_zero() -> None:
    assert float(editing.smoothed(turning(), 0.1).values[:, 1].abs().min()) > 2.5


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0, 3.0])
def test_retiming_changes_the_length_and_keeps_the_rate_and_the_path(speed) -> None:
    track = ramp(60)
    played = editing.retimed(track, speed)
    assert len(played) == round(60 / speed) and played.fps == 25
    wanted = (0.01 * speed * torch.arange(len(played))).clamp(max=0.59)
    assert torch.allclose(played.values[:, 0], wanted, atol=1e-5)


def test_a_loop_ends_where_it_begins() -> None:
    track, _ = noisy(100, 0.01)
    loop = editing.looped(track, 0.8)
    assert len(loop) == 80
    seam = (loop.values[0] - loop.values[-1]).abs().max()
    assert seam < 3 * track.values.diff(dim=0).abs().max()
    assert torch.equal(loop.values[20:], track.values[20:80]), "what is not blended is as it was"
    with pytest.raises(BadInput, match="needs a track of twice that"):
        editing.looped(track, 3.0)


def test_a_loop_does_not_unwind_whole_turns() -> None:
    values = torch.zeros(100, 6)
    values[:, 1] = torch.arange(100) * 4 * torch.pi / 90
    loop = editing.looped(Pose(values, "bfm09"), 0.4).values[:, 1]
    assert loop.diff().abs().max() < 1.01 * 4 * torch.pi / 90


def test_easing_begins_and_ends_at_rest() -> None:
    track = ramp()
    rest = torch.tensor([0.7, -0.2])
    eased = editing.eased(track, rest, begin=0.4, end=0.4)
    assert torch.allclose(eased.values[0], rest) and torch.allclose(eased.values[-1], rest)
    assert torch.allclose(eased.values[15:35], track.values[15:35])
    with pytest.raises(BadInput, match="does not fit"):
        editing.eased(track, rest, begin=3.0)


def test_a_freeze_holds_its_first_frame_and_what_follows_goes_on() -> None:
    track = ramp()
    frozen = editing.frozen(track, 0.4, 1.0)
    assert torch.equal(frozen.values[10:25], track.values[10:11].expand(15, -1))
    assert torch.equal(frozen.values[25:], track.values[25:])
    with pytest.raises(BadInput, match="makes no sense"):
        editing.frozen(track, 1.0, 0.5)


def test_relative_motion_starts_from_the_portraits_own() -> None:
    track, own = ramp(), torch.tensor([0.1, -0.5])
    moved = editing.relative(track, own)
    assert torch.allclose(moved.values[0], own)
    assert torch.allclose(moved.values.diff(dim=0), track.values.diff(dim=0), atol=1e-6)


def test_a_gaze_path_is_in_degrees_and_may_start_from_the_portraits_own() -> None:
    own = Gaze(torch.tensor([[0.1, 0.2]]), "stylised")
    path = Keyframes.parse("0 0 0 linear\n1 90 0", 2)
    ahead = editing.gaze_path(path, 26, own=own)
    assert float(ahead.values[25, 0]) == pytest.approx(torch.pi / 2) and ahead.space == "stylised"
    added = editing.gaze_path(path, 26, own=own, relative=True)
    assert torch.allclose(added.values - ahead.values, own.values.expand(26, -1), atol=1e-6)


def test_blending_takes_the_nearer_way_round() -> None:
    near = torch.zeros(1, 6)
    near[0, 1] = 3.0
    far = near.clone()
    far[0, 1] = -3.0
    middle = editing.blended(Pose(near, "bfm09"), Pose(far, "bfm09"), 0.5).values[0, 1]
    assert float(middle) == pytest.approx(torch.pi, abs=1e-3)


def test_invalid_frames_of_a_source_count_where_it_is_used_alone() -> None:
    base = Expression(torch.zeros(4, 64), "bfm09")
    unseen = torch.tensor([True, False, False, True])
    source = Expression(torch.ones(4, 64), "bfm09", 25, unseen)
    mixed = editing.blended(base, source, torch.tensor([1.0, 1.0, 0.0, 0.0]))
    assert mixed.valid.tolist() == [True, False, True, True]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: editing.scaled(t, 2.0, "middle"), "no centre"),
        (lambda t: editing.smoothed(t, -1.0), "can't be negative"),
        (lambda t: editing.smoothed(t, 1.0, "magic"), "no way to smooth"),
        (lambda t: editing.retimed(t, 100.0), "from 0.1 to 10"),
        (lambda t: editing.offset(t, torch.zeros(3)), "2 values"),
        (lambda t: editing.blended(t, t[:10], 0.5), "fit them first"),
    ],
)
def test_bad_edits_get_one_sentence(change, said) -> None:
    with pytest.raises(BadInput, match=said):
        change(ramp())


def test_no_edit_changes_its_input() -> None:
    track, _ = noisy(60)
    before = track.values.clone()
    for method in SMOOTHING:
        editing.smoothed(track, 0.1, method)
    editing.scaled(track, 2.0)
    editing.looped(track, 0.4)
    editing.eased(track, torch.ones(6), begin=0.5, end=0.5)
    editing.frozen(track, 0.1, 0.9)
    editing.relative(track, torch.ones(6))
    assert torch.equal(track.values, before)


def a_motion(frames: int = 100) -> Motion:
    walk = torch.randn(frames, 72, generator=torch.Generator().manual_seed(5)).cumsum(0) * 0.01
    return Motion.from_descriptors(walk, "stylised")


def test_no_edits_leave_every_value_as_it_is() -> None:
    motion = a_motion()
    same = editing.edited(motion, editing.Edits())
    assert torch.equal(same.descriptors(), motion.descriptors())


def test_edits_of_one_part_leave_the_others() -> None:
    motion = a_motion()
    made = editing.edited(motion, editing.Edits(scale=2.0, smoothing=0.2, parts=("pose",)))
    assert torch.equal(made.expression.values, motion.expression.values)
    wanted = editing.scaled(editing.smoothed(motion.pose, 0.2), 2.0)
    assert torch.equal(made.pose.values, wanted.values)


def test_edits_of_time_keep_the_parts_together() -> None:
    made = editing.edited(a_motion(), editing.Edits(speed=2.0, loop=0.4, freeze=(0.5, 1.0)))
    assert len(made) == len(made.gaze) == 40


def test_turns_are_in_degrees_and_each_for_its_own_part() -> None:
    motion = a_motion()
    made = editing.edited(motion, editing.Edits(head_turn=(10, 0, -5), gaze_turn=(0, 90)))
    difference = made.descriptors() - motion.descriptors()
    wanted = torch.zeros(72)
    wanted[64], wanted[66], wanted[71] = torch.deg2rad(torch.tensor([10.0, -5.0, 90.0]))
    assert torch.allclose(difference, wanted.expand_as(difference), atol=1e-5)


def test_the_head_turns_the_way_the_words_say() -> None:
    """A positive nod lowers the nose, a positive turn takes it to the right, a tilt is counter-clockwise."""
    from gohd_core.face.geometry.camera import transform

    angles = torch.deg2rad(torch.tensor(20.0))
    nose, ear = torch.tensor([[0.0, 0.0, 1.0]]), torch.tensor([[1.0, 0.0, 0.0]])
    moved = [transform(nose if k < 2 else ear, torch.eye(6)[k] * angles)[0] for k in range(3)]
    assert moved[0][1] < 0 and moved[1][0] > 0 and moved[2][1] > 0
