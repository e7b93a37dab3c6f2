"""Several results of one command: where they go, and what becomes of the rest when one fails."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from gohd_core.commands.batch import make_all, result_paths
from gohd_core.errors import BadInput, Interrupted


def test_one_result_goes_where_it_is_said_and_several_into_a_folder(tmp_path) -> None:
    one, two = (Path("a.png"),), (Path("b.mp4"),)
    assert result_paths(tmp_path / "v.mp4", [one], ".mp4", several=False) == [tmp_path / "v.mp4"]
    assert result_paths(tmp_path, [one], ".mp4", several=False) == [tmp_path / "a.mp4"]
    found = result_paths(tmp_path / "new", [one, two], [".png", ".mp4"], several=True)
    assert found == [tmp_path / "new" / "a.png", tmp_path / "new" / "b.mp4"]
    with pytest.raises(BadInput, match=r"need a folder"):
        result_paths(tmp_path / "v.mp4", [one, two], ".mp4", several=True)


def _make(name: str) -> dict | None:
    if name == "bad":
        raise BadInput("No face.")
    if name == "stop":
        raise Interrupted("Stopped.")
    return None if name == "silent" else {"video": name, "text": f"{name} is done"}


def _made(names: list[str], *, as_json: bool) -> int:
    said = {"sources": lambda name: {"video": name, "audio": "x"}, "sentence": lambda made: made["text"]}
    return make_all([(name,) for name in names], _make, argparse.Namespace(json=as_json), **said)


def test_what_follows_a_failure_is_made(capsys) -> None:
    assert _made(["a", "bad", "silent", "b"], as_json=False) == 1
    written = capsys.readouterr()
    assert written.out == "a is done\nb is done\n" and written.err == "gohd: bad with x: No face.\n"
    assert _made(["a", "bad"], as_json=True) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [{"video": "a"}, {"video": "bad", "audio": "x", "error": "No face."}]
    assert _made(["a", "b"], as_json=False) == 0


def test_a_single_failure_and_a_stop_end_the_command() -> None:
    with pytest.raises(BadInput):
        _made(["bad"], as_json=False)
    with pytest.raises(Interrupted):
        _made(["a", "stop", "b"], as_json=False)
