"""Every kind of bad input, through the public names: one clear sentence, or a right result."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import gohd_core as gohd
from gohd_core.errors import BadInput
from gohd_core.models import Models
from gohd_core.motion import Motion
from gohd_core.pipeline import motion_from_audio
from gohd_core.talk_options import TalkOptions
from tests.support import tiny


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Models:
    return Models.load(tiny.write_family(tmp_path_factory.mktemp("models")))


def one_sentence(error: pytest.ExceptionInfo) -> str:
    said = str(error.value)
    assert said.endswith(".") and "\n" not in said and len(said) < 400, said
    return said


def voice(seconds: float, rate: int, channels: int = 1) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    wave = 0.4 * np.sin(2 * np.pi * 200 * time) * (np.sin(2 * np.pi * 3 * time) > 0)
    return np.repeat(wave[None].astype(np.float32), channels, axis=0)


@pytest.mark.parametrize(
    ("waveform", "rate"),
    [
        (np.zeros((1, 0), np.float32), 16_000),
        (np.zeros((1, 1), np.float32), 16_000),
        (np.zeros((1, 600), np.float32), 16_000),
        (np.full((1, 16_000), np.nan, np.float32), 16_000),
        (np.zeros((2, 2, 16_000), np.float32), 16_000),
        (np.zeros((1, 16_000), np.float32), 0),
    ],
    ids=["empty", "one sample", "under a frame", "nan", "three axes", "no rate"],
)
def test_bad_sound(waveform, rate) -> None:
    with pytest.raises(BadInput) as error:
        gohd.audio_features(waveform, rate)
    one_sentence(error)


def test_8_khz_and_96_khz_six_channels_are_the_same_sound() -> None:
    low = gohd.audio_features(voice(1.0, 8_000), 8_000)
    high = gohd.audio_features(voice(1.0, 96_000, 6), 96_000)
    assert low.mel.shape == high.mel.shape == (25, 320)
    rows = slice(2, 23)  # the ends ring where the sound is cut
    below_4_khz = np.r_[0:40]
    left, right = (f.mel.reshape(25, 4, 80)[rows][:, :, below_4_khz] for f in (low, high))
    assert torch.corrcoef(torch.stack([left.flatten(), right.flatten()]))[0, 1] > 0.98


def test_silence_makes_a_still_finite_clip(models) -> None:
    features = gohd.audio_features(np.zeros((1, 16_000), np.float32), 16_000)
    picture = np.full((64, 64, 3), 90, np.uint8)
    portrait = gohd.prepare_portrait(
        picture, size=64, extractor=models.extractor, gaze_estimator=models.gaze_estimator
    )
    motion = motion_from_audio(features, portrait, models, TalkOptions(steps=2))
    assert len(motion) == 25 and torch.isfinite(motion.descriptors()).all()


@pytest.mark.parametrize("shape", [(80, 80), (80, 80, 1), (80, 80, 4), (1, 80, 80, 3)])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_grey_alpha_and_batched_pictures_are_read(shape, kind) -> None:
    levels = np.random.default_rng(1).random(shape)
    picture = (levels * 255).astype(kind) if kind is np.uint8 else levels.astype(kind)
    assert gohd.prepare_portrait(picture, size=64).source.shape == (1, 3, 64, 64)


def test_an_8k_picture_is_read(models) -> None:
    picture = np.zeros((4320, 7680, 3), np.uint8)
    picture[1000:3000, 3000:5000] = 200
    portrait = gohd.prepare_portrait(picture, box=(3200, 1200, 4800, 2800), size=64)
    assert portrait.source.shape == (1, 3, 64, 64) and portrait.source.max() > 0.5


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((64, 64, 2), np.uint8),
        np.zeros((64,), np.uint8),
        np.full((64, 64, 3), np.nan, np.float32),
        np.full((64, 64, 3), 200.0, np.float32),
        np.zeros((0, 64, 3), np.uint8),
        np.zeros((40, 90, 3), np.uint8),
    ],
    ids=["1 x 1", "two channels", "one axis", "nan", "floats to 255", "no rows", "no face given"],
)
def test_bad_pictures(picture) -> None:
    with pytest.raises(BadInput) as error:
        gohd.prepare_portrait(picture)
    one_sentence(error)


def test_bad_tensors_for_the_networks(models) -> None:
    animator, chunks = models.animator, torch.zeros(3, 80, 16)
    source = animator.encode_source(torch.zeros(1, 3, 64, 64))
    calls = [
        lambda: animator.encode_source(torch.zeros(1, 3, 32, 32)),
        lambda: animator.encode_source(torch.zeros(1, 3, 64, 64, dtype=torch.uint8)),
        lambda: animator.encode_source(torch.full((1, 3, 64, 64), 255.0)),
        lambda: animator.magnitudes(source, torch.zeros(3, 27, 72)),
        lambda: animator.magnitudes(source, torch.zeros(3, 72, 27, dtype=torch.long)),
        lambda: animator.decode(source, torch.zeros(3, 5)),
        lambda: animator.animate(source, Motion.from_descriptors(torch.zeros(3, 72), "bfm09")),
        lambda: animator.animate(
            source, Motion.from_descriptors(torch.zeros(3, 72), "stylised"), batch_size=0
        ),
        lambda: models.pose.sample(torch.zeros(3, 80), torch.zeros(6)),
        lambda: models.pose.sample(torch.zeros(0, 320), torch.zeros(6)),
        lambda: models.pose.sample(torch.full((3, 320), torch.nan), torch.zeros(6)),
        lambda: models.pose.sample(torch.zeros(3, 320, dtype=torch.int32), torch.zeros(6)),
        lambda: models.pose.sample(torch.zeros(3, 320), torch.zeros(2)),
        lambda: models.pose.sample(torch.zeros(3, 320), torch.zeros(6), sampler="euler"),
        lambda: models.pose.sample(torch.zeros(3, 320), torch.zeros(6), guidance=1.5),
        lambda: models.pose.sample(torch.zeros(3, 320), torch.zeros(6), steps=0),
        lambda: models.expression.predict(chunks.transpose(1, 2), torch.zeros(64)),
        lambda: models.expression.predict(chunks, torch.zeros(63)),
        lambda: models.expression.predict(chunks * torch.nan, torch.zeros(64)),
        lambda: models.gaze_estimator.estimate(np.zeros((2, 2, 2, 2, 2))),
        lambda: gohd.load_motion("absent.safetensors"),
    ]
    for call in calls:
        with pytest.raises(BadInput) as error:
            call()
        one_sentence(error)
