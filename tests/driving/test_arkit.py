"""Motion goes out as ARKit's blendshapes and comes back."""

from __future__ import annotations

import csv
import json
from fractions import Fraction

import pytest
import torch

from gohd_core.cli import main
from gohd_core.driving.arkit import BLENDSHAPES, blendshapes
from gohd_core.driving.blendshapes import SHAPES
from gohd_core.driving.face_files import ending_of, load_blendshapes, save_blendshapes
from gohd_core.errors import BadInput
from gohd_core.motion import Expression, Gaze, Motion, Pose
from gohd_core.motion.file import load_motion, save_motion
from gohd_core.stylised.head.expressions import INDEX


def motion(frames: int = 30, fps=25, space: str = "stylised") -> Motion:
    generator = torch.Generator().manual_seed(4)
    expression = torch.zeros(frames, 64)
    for name in SHAPES:
        expression[:, INDEX[name]] = torch.rand(frames, generator=generator)
    expression[::3, INDEX["smile_left"]] -= 1
    pose = (torch.rand(frames, 6, generator=generator) - 0.5) * 0.5
    gaze = (torch.rand(frames, 2, generator=generator) - 0.5) * 0.4
    return Motion(Pose(pose, space, fps), Expression(expression, space, fps), Gaze(gaze, space, fps))


@pytest.mark.parametrize("form", ["csv", "json", "blender"])
@pytest.mark.parametrize("fps", [25, Fraction(30000, 1001), 60])
def test_export_and_import_are_inverse(tmp_path, form, fps) -> None:
    made = motion(fps=fps)
    read = load_blendshapes(save_blendshapes(tmp_path / f"face{ending_of(form)}", made, form=form), fps=fps)
    assert len(read) == len(made) and read.fps == fps
    assert read.expression.values == pytest.approx(made.expression.values, abs=2e-6)
    assert read.pose.values[:, :3] == pytest.approx(made.pose.values[:, :3], abs=4e-6)
    assert read.gaze.values == pytest.approx(made.gaze.values, abs=2e-5)
    if form != "csv":
        assert read.pose.values[:, 3:] == pytest.approx(made.pose.values[:, 3:], abs=2e-6)


def test_mouth_and_jaw_go_aside_and_come_back(tmp_path) -> None:
    made = motion(4)
    for name, ways in (("mouth_shift", [0.6, -0.4, 0, 0]), ("jaw_shift", [0, 0, 0.3, -1])):
        made.expression.values[:, INDEX[name]] = torch.tensor(ways)
    shapes = blendshapes(made)
    assert shapes["mouthLeft"].tolist() == pytest.approx([0.6, 0, 0, 0])
    assert shapes["mouthRight"].tolist() == pytest.approx([0, 0.4, 0, 0])
    assert shapes["jawLeft"].tolist() == pytest.approx([0, 0, 0.3, 0])
    assert shapes["jawRight"].tolist() == pytest.approx([0, 0, 0, 1])
    read = load_blendshapes(save_blendshapes(tmp_path / "face.csv", made, form="csv"))
    assert read.expression.values == pytest.approx(made.expression.values, abs=2e-6)


def test_an_avatar_has_the_mouth_shapes_that_lips_make(tmp_path) -> None:
    made = motion(4)
    made.expression.values[:] = 0
    for frame, (jaw, round_, wide) in enumerate([(0.8, 0, 0), (0, 0.9, 0), (0, 0, 0.7), (0.5, 0.5, 0)]):
        for name, value in (("jaw_open", jaw), ("lip_pucker", round_), ("lip_spread", wide)):
            made.expression.values[frame, INDEX[name]] = value
    content = json.loads(save_blendshapes(tmp_path / "a.json", made, form="vrm").read_text())
    shapes = content["expressions"]
    assert shapes["aa"] == pytest.approx([0.8, 0, 0, 0.25])
    assert shapes["ou"] == pytest.approx([0, 0.9, 0, 0.25])
    assert shapes["ih"] == pytest.approx([0, 0, 0.7, 0])
    assert shapes["oh"] == pytest.approx([0, 0, 0, 0.25])
    assert content["fps"] == "25" and len(content["head"]["rotation"]) == 4


def test_named_movements_survive_an_avatar(tmp_path) -> None:
    made = motion(fps=30)
    values = made.expression.values
    for pair in (
        ("smile_left", "smile_right"),
        ("brow_outer_up_left", "brow_outer_up_right", "brow_inner_up"),
    ):
        columns = [INDEX[name] for name in pair]
        values[:, columns] = values[:, columns].mean(1, keepdim=True)
    kept = [INDEX[name] for name in SHAPES if name not in ("lip_press", "upper_lip_raise", "lower_lip_drop")]
    read = load_blendshapes(save_blendshapes(tmp_path / "a.json", made, form="vrm"))
    assert read.fps == 30
    assert read.expression.values[:, kept] == pytest.approx(values[:, kept], abs=5e-5)
    assert read.pose.values == pytest.approx(made.pose.values, abs=4e-6)
    assert read.gaze.values == pytest.approx(made.gaze.values, abs=2e-5)


def test_blender_s_head_turns_about_blender_s_axes(tmp_path) -> None:
    still = motion(3)
    pose = torch.zeros(3, 6)
    pose[0, 0], pose[1, 1], pose[2, 2] = 0.2, 0.3, 0.4  # down, to the face's left, counter-clockwise
    turned = Motion(Pose(pose, "stylised"), still.expression, still.gaze)
    content = json.loads(save_blendshapes(tmp_path / "a.json", turned, form="blender").read_text())
    assert content["rotation_euler"][0] == pytest.approx([0.2, 0, 0])
    assert content["rotation_euler"][1] == pytest.approx([0, 0, 0.3])
    assert content["rotation_euler"][2] == pytest.approx([0, -0.4, 0])


def test_the_command_writes_and_reads(tmp_path, capsys) -> None:
    save_motion(tmp_path / "m.safetensors", motion())
    for form, name in (("csv", "a.csv"), ("vrm", "b.json"), ("blender", "c.json")):
        out = tmp_path / name
        assert main(["blendshapes", f"{tmp_path / 'm.safetensors'}", "-o", f"{out}", "--form", form]) == 0
        assert main(["blendshapes", f"{out}", "-o", f"{tmp_path / form}.safetensors"]) == 0
        assert len(load_motion(tmp_path / f"{form}.safetensors")) == 30
    assert main(["blendshapes", f"{tmp_path / 'm.safetensors'}", "-o", f"{tmp_path / 'a.txt'}"]) == 1
    assert "no form" in capsys.readouterr().err


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


def test_bad_input_is_one_sentence(tmp_path) -> None:
    with pytest.raises(BadInput, match="built-in weights"):
        blendshapes(motion(space="bfm09"))
    with pytest.raises(BadInput, match=r"\.csv or \.json"):
        save_blendshapes(tmp_path / "face.txt", motion())
    for name, text in (("a.csv", "hello"), ("b.json", "{}"), ("c.csv", "Timecode,JawOpen\n0,much\n")):
        (tmp_path / name).write_text(text)
        with pytest.raises(BadInput):
            load_blendshapes(tmp_path / name)
    assert json.loads((tmp_path / "b.json").read_text()) == {}
