"""The shipped pose and gaze models on shipped speech: lively, bounded, smooth, seeded, steered by p0."""

from __future__ import annotations

import pytest
import torch

from gohd_core.audio import audio_features, load_audio
from gohd_core.checkpoints.loading import assets_folder
from gohd_core.constants import STYLISED
from gohd_core.pose import GazeDiffusion, PoseDiffusion

FAST = {"sampler": "dpmpp_2m", "steps": 12}


@pytest.fixture(scope="module")
def mel() -> torch.Tensor:
    waveform, rate = load_audio(sorted((assets_folder() / "speech").glob("*.flac"))[0])
    return audio_features(waveform, rate).mel[:120]


def test_head_poses_live_and_stay_within_reason(mel: torch.Tensor) -> None:
    model = PoseDiffusion.load()
    training = model.info["training"]
    assert model.space == STYLISED and training["steps"] > 0 and training["figures"]
    poses = [model.sample_pose(mel, torch.zeros(6), seed=seed, **FAST).values for seed in (1, 2)]
    for pose in poses:
        assert 0.02 < float(pose[:, 0].std()) < 0.3
        assert float(pose[:, :3].abs().max()) < 0.8
        assert float(pose.diff(dim=0)[:, :3].abs().mean()) < 0.05
    assert not torch.allclose(poses[0], poses[1], atol=1e-3)


def test_head_moves_less_in_silence_than_in_speech(mel: torch.Tensor) -> None:
    model = PoseDiffusion.load()
    still = [model.sample(torch.full_like(mel, -4.0), torch.zeros(6), seed=s, **FAST) for s in range(3)]
    spoken = [model.sample(mel, torch.zeros(6), seed=s, **FAST) for s in range(3)]
    speed = [sum(float(v.diff(dim=0)[:, 0].abs().mean()) for v in group) for group in (still, spoken)]
    assert speed[0] < 0.7 * speed[1]


def test_gaze_stays_on_the_listener(mel: torch.Tensor) -> None:
    model = GazeDiffusion.load()
    gaze = model.sample_gaze(mel, torch.zeros(2), seed=1, **FAST).values
    assert float(gaze.std()) > 0.003 and float(gaze.abs().max()) < 0.6
