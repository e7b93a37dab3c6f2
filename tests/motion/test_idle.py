"""Idle life: of the length that was asked for, mouth shut, closed on itself."""

from __future__ import annotations

import pytest
import torch

from gohd_core.errors import BadInput
from gohd_core.motion import Expression, Gaze, Motion, Pose
from gohd_core.motion.idle import MOUTH, idle_motion
from gohd_core.stylised.head.expressions import INDEX


def own(space: str = "stylised") -> Motion:
    pose = torch.tensor([[0.1, -0.2, 0.05, 0.0, 0.1, 0.3]])
    expression = torch.zeros(1, 64)
    expression[0, INDEX["jaw_open"]] = 0.4
    return Motion(Pose(pose, space), Expression(expression, space), Gaze(torch.tensor([[0.05, 0.1]]), space))


def test_a_minute_blinks_looks_about_and_breathes_with_its_mouth_shut() -> None:
    made = idle_motion(own(), 60.0, seed=3)
    assert len(made) == 1500
    assert torch.equal(made.expression.values[:, [INDEX[name] for name in MOUTH]], torch.zeros(1500, 6))
    shut = made.expression.values[:, INDEX["blink_left"]] > 0.4
    blinks = int((shut[1:] & ~shut[:-1]).sum())
    assert 6 <= blinks <= 40
    assert made.gaze.values.std(0).min() > 0.005, "the eyes move"
    mean = made.pose.values.mean(0)
    assert (mean[:3] - own().pose.values[0, :3]).abs().max() < 0.03, "around how the head is held"
    rise = made.pose.values[:, 4] - made.pose.values[:, 4].mean()
    assert torch.fft.rfft(rise).abs().argmax() == 15, "fifteen breaths"


@pytest.mark.parametrize("seconds", [4.0, 10.04])
def test_the_end_goes_on_into_the_beginning(seconds) -> None:
    made = idle_motion(own(), seconds, seed=1)
    assert len(made) == round(seconds * 25)
    for track in (made.pose, made.expression):
        within = track.values.diff(dim=0).abs().amax(0)
        joint = (track.values[0] - track.values[-1]).abs()
        assert bool((joint <= 1.5 * within + 1e-3).all()), "no jump at the joint"


def test_the_same_seed_moves_the_same_way_and_no_amount_keeps_still() -> None:
    a, b, c = (idle_motion(own(), 5.0, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(a.pose.values, b.pose.values) and not torch.equal(a.pose.values, c.pose.values)
    still = idle_motion(own(), 5.0, amount=0.0)
    assert still.pose.values == pytest.approx(own().pose.values.expand(125, -1), abs=1e-6)


def test_bad_options_are_refused() -> None:
    with pytest.raises(BadInput, match="2 to 3600"):
        idle_motion(own(), 0.5)
    with pytest.raises(BadInput, match="stylised"):
        idle_motion(own("bfm09"), 5.0)
