"""Keyed curves: reading, easing, holding, and bad input."""

from __future__ import annotations

import pytest
import torch

from gohd_core.errors import BadInput
from gohd_core.motion.keyframes import Keyframes, parse_schedule

PATH = """
0    0   0           # ahead
1,  10, -20  linear
2   20  0    hold
3    0   0
"""


def test_a_curve_passes_through_its_keys() -> None:
    curve = Keyframes.parse(PATH, 2)
    assert curve.at(torch.tensor([0.0, 1.0, 2.0, 3.0])).tolist() == [[0, 0], [10, -20], [20, 0], [0, 0]]
    assert curve.duration == 3.0


def test_each_way_of_going_on() -> None:
    curve = Keyframes.parse(PATH, 2)
    assert curve.at(torch.tensor([1.5]))[0].tolist() == [15, -10], "linear"
    assert curve.at(torch.tensor([2.99]))[0].tolist() == [20, 0], "hold"
    quarter = curve.at(torch.tensor([0.25]))[0, 0]
    assert float(quarter) == pytest.approx(10 * (3 / 16 - 2 / 64)), "smooth: 3 s^2 - 2 s^3"


def test_outside_its_keys_a_curve_holds() -> None:
    curve = Keyframes.parse("1 5\n2 7", 1)
    assert curve.at(torch.tensor([0.0, 9.0])).flatten().tolist() == [5, 7]


def test_frames_are_sampled_at_their_times() -> None:
    curve = Keyframes.parse("0 0 linear\n2 50", 1)
    assert torch.allclose(curve.frames(51, 25)[:, 0], torch.arange(51.0))


def test_a_constant_curve() -> None:
    assert Keyframes.constant(1.0, 2.0).frames(3, 25).tolist() == [[1, 2]] * 3


def test_a_schedule_has_a_curve_for_each_part() -> None:
    found = parse_schedule("pose 0 0\npose 1 1\nmouth 0 0.5", ("pose", "mouth", "eyes"))
    assert sorted(found) == ["mouth", "pose"]
    assert found["pose"].at(torch.tensor([1.0])).item() == 1.0
    assert parse_schedule("", ("pose",)) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("0 a b", r"Line 1 \('0 a b'\) can't be read"),
        ("0 1", "needs a time from 0 on and 2"),
        ("0 1 2 3", "needs a time"),
        ("-1 1 2", "needs a time from 0"),
        ("0 nan 2", "finite"),
        ("1 0 0\n0 0 0", "must rise"),
        ("smooth", "can't be read"),
    ],
)
def test_bad_lines_are_shown(text, said) -> None:
    with pytest.raises(BadInput, match=said):
        Keyframes.parse(text, 2)


def test_an_unknown_part_is_named() -> None:
    with pytest.raises(BadInput, match="Line 2 begins with 'ears'"):
        parse_schedule("pose 0 1\nears 0 1", ("pose", "mouth"))
