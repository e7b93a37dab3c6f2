"""`gohd talk` with several voices: options, and one video of the whole picture."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from PIL import Image

from gohd_core.cli import main
from tests.support import tiny
from tests.support.mesh_faces import SIZE, painted_pair

av = pytest.importorskip("av", reason="PyAV is not installed")
RATE = 16_000


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A picture of two painted faces, two sounds, a track, tiny weights; faces found without networks."""
    from gohd_core.mesh.builtin import BuiltinAnimator
    from gohd_core.models import Models

    pair = painted_pair(apart=300)
    Image.fromarray((pair[0].frame.numpy() * 255).astype(np.uint8)).save(tmp_path / "group.png")
    time = np.arange(RATE) / RATE
    for name in ("a", "b"):
        soundfile.write(tmp_path / f"{name}.wav", 0.3 * np.sin(2 * np.pi * 150 * time), RATE)
    (tmp_path / "track.rttm").write_text(
        "SPEAKER x 1 0.0 0.5 <NA> <NA> zoe <NA> <NA>\nSPEAKER x 1 0.5 0.5 <NA> <NA> adam <NA> <NA>\n"
    )
    models = Models.load(tiny.write_family(tmp_path / "models"))
    object.__setattr__(models, "animator", BuiltinAnimator(models.animator))
    monkeypatch.setattr("gohd_core.models.Models.load", lambda *_, **__: models)
    monkeypatch.setattr("gohd_core.portraits.prepare_portraits", lambda *_, **__: pair)
    return tmp_path


def talk(files, *options: str) -> int:
    inputs = ["-p", files / "group.png", "-o", files / "out.mp4", "--steps", "2"]
    return main(["talk", *map(str, inputs), *(str(each) for each in options)])


@pytest.mark.parametrize("how", ["voices", "track"])
def test_voices_or_a_track_make_one_video_of_the_whole_picture(files, how) -> None:
    voices = ["--voices", files / "a.wav", files / "b.wav"]
    track = ["-a", files / "a.wav", "--speakers", files / "track.rttm"]
    assert talk(files, *(voices if how == "voices" else track)) == 0
    with av.open(str(files / "out.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert container.streams.audio
    assert len(frames) == 25 and frames[0].shape == (SIZE, SIZE + 300, 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--voices", "a.wav", "-a", "b.wav"), "can't be mixed"),
        (("--speakers", "track.rttm"), "give that as --audio"),
        (("--voices", "a.wav", "nothing.wav"), "nothing.wav"),
        (("--voices", "a.wav", "--motion", "m.safetensors"), "--motion"),
        ((), "Say who says what"),
    ],
)
def test_conflicting_options_are_named_first(files, monkeypatch, capsys, options, said) -> None:
    monkeypatch.chdir(files)
    assert talk(files, *options) != 0
    assert said in capsys.readouterr().err
    assert not (files / "out.mp4").exists()
