"""The gaze pads in the real front end: a hand on them turns the plain widgets, and nothing else is saved."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from gohd_core.motion.keyframes import Keyframes
from tests.support import browser


@pytest.fixture
def browse(comfy):
    """Runs one of the commands of pads.mjs; what it printed."""
    return partial(browser.browse, comfy, "pads.mjs")


def keys_of(text: str) -> list[tuple[float, float, float, str]]:
    """Keys (seconds, pitch, yaw, ease) of a text, as the node reads it."""
    read = Keyframes.parse(text, 2)
    values = zip(read.times.tolist(), read.values.tolist(), read.eases, strict=True)
    return [(round(time, 3), *map(float, value), ease) for time, value, ease in values]


def test_dragging_the_pad_turns_pitch_and_yaw(browse, tmp_path) -> None:
    said = browse("pad", tmp_path / "pad.png")
    now = said["now"]
    # Half way to the left edge and a quarter up, of 60 degrees: the eyes look left and up.
    assert now["yaw"] == pytest.approx(30, abs=1.5) and now["pitch"] == pytest.approx(15, abs=1.5)
    assert said["saved"] == [now["pitch"], now["yaw"], False], "the pad takes no place of its own"
    assert said["again"]["pitch"] == now["pitch"] and said["again"]["yaw"] == now["yaw"]
    if said["prompt"] is not None:
        assert said["prompt"]["yaw"] == now["yaw"] and "gaze_pad" not in said["prompt"]
    assert (tmp_path / "pad.png").stat().st_size > 1000


def test_keys_are_set_moved_added_and_removed_on_the_time_line(browse, tmp_path) -> None:
    said = browse("path", tmp_path / "path.png")
    begin, made, moved = (keys_of(said[name]) for name in ("begin", "made", "moved"))
    (new,) = set(made) - set(begin)
    assert new[0] == pytest.approx(1.6, abs=0.05) and new[3] == "smooth", "where it was scrubbed to"
    assert new[1] == pytest.approx(30, abs=1.5) and new[2] == pytest.approx(15, abs=1.5), "up and left"
    assert moved[:-1] == made[:-1] and moved[-1][0] == pytest.approx(3.4, abs=0.05), "the last key, alone"
    assert moved[-1][1:] == made[-1][1:]
    changed = [(a, b) for a, b in zip(moved, keys_of(said["eased"]), strict=True) if a != b]
    assert changed == [(moved[3], (*moved[3][:3], "linear"))], "the key at 2 s goes on straight"
    assert keys_of(said["removed"]) == [*moved[:3], *moved[4:]]
    (added,) = set(keys_of(said["added"])) - set(keys_of(said["removed"]))
    assert added[0] == pytest.approx(2.4, abs=0.05)
    assert said["unreadable"] == "0 0 what", "what can't be read is left to its writer"


def test_the_time_line_saves_nothing_but_the_widgets(browse) -> None:
    said = browse("path")
    assert said["now"]["keys"] == said["added"]
    assert said["saved"] == [said["added"], 0, False], "the pad takes no place of its own"
    assert said["again"]["keys"] == said["added"]
    if said["prompt"] is not None:
        assert said["prompt"]["keys"] == said["added"] and "gaze_path" not in said["prompt"]


def test_the_pad_follows_a_path_as_the_node_does(browse) -> None:
    text = "# a note\n0 0 0  linear # first\n0.5, 10, -20\n1.2 -5.5 30 hold\n2.0 12 0\n# the end"
    times = [0.0, 0.1, 0.5, 0.6, 0.93, 1.2, 1.9, 2.0, 3.0]
    said = browse("follow", text, *times)
    expected = Keyframes.parse(text, 2).at(torch.tensor(times))
    assert torch.tensor(said["values"]).float() == pytest.approx(expected, abs=1e-3)
    assert keys_of(said["text"]) == keys_of(text)
    assert all(note in said["text"] for note in ("# a note", "# first", "# the end"))
