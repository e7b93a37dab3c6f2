"""The commands' last steps: full frame, marks and their reader, credentials; with tiny untrained networks."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
from PIL import Image

from gohd_core.cli import main

av = pytest.importorskip("av", reason="PyAV is not installed")


@pytest.fixture
def talk(weights, tmp_path):
    """Runs `gohd talk` on a picture of 320 x 240 with a face box; gives the video's path."""
    y, x = np.mgrid[:240, :320]
    shades = np.stack([x * 0.7, y, 200 - x * 0.3], -1).astype(np.uint8)
    Image.fromarray(shades).save(tmp_path / "face.png")
    soundfile.write(tmp_path / "voice.wav", 0.1 * np.sin(np.arange(4000) * 0.1), 16_000)

    def run(*options: str) -> int:
        given = ["-p", tmp_path / "face.png", "-a", tmp_path / "voice.wav", "-o", tmp_path / "out.mp4"]
        given += ["--models", weights, "--steps", "2", "--box", "130,70,190,150", *options]
        return main(["talk", *map(str, given)])

    run.video = tmp_path / "out.mp4"
    return run


def size(path) -> tuple[int, int]:
    with av.open(str(path)) as container:
        return container.streams.video[0].width, container.streams.video[0].height


def test_the_full_frame_is_marked_unless_switched_off(talk, capsys) -> None:
    assert talk() == 0 and size(talk.video) == (320, 240)
    capsys.readouterr()
    assert main(["watermark", "read", str(talk.video), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["found"] and row["score"] > 5 and row["frames"] == 6
    assert talk("--no-invisible-mark") == 0
    assert main(["watermark", "read", str(talk.video)]) == 3
    assert "no invisible mark" in capsys.readouterr().out
    assert main(["watermark", "read", str(talk.video.with_name("none.mp4"))]) == 1


def test_the_crop_alone_may_carry_a_text(talk) -> None:
    assert talk("--no-full-frame", "--no-invisible-mark") == 0 and size(talk.video) == (64, 64)
    with av.open(str(talk.video)) as container:
        plain = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    assert talk("--no-full-frame", "--no-invisible-mark", "--visible-mark", "AI") == 0
    with av.open(str(talk.video)) as container:
        marked = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    change = np.abs(marked - plain).max(2)
    assert change[40:, 40:].max() > 60 > 30 > change[:30, :30].max()


def test_errors_of_the_end_are_raised_at_the_beginning(talk, tmp_path, capsys) -> None:
    assert talk("--certificate", str(tmp_path / "a.pem")) == 1
    assert "--private-key" in capsys.readouterr().err
    assert talk("--certificate", str(tmp_path / "a.pem"), "--private-key", str(tmp_path / "b.pem")) == 1
    assert "c2pa-python" in (said := capsys.readouterr().err) or "no file at" in said
    assert not talk.video.exists()
