"""`gohd evaluate` on written videos, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gohd_core.checkpoints.loading import assets_folder
from gohd_core.cli import main
from gohd_core.render import render_video


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """A shipped portrait that drifts, with sound; and the same, darker."""
    folder = tmp_path_factory.mktemp("videos")
    picture = Image.open(sorted((assets_folder() / "portraits").glob("[0-9]*.jpg"))[0]).resize((128, 128))
    still = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 127.5 - 1
    frames = torch.stack([torch.roll(still, k // 4, 2) for k in range(20)])
    sound = (0.1 * np.random.default_rng(0).standard_normal((1, 12_800)), 16_000)
    render_video(folder / "real.mp4", [frames], fps=25, audio=sound)
    render_video(folder / "made.mp4", [frames * 0.8 - 0.2], fps=25, audio=sound)
    return folder


def test_it_measures_writes_and_compares(videos, capsys):
    real, made = str(videos / "real.mp4"), str(videos / "made.mp4")
    first, second, other = (str(videos / f"{name}.json") for name in ("first", "second", "other"))
    assert main(["evaluate", made, real, "--size", "128", "--json", first, "--plot", first + ".png"]) == 0
    said = capsys.readouterr().out
    assert "result" in said and "real" in said and "resize: 128 bicubic" in said
    rows = json.loads(Path(first).read_text(encoding="utf-8"))["tables"][0]["rows"]
    assert rows["real"]["PSNR dB"] == pytest.approx(100) and 10 < rows["result"]["PSNR dB"] < 30
    assert rows["real"]["Var_p x1000"] is not None and rows["result"]["FID"] is None
    assert main(["evaluate", real, real, "--size", "128", "--json", second]) == 0
    assert main(["evaluate", real, real, "--size", "64", "--json", other]) == 0
    capsys.readouterr()
    assert main(["evaluate", "--compare", first, second]) == 0
    assert "PSNR dB ratio" in capsys.readouterr().out
    assert main(["evaluate", "--compare", first, other]) == 1
    assert "different settings" in capsys.readouterr().err
    assert main(["evaluate", made, real, "--crop", "0,0,500,500"]) == 1
    assert "outside" in capsys.readouterr().err
    assert main(["evaluate", made]) == 1


def test_outputs_are_checked_before_anything_is_measured(videos, capsys, monkeypatch):
    monkeypatch.setattr(
        "gohd_core.evaluation.videos.measures.evaluate", lambda *a, **k: pytest.fail("measured")
    )
    command = ["evaluate", str(videos / "made.mp4"), str(videos / "real.mp4")]
    assert main([*command, "--plot", str(videos / "x.pdf")]) == 1
    assert "x.pdf ends otherwise" in capsys.readouterr().err
    assert main([*command, "--against", str(videos / "none.json")]) == 1
    assert "none.json can't be read" in capsys.readouterr().err
