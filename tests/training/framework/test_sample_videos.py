"""Films of faces as lines, with sound, from the expression trainers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.clips import Clip, save_clip
from gohd_core.expression import ExpressionConfig, ExpressionNetwork
from gohd_core.face.geometry.expression_geometry import FaceGeometry
from gohd_core.training.expression.stage1 import ExpressionStage1Task, Stage1Config
from gohd_core.training.framework.config import load_config
from gohd_core.training.framework.loop import train
from gohd_core.training.framework.sample_videos import expression_film, landmark_film
from tests.support.clip_sets import write_talk_clips

SMALL = {"audio_widths": [6, 8, 12, 16, 24], "audio_residuals": 1, "mapping_widths": [24]}


def test_a_film_shows_moving_landmarks_alone():
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


def test_a_head_follows_pose_and_gaze():
    from gohd_core.training.framework.sample_videos import head_film

    still, turned = torch.zeros(2, 6), torch.zeros(2, 6)
    turned[1, 1] = 0.4
    film = head_film([still, turned])
    left, right = film[..., :192], film[..., 192:]
    assert torch.equal(left[0], left[1]) and torch.equal(left[0], right[0])
    assert not torch.equal(right[0], right[1])
    gaze = torch.zeros(2, 2)
    gaze[1] = torch.tensor([0.0, 0.5])  # to the picture's left
    looking = head_film([still], [gaze])
    assert torch.equal(looking[0, :, 120:], looking[1, :, 120:])  # the mouth rests
    bright = (looking[:, 0] > 0).float()
    columns = torch.arange(192.0)
    place = (bright * columns).sum((1, 2)) / bright.sum((1, 2))
    assert place[1] < place[0] - 0.3


def test_a_driven_film_shows_the_clip_beside_drawn_frames(tmp_path):
    from gohd_core.training.framework.sample_videos import driven_film
    from gohd_core.training.framework.sampling import coefficient_windows

    arrays = {
        "frames": np.random.default_rng(0).integers(0, 256, (7, 16, 16, 3), dtype=np.uint8),
        "expression": np.zeros((7, 64), np.float32),
        "pose": np.arange(42, dtype=np.float32).reshape(7, 6) / 42,
        "gaze": np.tile(np.array([0.25, 0.75], np.float32), (7, 1)),
        "audio": np.arange(7 * 640, dtype=np.int16),
    }
    path = tmp_path / "c.safetensors"
    save_clip(path, arrays, {"space": "stylised", "fps": 25})

    def draw(source, own, windows):
        assert source.shape == (1, 3, 16, 16)
        assert own[0, 70:].tolist() == [0.75, 0.25]  # the network's order: horizontal first
        return windows[:, 64, 2, None, None, None].expand(-1, 3, 16, 16)

    sample = driven_film(draw, Clip(path), lambda v, n: coefficient_windows(v, n, 2), frames=5, batch=2)
    assert sample.frames.shape == (5, 3, 16, 32) and len(sample.audio) == 5 * 640
    truth = torch.from_numpy(arrays["frames"][:5]).permute(0, 3, 1, 2) / 127.5 - 1
    assert torch.allclose(sample.frames[..., :16], truth)
    np.testing.assert_allclose(sample.frames[:, 0, 0, 16], arrays["pose"][:5, 0])
