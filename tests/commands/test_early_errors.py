"""Bad options are refused in one sentence before anything is read or drawn; nothing is left behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image
from safetensors.torch import load_file, safe_open, save_file

from gohd_core.devices import checked_device
from gohd_core.errors import BadInput
from gohd_core.models import Models
from gohd_core.talk_options import TalkOptions
from tests.support.command_line import gohd


@pytest.fixture
def given(tmp_path, weights):
    Image.fromarray(np.full((64, 64, 3), 99, np.uint8)).save(tmp_path / "a.png")
    soundfile.write(tmp_path / "a.wav", np.zeros(3200), 16_000)
    return ["talk --steps 2 -p", tmp_path / "a.png", "-a", tmp_path / "a.wav", "--models", weights]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ("-o v.avi", "ends otherwise"),
        ("-o v.mp4 --picture p.gif", "ends otherwise"),
        ("-o v.mp4 --motion m.npz", "ends otherwise"),
        ("-o " + "x" * 300 + ".mp4", "name is too long"),
        ("-o a.png/v.mp4", "can't be written"),
        ("-o v.mp4 --picture a.png", "written over"),
        ("-o v.mp4 --device bogus", "no device 'bogus'"),
        ("-o v.mp4 --device xpu", "can't be used"),
        ("-o v.mp4 --device meta", "can't be used"),
        ("-o v.mp4 --gaze 900,0", "from -60 to 60"),
        ("-o v.mp4 --size 99999999", "give 32 to 4096 pixels"),
    ],
)
def test_bad_options_are_one_sentence(given, tmp_path, monkeypatch, capsys, options, word) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert gohd(*given, options) == 1
    said = capsys.readouterr().err
    assert word in said and said.count("\n") == 1 and said.startswith("gohd: ")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("options", ["--strength 50", "--pose-scale nan", "--expression-scale inf"])
def test_numbers_beyond_sense_are_wrong_usage(given, tmp_path, capsys, options) -> None:
    with pytest.raises(SystemExit) as stopped:
        gohd(*given, "-o", tmp_path / "v.mp4", options)
    assert stopped.value.code == 2 and "is not a number" in capsys.readouterr().err
    for name, value in (("strength", 50.0), ("pose_scale", float("nan")), ("gaze", (9.0, 0.0))):
        with pytest.raises(BadInput):
            TalkOptions(**{name: value})


def test_a_folder_goes_on_past_a_bad_file_and_overwrites_nothing(given, weights, tmp_path, capsys) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in ("a.png", "a.bmp"):
        Image.fromarray(np.full((64, 64, 3), 99, np.uint8)).save(pictures / name)
    (pictures / "b.png").write_bytes((pictures / "a.png").read_bytes()[:40])
    (pictures / "._a.png").write_bytes(b"of macOS")
    given[1] = pictures
    assert gohd(*given, "-o", tmp_path / "out") == 1
    made = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert made == ["a.bmp-a.wav.mp4", "a.png-a.wav.mp4"]
    assert capsys.readouterr().err.count("b.png can't be read as a picture") == 1


def test_devices() -> None:
    assert checked_device("cpu") == torch.device("cpu")
    for name in ("bogus", "cpu:x", "cuda:999", "meta"):
        with pytest.raises(BadInput) as error:
            checked_device(name)
        assert str(error.value).endswith(".") and "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["<U1", "complex64", "bool"])
def test_landmarks_that_are_no_pixels(weights, tmp_path, capsys, kind) -> None:
    np.save(tmp_path / "l.npy", np.zeros((25, 68, 2), kind))
    film = Path(__file__).parents[2] / "assets" / "driving_sample.mp4"
    made = tmp_path / "m.safetensors"
    assert gohd("extract", film, "--landmarks", tmp_path / "l.npy", "-o", made, "--models", weights) == 1
    said = capsys.readouterr().err
    assert "values and no pixels" in said and said.count("\n") == 1
    assert not made.exists()


def test_files_of_eight_bits_are_loaded(weights, tmp_path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    for path in weights.iterdir():
        with safe_open(path, "pt") as file:
            about = file.metadata()
        tensors = load_file(path)
        floats = {key for key, value in tensors.items() if value.is_floating_point()}
        tensors |= {key: tensors[key].to(torch.float8_e4m3fn) for key in floats}
        save_file(tensors, small / path.name, about)
    loaded = Models.load(small)
    assert next(loaded.animator.network.parameters()).dtype == torch.float32
