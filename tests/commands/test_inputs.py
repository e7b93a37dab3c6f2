"""Inputs and places of results: folders, names, numbers; and output that fails no run."""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gohd_core.commands.inputs import (
    PICTURES,
    SOUNDS,
    files,
    gaze_angles,
    number,
    numbers,
    result_names,
    within,
)
from gohd_core.commands.talk import pairs
from gohd_core.errors import BadInput

ROOT = Path(__file__).resolve().parents[2]


def groups(*names: str) -> list[tuple[Path, ...]]:
    return [tuple(Path(part) for part in name.split("+")) for name in names]


@pytest.mark.parametrize(
    ("sources", "wanted"),
    [
        (["a.png+x.wav", "b.png+x.wav"], ["a-x", "b-x"]),
        (["a.png+x.wav", "a.jpg+x.wav"], ["a.png-x.wav", "a.jpg-x.wav"]),
        (["a-b.png+c.wav", "a.png+b-c.wav"], ["a-b.png-c.wav", "a.png-b-c.wav"]),
        (["a.mp4", "a.mkv", "a.mkv.mp4"], ["a.mp4", "a.mkv-2", "a.mkv"]),
        (["A.png", "a.png"], ["A.png", "a.png-2"]),
    ],
)
def test_two_inputs_make_two_outputs(sources, wanted) -> None:
    names = result_names(groups(*sources))
    assert names == wanted
    assert len({name.casefold() for name in names}) == len(sources)


def test_long_names_are_shortened_and_stay_apart() -> None:
    names = result_names(
        groups("声" * 80 + ".png+" + "x" * 200 + ".wav", "声" * 80 + ".png+" + "x" * 201 + ".wav")
    )
    assert len(set(names)) == 2 and all(len(os.fsencode(name)) <= 200 for name in names)


def test_folders_pass_over_hidden_files_and_take_what_a_single_file_may_be(tmp_path) -> None:
    for name in (
        "a.png",
        "._a.png",
        ".b.jpg",
        "c.jfif",
        "d.avif",
        "e.TIF",
        "f.txt",
        "g.opus",
        "h.aiff",
        "i.oga",
    ):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in files(tmp_path, PICTURES, "picture")] == [
        "a.png",
        "c.jfif",
        "d.avif",
        "e.TIF",
    ]
    assert [path.name for path in files(tmp_path, SOUNDS, "sound")] == ["g.opus", "h.aiff", "i.oga"]


def test_talk_names_a_result_in_a_folder_after_both(tmp_path) -> None:
    for name in ("a.png", "x.wav", "y.wav"):
        (tmp_path / name).touch()
    (tmp_path / "out").mkdir()
    made = []
    for sound, output in (("x.wav", "out"), ("y.wav", "out"), ("x.wav", "v.mp4")):
        given = argparse.Namespace(
            portrait=tmp_path / "a.png", audio=tmp_path / sound, output=tmp_path / output
        )
        made += [job.target.name for job in pairs(given)]
    assert made == ["a-x.mp4", "a-y.mp4", "v.mp4"]


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999", "x", ""])
def test_numbers_are_finite(text) -> None:
    for kind in (number, numbers, within(0, 3), lambda text: numbers(f"1,{text}")):
        with pytest.raises(argparse.ArgumentTypeError):
            kind(text)
    with pytest.raises(BadInput):
        gaze_angles(f"0,{text}")


def test_numbers_are_within_bounds() -> None:
    assert within(0, 3)("3") == 3 and within(0)("1e6") == 1e6
    for text in ("-0.1", "3.1"):
        with pytest.raises(argparse.ArgumentTypeError, match="from 0 to 3"):
            within(0, 3)(text)
    assert gaze_angles("-60,60") == (math.radians(-60), math.radians(60)) and gaze_angles("hold") == "hold"
    with pytest.raises(BadInput, match="60"):
        gaze_angles("900,0")


SAYING = """
import sys
from gohd_core.commands.output_streams import forgiving_output
with forgiving_output():
    for k in range(3):
        sys.stdout.write("\\u2728.mp4\\n")
        sys.stderr.write("\\u2728\\n")
with open(sys.argv[1], "w") as file:
    file.write("done")
"""


@pytest.mark.parametrize("ends", ["1>&-", "2>&-", ">&- 2>&- <&-", "| true", ">/dev/full"])
@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_output_that_nobody_takes_fails_no_run(tmp_path, ends) -> None:
    done = tmp_path / "done"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = f'"{sys.executable}" -c "$SAYING" "{done}"; echo $? > "{tmp_path}/code"'
    shell = f"({command}) {ends}"
    subprocess.run(["bash", "-c", shell], env={**environment, "SAYING": SAYING}, check=False)
    assert done.read_text() == "done" and (tmp_path / "code").read_text().strip() == "0"


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_names_that_a_terminal_can_not_show_are_spelt(tmp_path, encoding) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding}
    made = subprocess.run(
        [sys.executable, "-c", SAYING, tmp_path / "done"], env=environment, capture_output=True, check=True
    )
    shown = "\u2728" if encoding == "utf-8" else "\\u2728"
    assert made.stdout.decode(encoding).splitlines() == [f"{shown}.mp4"] * 3
    assert json.dumps("\u2728") == '"\\u2728"', "lines of JSON are plain ASCII"
