"""Moods move brows, lids, corners and head, and leave speech alone."""

from __future__ import annotations

import pytest
import torch

from gohd_core.choices import MOODS
from gohd_core.errors import BadInput
from gohd_core.motion import Expression, Gaze, Motion, Pose
from gohd_core.motion.keyframes import Keyframes
from gohd_core.motion.mood import PROTOTYPES, UNITS, mood_offset, with_mood
from gohd_core.stylised.head.expressions import INDEX

SPEECH = ("jaw_open", "lip_pucker", "lip_press", "upper_lip_raise", "lower_lip_drop")


def speech(frames: int = 50, space: str = "stylised") -> Motion:
    generator = torch.Generator().manual_seed(1)
    values = torch.zeros(frames, 64)
    for name in SPEECH:
        values[:, INDEX[name]] = torch.rand(frames, generator=generator)
    values[20:23, INDEX["blink_left"]] = values[20:23, INDEX["blink_right"]] = 1.0
    return Motion(
        Pose(torch.zeros(frames, 6), space), Expression(values, space), Gaze(torch.zeros(frames, 2), space)
    )


@pytest.mark.parametrize("name", MOODS)
def test_lips_stay_in_sync_and_blinks_shut(name) -> None:
    before = speech()
    after = with_mood(before, {name: 1.0})
    for movement in SPEECH:
        assert torch.equal(
            after.expression.values[:, INDEX[movement]], before.expression.values[:, INDEX[movement]]
        )
    assert torch.equal(after.expression.values[20:23, INDEX["blink_left"]], torch.ones(3))
    assert torch.equal(after.gaze.values, before.gaze.values)
    moved = (after.expression.values - before.expression.values).abs().max()
    assert moved == 0 if name == "neutral" else moved > 0.3


def test_moods_are_made_of_the_units_that_the_literature_names() -> None:
    assert set(PROTOTYPES) == set(MOODS)
    assert all(set(units) <= set(UNITS) for units in PROTOTYPES.values())
    happy, sad, surprised = map(mood_offset, ("happy", "sad", "surprised"))
    assert happy[INDEX["smile_left"]] > 0.5 and sad[INDEX["smile_left"]] < -0.2
    assert sad[INDEX["brow_inner_up"]] > 0.5 and surprised[INDEX["blink_left"]] < 0
    assert mood_offset("angry")[INDEX["frown"]] > 0.5
    assert mood_offset("disgusted")[INDEX["nose_wrinkle"]] > 0.5


def test_corners_give_way_to_rounded_lips() -> None:
    motion = speech(2)
    motion.expression.values[0, INDEX["lip_pucker"]] = 1.0
    motion.expression.values[1, INDEX["lip_pucker"]] = 0.0
    smile = with_mood(motion, {"happy": 1.0}).expression.values[:, INDEX["smile_left"]]
    assert smile[0] == 0 and smile[1] == pytest.approx(1.0)


def test_a_mood_comes_and_goes_with_its_keys() -> None:
    keys = Keyframes.parse("0 0 linear\n1 1 linear\n2 0", 1)
    made = with_mood(speech(51), {"sad": keys})
    brows = made.expression.values[:, INDEX["brow_inner_up"]]
    assert brows[0] == 0 and brows[25] == pytest.approx(0.9) and brows[50] == pytest.approx(0, abs=1e-6)
    assert made.pose.values[25, 0] == pytest.approx(torch.deg2rad(torch.tensor(5.0)).item(), rel=1e-4)
    still = with_mood(speech(51), {"sad": keys}, head=False)
    assert torch.equal(still.pose.values, torch.zeros(51, 6))


def test_bad_options_are_refused() -> None:
    with pytest.raises(BadInput, match="is no mood"):
        with_mood(speech(), {"hungry": 1.0})
    with pytest.raises(BadInput, match="beyond 2"):
        with_mood(speech(), {"sad": 5.0})
    with pytest.raises(BadInput, match="built-in weights"):
        with_mood(speech(space="bfm09"), {"sad": 1.0})
