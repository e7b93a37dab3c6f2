"""Motion goes out as ARKit's blendshapes and comes back."""

from __future__ import annotations

import csv
import json
from fractions import Fraction

import pytest
import torch

from gohd_core.driving.arkit import BLENDSHAPES, blendshapes, load_blendshapes, save_blendshapes
from gohd_core.driving.blendshapes import SHAPES
from gohd_core.errors import BadInput
from gohd_core.motion import Expression, Gaze, Motion, Pose
from gohd_core.stylised.expressions import INDEX


def motion(frames: int = 30, fps=25, space: str = "stylised") -> Motion:
    generator = torch.Generator().manual_seed(4)
    expression = torch.zeros(frames, 64)
    for name in SHAPES:
        expression[:, INDEX[name]] = torch.rand(frames, generator=generator)
    expression[::3, INDEX["smile_left"]] -= 1
    pose = (torch.rand(frames, 6, generator=generator) - 0.5) * 0.5
    gaze = (torch.rand(frames, 2, generator=generator) - 0.5) * 0.4
    return Motion(Pose(pose, space, fps), Expression(expression, space, fps), Gaze(gaze, space, fps))


@pytest.mark.parametrize("ending", ["csv", "json"])
@pytest.mark.parametrize("fps", [25, Fraction(30000, 1001), 60])
def test_what_goes_out_comes_back(tmp_path, ending, fps) -> None:
    made = motion(fps=fps)
    read = load_blendshapes(save_blendshapes(tmp_path / f"face.{ending}", made), fps=fps)
    assert len(read) == len(made) and read.fps == fps
    assert read.expression.values == pytest.approx(made.expression.values, abs=2e-6)
    assert read.pose.values[:, :3] == pytest.approx(made.pose.values[:, :3], abs=2e-6)
    assert read.gaze.values == pytest.approx(made.gaze.values, abs=2e-5)
    if ending == "json":
        assert read.pose.values[:, 3:] == pytest.approx(made.pose.values[:, 3:], abs=2e-6)


def test_the_csv_is_that_of_live_link_face(tmp_path) -> None:
    path = save_blendshapes(tmp_path / "face.csv", motion(26), fps=60)
    lines = list(csv.reader(path.read_text().splitlines()))
    assert lines[0][:4] == ["Timecode", "BlendshapeCount", "EyeBlinkLeft", "EyeLookDownLeft"]
    assert lines[0][54:58] == ["HeadYaw", "HeadPitch", "HeadRoll", "LeftEyeYaw"] and len(lines[0]) == 63
    assert len(lines) - 1 == round(26 / 25 * 60) and lines[61][0] == "00:00:01:00.000"
    assert lines[1][1] == "61"


def test_there_are_52_shapes_and_all_lie_between_0_and_1() -> None:
    assert len(set(BLENDSHAPES)) == 52
    made = blendshapes(motion())
    for name in BLENDSHAPES:
        assert made[name].min() >= 0 and made[name].max() <= 1, name


def test_signs_are_those_of_the_face() -> None:
    still = motion(1)
    gaze = torch.tensor([[0.0, 0.2]])  # to the picture's left, the subject's right
    ahead = Motion(Pose(torch.zeros(1, 6), "stylised"), still.expression, Gaze(gaze, "stylised"))
    made = blendshapes(ahead)
    assert made["eyeLookOutRight"] > 0.3 and made["eyeLookInLeft"] > 0.3
    assert made["eyeLookInRight"] == made["eyeLookOutLeft"] == 0
    turned = Motion(Pose(torch.tensor([[0.1, 0.2, 0.3, 0, 0, 0]]), "stylised"), still.expression, ahead.gaze)
    made = blendshapes(turned)
    assert (made["HeadPitch"], made["HeadYaw"], made["HeadRoll"]) == pytest.approx((0.1, 0.2, 0.3))


def test_what_cannot_be_is_a_sentence(tmp_path) -> None:
    with pytest.raises(BadInput, match="built-in weights"):
        blendshapes(motion(space="bfm09"))
    with pytest.raises(BadInput, match=r"\.csv or \.json"):
        save_blendshapes(tmp_path / "face.txt", motion())
    for name, text in (("a.csv", "hello"), ("b.json", "{}"), ("c.csv", "Timecode,JawOpen\n0,much\n")):
        (tmp_path / name).write_text(text)
        with pytest.raises(BadInput):
            load_blendshapes(tmp_path / name)
    assert json.loads((tmp_path / "b.json").read_text()) == {}
