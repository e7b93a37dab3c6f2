"""The talking clip and the command line of the stylised world."""

from __future__ import annotations

import argparse

import numpy as np
import pytest

from gohd_core.clips import ClipDataset
from gohd_core.commands import stylised as cli
from gohd_core.commands.stylised_preview import stylised_clip
from gohd_core.errors import BadInput


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    cli.add_commands(parser.add_subparsers())
    given = parser.parse_args(["stylised", *words])
    return given.run(given)


def test_clip_has_picture_and_sound_of_one_length(tmp_path, stand_in, graphics):
    av = pytest.importorskip("av")
    made = stylised_clip(tmp_path / "c.mp4", 3, text="Bob came.", voice="flite/slt", identity=5, size=64)
    assert made.text == "Bob came."
    assert made.voice == "flite/slt"
    with av.open(str(made.path)) as file:
        codecs = [stream.codec_context.name for stream in file.streams]
        pictures = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    assert codecs == ["h264", "aac"]
    assert len(pictures) == len(made.phonemes)
    assert {"p", "aa", "pau"} <= set(made.phonemes)
    # the mouth moves: the lower face changes more than the hair
    change = np.abs(np.diff(np.stack(pictures).astype(float), axis=0)).mean((0, 3))
    assert change[38:54, 20:44].mean() > 0.2


def test_clip_refuses_nonsense_and_writes_nothing(tmp_path, stand_in):
    for options, message in (
        ({"seconds": 0.0}, "between 0.5 and 600"),
        ({"text": "  "}, "is empty"),
        ({"voice": "flite/nobody"}, "Unknown voice"),
        ({"voice": "siri/x"}, "Unknown speech engine"),
    ):
        with pytest.raises(BadInput, match=message):
            stylised_clip(tmp_path / "c.mp4", **options)
    assert not list(tmp_path.iterdir())


def test_make_command(tmp_path, stand_in, capsys):
    words = ("make", "--out", str(tmp_path / "d"), "--clips", "2", "--seed", "1", "--no-frames")
    assert command(*words, "--workers", "1", "--engines", "espeak,flite") == 0
    assert len(ClipDataset(tmp_path / "d")) == 2
    shown = capsys.readouterr()
    assert "2 clips" in shown.out
    assert "2/2 clips" in shown.err


def test_clip_and_sheet_commands(tmp_path, stand_in, graphics, capsys):
    pytest.importorskip("av")
    words = ("--text", "Bob came.", "--voice", "flite/slt", "--size", "64")
    assert command("clip", "--out", str(tmp_path / "c.mp4"), *words) == 0
    assert (tmp_path / "c.mp4").stat().st_size > 1000
    assert "flite/slt: Bob came." in capsys.readouterr().out
    sheet = ("sheet", "--out", str(tmp_path / "s.png"), "--rows", "1", "--columns", "2")
    assert command(*sheet, "--size", "48") == 0
    assert (tmp_path / "s.png").read_bytes()[1:4] == b"PNG"
    with pytest.raises(BadInput, match="written as .png"):
        command("sheet", "--out", str(tmp_path / "s.gif"))
