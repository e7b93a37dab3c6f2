"""Expression Editor and Expression Path in the real front end: what a hand does, the picture shows."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
import torch

from gohd_core.motion.adjusting import CONTROLS, NAMES, checked, mirrored, parse_path
from tests.support import browser

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WORKFLOW = ROOT / "workflows" / "api" / "expression_editor.json"


@pytest.fixture
def browse(comfy):
    """Runs one of the commands of faces.mjs; what it printed."""
    return partial(browser.browse, comfy, "faces.mjs")


def used(values: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value}


def test_every_preset_that_ships_is_a_face() -> None:
    presets = json.loads((ROOT / "web" / "js" / "face_presets.json").read_text())
    assert len(presets) >= 12 and all(used(checked(values)) for values in presets.values())


def test_the_face_is_drawn_as_sliders_move_without_a_run(browse, tmp_path) -> None:
    said = browse("editor", WORKFLOW, tmp_path / "editor.png")
    begin = used(json.loads(WORKFLOW.read_text())["4"]["inputs"])
    begin = {name: value for name, value in begin.items() if name in CONTROLS}
    assert used(said["begin"]["values"]) == begin
    assert used(said["jaw"]["values"]) == {**begin, "jaw": 0.7}
    assert used(said["mirrored"]["values"]) == mirrored({**begin, "jaw": 0.7})
    wink = json.loads((ROOT / "web" / "js" / "face_presets.json").read_text())["wink"]
    assert used(said["wink"]["values"]) == wink
    assert said["reset"]["values"] == dict.fromkeys(CONTROLS, 0)
    assert said["own"] == ["own/my wink"] and used(said["again"]["values"]) == wink, "a preset is a file"
    last = ("mouth_left", "jaw_left")  # came later: after the widgets that saved workflows hold by place
    first = [wink.get(name, 0) for name in CONTROLS if name not in last]
    saved = said["saved"]["values"]
    assert saved[: len(first)] == first and saved[-len(last) :] == [wink.get(name, 0) for name in last]
    assert len(said["saved"]["values"]) == len(CONTROLS) + 4, "the pad takes no place of its own"
    assert {name: said["saved"]["prompt"][name] for name in wink} == wink
    assert (tmp_path / "editor.png").stat().st_size > 10_000


def test_keys_are_set_by_sliders_and_presets_on_the_time_line(browse, tmp_path) -> None:
    said = browse("path", WORKFLOW, tmp_path / "path.png")
    assert used(said["wink"]["values"]) == {"smile_left": 0.7, "blink_left": 1}
    assert said["wink"]["time"] == pytest.approx(2.4, abs=0.02)
    made = parse_path(said["made"])
    assert made["jaw"].times[2] == pytest.approx(1.2, abs=0.05)
    assert made["jaw"].values[:, 0].tolist() == [0, 0, 0.5, 0, 0, 0]
    assert parse_path(said["eased"])["jaw"].eases[2] == "linear"
    assert parse_path(said["kissed"])["pucker"].values[2] == 1
    begin, end = parse_path(said["text"]), parse_path(said["removed"])
    assert list(begin) == list(end)
    assert all(torch.equal(begin[name].values, end[name].values) for name in begin)
    assert said["saved"]["values"] == [said["removed"]], "the pad takes no place of its own"


def test_the_pad_reads_and_mirrors_keys_as_the_node_does(browse) -> None:
    text = (
        "# a note\n0\n0.5 smile_left=0.5, turn=-10 linear # first\n1.2 happy=1 hold\n2.0 brow_right=.4\n# end"
    )
    times = [0.0, 0.1, 0.5, 0.7, 1.2, 1.9, 2.0, 3.0]
    said = browse("follow", text, *times)
    path = parse_path(text)
    for k, time in enumerate(times):
        wanted = {name: float(path[name].at(torch.tensor([time]))[0, 0]) for name in path}
        assert {name: said["values"][k].get(name, 0) for name in path} == pytest.approx(wanted, abs=1e-4)
    again = parse_path(said["text"])
    assert all(torch.equal(again[name].values, path[name].values) for name in path)
    assert all(note in said["text"] for note in ("# a note", "# first", "# end"))
    faces = [{}, {"smile_left": 0.5, "turn": -10}, {"happy": 1}, {"brow_right": 0.4}]
    assert said["mirrored"] == [mirrored(face) for face in faces]
    assert set(path) <= set(NAMES)
