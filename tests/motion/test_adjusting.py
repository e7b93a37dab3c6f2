"""Sliders on a face: each moves its own part and little else; mirrors, paths and limits."""

from __future__ import annotations

import re
from functools import lru_cache

import pytest
import torch

from gohd_core.choices import MOODS
from gohd_core.constants import STYLISED
from gohd_core.errors import BadInput
from gohd_core.face.geometry.morphable import MorphableModel
from gohd_core.landmarks68 import BROWS, INNER_LIPS, JAW, LIDS, MIRRORED, MOUTH, NOSE_TIP, OUTER_LIPS
from gohd_core.motion import Motion
from gohd_core.motion.adjusting import CONTROLS, NAMES, adjusted, checked, mirrored, parse_path
from gohd_core.motion.keyframes import Keyframes


def still(frames: int = 1) -> Motion:
    return Motion.from_descriptors(torch.zeros(frames, 72), STYLISED)


@lru_cache(maxsize=1)
def model() -> MorphableModel:
    return MorphableModel.stylised_landmarks()


def landmarks(motion: Motion) -> torch.Tensor:
    """Of the morphable head, [68,2] in pixels of a picture of 224, y down."""
    return model().landmarks_2d(expression=motion.expression.values, pose=motion.pose.values)[0]


def moved(**values: float) -> torch.Tensor:
    """How landmarks move, [68,2] pixels."""
    return landmarks(adjusted(still(), values)) - landmarks(still())


def spot(*groups) -> list[int]:
    return [k for group in groups for k in (range(68)[group] if isinstance(group, slice) else group)]


LEFT_BROW, RIGHT_BROW = range(22, 27), range(17, 22)
WHERE = {
    "jaw": spot(JAW, MOUTH),
    "smile_left": spot(MOUTH, JAW),
    "smile_right": spot(MOUTH, JAW),
    "pucker": spot(MOUTH, JAW),
    "spread": spot(MOUTH),
    "press": spot(MOUTH),
    "upper_lip": spot(MOUTH),
    "lower_lip": spot(MOUTH),
    "blink_left": spot(range(42, 48)),
    "blink_right": spot(range(36, 42)),
    "brow_left": list(LEFT_BROW),
    "brow_right": list(RIGHT_BROW),
    "brow_inner": spot(BROWS),
    "frown": spot(BROWS),
    "cheek_raise": spot(range(36, 48)),
    "cheek_puff": spot(JAW, MOUTH),
    "nose_wrinkle": spot(range(27, 36), MOUTH),
    "mouth_left": spot(MOUTH, JAW, range(28, 36)),
    "jaw_left": spot(JAW, MOUTH),
}


@pytest.mark.parametrize("name", [name for name, control in CONTROLS.items() if control.movement])
def test_each_slider_moves_what_it_says_and_little_else(name) -> None:
    way = moved(**{name: 1.0}).norm(dim=-1)
    there = way[WHERE[name]].max()
    elsewhere = way[[k for k in range(68) if k not in WHERE[name]]].max()
    assert there > 0.5, "in a picture of 224 pixels"
    assert elsewhere < 0.3 * there


@pytest.mark.parametrize(
    ("name", "points", "axis", "sign"),
    [
        ("jaw", range(7, 10), 1, 1),
        ("smile_left", [54], 1, -1),
        ("smile_right", [48], 1, -1),
        ("upper_lip", [51, 62], 1, -1),
        ("lower_lip", [57, 66], 1, 1),
        ("spread", [54], 0, 1),
        ("pucker", [54], 0, -1),
        ("blink_left", LIDS[1][:2], 1, 1),
        ("blink_right", LIDS[0][:2], 1, 1),
        ("brow_left", [24, 25], 1, -1),
        ("brow_right", [18, 19], 1, -1),
        ("brow_inner", [21, 22], 1, -1),
        ("frown", [21, 22], 1, 1),
        ("nose_wrinkle", [31, 35], 1, -1),
        ("mouth_left", [51, 57], 0, 1),
        ("jaw_left", [8], 0, 1),
        ("shift_right", range(68), 0, 1),
        ("shift_up", range(68), 1, -1),
        ("turn", [NOSE_TIP], 0, 1),
        ("nod", [NOSE_TIP], 1, 1),
    ],
)
def test_the_way_is_the_one_that_is_written_and_less_than_nothing_goes_back(name, points, axis, sign) -> None:
    control = CONTROLS[name]
    value = min(1.0, -control.low) if control.movement else 5.0
    assert (sign * moved(**{name: value})[list(points), axis]).min() > 0.1
    assert (sign * moved(**{name: -value})[list(points), axis]).max() <= 0


def test_shift_is_in_percent_of_the_picture_and_distance_makes_the_face_smaller() -> None:
    assert moved(shift_right=10.0)[[0, 16], 0] == pytest.approx(22.4, rel=0.03), "beside the head's axis"
    assert moved(shift_right=10.0, distance=20.0).mean(0)[0] > 20

    def width(motion):
        points = landmarks(motion)
        return float(points[16, 0] - points[0, 0])

    far, near = (width(adjusted(still(), {"distance": d})) for d in (20.0, -20.0))
    assert width(still()) / far == pytest.approx(1.2, abs=0.02)
    assert near / width(still()) == pytest.approx(1.25, abs=0.03)


def test_gaze_is_in_degrees_up_and_to_the_pictures_left() -> None:
    made = adjusted(still(), {"look_up": 10.0, "look_left": -20.0})
    assert torch.rad2deg(made.gaze.values) == pytest.approx(torch.tensor([[10.0, -20.0]]), abs=1e-4)
    assert torch.equal(made.pose.values, still().pose.values)


