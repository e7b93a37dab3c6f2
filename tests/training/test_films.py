"""Films of faces as lines, with sound, from the expression trainers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.clips import Clip
from gohd_core.expression import ExpressionConfig, ExpressionNetwork
from gohd_core.training.config import load_config
from gohd_core.training.expression_geometry import FaceGeometry
from gohd_core.training.expression_stage1 import ExpressionStage1Task, Stage1Config
from gohd_core.training.films import expression_film, landmark_film
from gohd_core.training.loop import train
from tests.training.talk_clips import write_talk_clips

SMALL = {"audio_widths": [6, 8, 12, 16, 24], "audio_residuals": 1, "mapping_widths": [24]}


def test_a_film_shows_what_moves_and_nothing_else():
    face = FaceGeometry.load(None, "stylised").face(torch.zeros(1, 3, 64)).landmarks[0, ..., :2].clone()
    face[2, 57] -= 20  # the middle of the lower lip drops
    still = face[:1].expand(3, -1, -1)
    film = landmark_film([still, face], size=96)
    assert film.shape == (3, 3, 96, 192) and film.min() >= -1 and film.max() <= 1
    left, right = film[..., :96], film[..., 96:]
    assert torch.equal(left[0], left[2]) and torch.equal(right[0], right[1])
    rows = (right[2] != right[0]).any(0).any(1).nonzero()
    assert rows.min() > 48  # below the middle: y points up in landmarks, down in pictures


def test_the_film_of_a_clip_has_its_length_and_its_sound(tmp_path):
    folder = write_talk_clips(tmp_path, train=1, frames=30)
    clip = Clip(folder / "train" / "clip0.safetensors")
    network = ExpressionNetwork(ExpressionConfig(eye_motion_input=True, **SMALL))
    geometry = FaceGeometry.load(None, "stylised")
    sample = expression_film(network, geometry, clip, torch.device("cpu"), frames=20, keep=False)
    assert sample.frames.shape[0] == 20 and len(sample.audio) == 20 * 640
    assert np.allclose(sample.audio.numpy(), clip.read("audio", 0, 12800) / 32768)


def test_a_run_writes_its_film(tmp_path):
    import av

    folder = write_talk_clips(tmp_path / "talk", train=1, frames=40)
    network = ", ".join(f"{name}: {value}" for name, value in SMALL.items())
    settings = [
        f"data.folders=['{folder}']", "data.batch=2", "data.validation_batches=1", "loop.device=cpu",
        "loop.steps=1", "loop.sample_every=1", f"network={{eye_motion_input: true, {network}}}",
    ]  # fmt: skip
    train(ExpressionStage1Task, load_config(Stage1Config, None, settings), tmp_path / "run")
    with av.open(str(tmp_path / "run" / "samples" / "face_00000001.mp4")) as film:
        assert film.streams.video[0].frames == 40
        assert float(film.streams.audio[0].duration * film.streams.audio[0].time_base) == pytest.approx(
            1.6, abs=0.1
        )
