"""Conversation: voices by their inputs or by a speaker track, one video of the whole picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.errors import BadInput
from tests.support.mesh_faces import SIZE, painted_pair

av = pytest.importorskip("av", reason="PyAV is not installed")

RATE = 16_000


def said(seconds: float, start: float = 0.0) -> dict:
    time = torch.arange(round(seconds * RATE)) / RATE
    hum = 0.3 * torch.sin(2 * torch.pi * 150 * time) * (time >= start)
    return {"waveform": hum[None, None], "sample_rate": RATE}


@pytest.fixture
def converse(run, builtin, monkeypatch):
    """Runs the node on a picture of two painted faces."""
    asked = []

    def found(image, *, least, reader, size):
        asked.append(least)
        return painted_pair(apart=300)

    monkeypatch.setattr("gohd_core.portraits.prepare_portraits", found)

    def runner(**given):
        image = painted_pair(apart=300)[0].frame[None]
        return run("GoHDConversation", image=image, **given), asked[-1]

    return runner


def frames_of(video) -> np.ndarray:
    with av.open(str(video.get_stream_source())) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def test_a_voice_for_each_face_makes_one_video_as_long_as_the_longest(converse) -> None:
    (video, audio, faces), least = converse(voice_1=said(0.4), voice_2=said(0.8, 0.4))
    assert frames_of(video).shape == (20, SIZE, SIZE + 300, 3)
    assert audio["waveform"].shape == (1, 1, round(0.8 * RATE)) and audio["sample_rate"] == RATE
    assert faces == least == 2


def test_inputs_that_grow_are_taken_as_fixed_ones_are(converse) -> None:
    with pytest.raises(BadInput, match="3 voices and 2 faces"):
        converse(voice_1=said(0.4), voice_2=said(0.4), voice_3=said(0.4))


def test_one_sound_is_split_by_a_speaker_track(converse) -> None:
    (video, audio, _), least = converse(voice_1=said(0.8), speakers="0-0.4 1; 0.4-0.8 2")
    assert len(frames_of(video)) == 20 and least == 2
    assert audio["waveform"][0, 0, 100:6000].numpy() == pytest.approx(
        said(0.8)["waveform"][0, 0, 100:6000].numpy(), abs=1e-5
    )
    with pytest.raises(BadInput, match="disconnect"):
        converse(voice_1=said(0.8), voice_2=said(0.4), speakers="0-0.4 1")


def test_a_track_that_cannot_be_read_is_named_before_anything_runs(nodes, builtin) -> None:
    check = nodes["GoHDConversation"].validate_inputs
    assert "no turn" in check(weights="builtin", speakers="hello")
    assert check(weights="builtin", speakers=" ") is True