def test_nothing_set_changes_no_bit() -> None:
    motion = Motion.from_descriptors(torch.randn(5, 72, generator=torch.Generator().manual_seed(1)), STYLISED)
    for values in ({}, dict.fromkeys(NAMES, 0.0)):
        assert torch.equal(adjusted(motion, values).descriptors(), motion.descriptors())


@pytest.mark.parametrize("name", list(CONTROLS))
def test_a_mirror_is_an_involution_and_shows_the_mirrored_face(name) -> None:
    values = {name: 0.7 * CONTROLS[name].high}
    assert mirrored(mirrored(values)) == values
    one, other = moved(**values), moved(**mirrored(values))
    flipped = other[list(MIRRORED)] * torch.tensor([-1.0, 1.0])
    assert (one - flipped).abs().max() < 0.12 * max(1.0, float(one.abs().max())) + 0.05


def test_a_motion_beyond_the_limits_is_kept_and_goes_no_further() -> None:
    from gohd_core.stylised.head.expressions import INDEX

    column = INDEX["blink_left"]
    rows = torch.zeros(3, 72)
    rows[:, column] = torch.tensor([0.0, 0.6, 1.2])
    made = adjusted(Motion.from_descriptors(rows, STYLISED), {"blink_left": 0.5})
    assert made.expression.values[:, column] == pytest.approx(torch.tensor([0.5, 1.0, 1.2]))
    shut = adjusted(Motion.from_descriptors(rows, STYLISED), {"jaw": -1.0})
    assert shut.expression.values[:, INDEX["jaw_open"]].abs().max() == 0


def test_moods_are_those_of_set_mood() -> None:
    from gohd_core.motion.mood import with_mood

    for mood in MOODS[1:]:
        made, wanted = adjusted(still(2), {mood: 0.8}), with_mood(still(2), {mood: 0.8})
        assert torch.equal(made.descriptors(), wanted.descriptors())


def test_a_wink_comes_and_goes_smoothly_on_top_of_any_motion() -> None:
    from gohd_core.stylised.head.expressions import INDEX

    path = parse_path("2.2\n2.4 blink_left=1 smile_left=0.5  # a wink\n2.7")
    assert list(path) == ["blink_left", "smile_left"]
    base = Motion.from_descriptors(
        0.1 * torch.randn(100, 72, generator=torch.Generator().manual_seed(2)), STYLISED
    )
    made = adjusted(base, path)
    lid = (made.expression.values - base.expression.values)[:, INDEX["blink_left"]]
    assert lid[60] == pytest.approx(
        1 - max(0.0, float(base.expression.values[60, INDEX["blink_left"]])), abs=1e-5
    )
    assert not lid[:55].any() and not lid[68:].any(), "nothing before and after"
    steps = lid[55:69].diff()
    assert (steps[:5] >= 0).all() and (steps[6:] <= 0).all()
    assert steps.abs().max() < 0.45 and steps[0] < 0.25, "it begins gently"
    assert torch.equal(made.gaze.values, base.gaze.values)


def test_a_key_is_a_whole_face_and_moods_may_be_keyed() -> None:
    path = parse_path("0 smile_left=1 linear\n1 happy=1 hold\n2 jaw=0.5")
    times = torch.tensor([0.0, 0.5, 1.0, 1.9, 2.0, 9.0])
    assert path["smile_left"].at(times)[:, 0].tolist() == [1, 0.5, 0, 0, 0, 0]
    assert path["happy"].at(times)[:, 0].tolist() == [0, 0.5, 1, 1, 0, 0]
    assert path["jaw"].at(times)[:, 0].tolist() == [0, 0, 0, 0, 0.5, 0.5]
    assert isinstance(path["jaw"], Keyframes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no key"),
        ("0 smile", "Line 1"),
        ("0 smile_left=much", "Line 1"),
        ("0 laugh=1", "no slider 'laugh'"),
        ("0 jaw=9", "jaw goes from -1 to 1.3"),
        ("0 jaw=nan", "finite"),
        ("0 jaw=1 jaw=1", "each name once"),
        ("-1 jaw=1", "from 0 on"),
        ("1 jaw=1\n0", "rise"),
    ],
)
def test_bad_lines_are_named(text, said) -> None:
    with pytest.raises(BadInput, match=re.escape(said)):
        parse_path(text)


@pytest.mark.parametrize("value", [True, "1", None, float("inf"), [1], 2e9])
def test_only_numbers_within_the_slider_are_taken(value) -> None:
    with pytest.raises(BadInput):
        checked({"jaw": value})
    assert checked({"jaw": 1, "happy": 2.0}) == {"jaw": 1.0, "happy": 2.0}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_slider_that_is_no_number_is_named(value) -> None:
    with pytest.raises(BadInput, match="jaw is .*finite number"):
        adjusted(Motion.from_descriptors(torch.zeros(1, 72), STYLISED), {"turn": 1.0, "jaw": value})


def test_another_space_is_refused() -> None:
    with pytest.raises(BadInput, match="bfm09"):
        adjusted(Motion.from_descriptors(torch.zeros(1, 72), "bfm09"), {"jaw": 0.5})


def test_parts_of_the_mouth_are_those_of_the_68() -> None:
    assert set(spot(OUTER_LIPS, INNER_LIPS)) == set(spot(MOUTH))
