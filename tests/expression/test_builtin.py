"""The built-in expression predictor: its metadata, and qualities that no figure covers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.audio import audio_features
from gohd_core.checkpoints import load_network
from gohd_core.expression import ExpressionPredictor, EyeMotionState
from gohd_core.expression.predictor import BLOCK
from gohd_core.face import MorphableModel
from gohd_core.face.geometry.camera import ALIGNED_SIZE, Camera
from gohd_core.measures.mouth_sync import CLOSED, flutter, mouth_opening
from tests.support import recipe

NEUTRAL = torch.zeros(64)


@pytest.fixture(scope="module")
def predictor() -> ExpressionPredictor:
    return ExpressionPredictor.load()


def opening(expression: torch.Tensor) -> np.ndarray:
    """The mouth's opening [T] in aligned pixels."""
    camera = Camera.of_size(ALIGNED_SIZE)
    points = MorphableModel.stylised_landmarks().landmarks(expression=expression)
    return mouth_opening(points.numpy() * camera.focal / camera.distance)


def test_it_says_what_it_is() -> None:
    loaded = load_network("builtin", "expression")
    assert loaded.space == "stylised" and loaded.config.kind == "lstm"
    training = loaded.info["training"]
    assert training["command"].startswith("python scripts/train_mouth.py") and training["steps"] > 0
    earlier = [run["command"] for run in loaded.info["begun_with"]]
    assert any(command.startswith("gohd train expression-stage2") for command in earlier)
    assert loaded.info["stage1"]["training"]["command"].startswith("gohd train expression-stage1")


def pink(white: np.ndarray) -> np.ndarray:
    """White noise made to fall by 3 dB an octave, with a root mean square of 0.05."""
    spectrum = np.fft.rfft(white) / np.sqrt(np.maximum(np.fft.rfftfreq(len(white), 1 / 16_000), 20))
    sound = np.fft.irfft(spectrum, len(white))
    return 0.05 * sound / sound.std()


def notes(time: np.ndarray, pitches: tuple[float, ...], overtones: int = 1) -> np.ndarray:
    """Held notes of a root mean square of 0.1 whose overtones fall off as 1 / n."""
    parts = [np.sin(2 * np.pi * p * n * time + n) / n for p in pitches for n in range(1, overtones + 1)]
    sound = np.sum(parts, axis=0)
    return 0.1 * sound / sound.std()


@pytest.mark.parametrize(
    "kind",
    ["silence", "hiss", "pink", "rumble", "chord", "tone", "high tone", "C major", "G7", "organ", "pulsing"],
)
def test_the_mouth_rests_without_speech(predictor: ExpressionPredictor, kind: str) -> None:
    rng = np.random.default_rng(2)
    time = np.arange(4 * 16_000) / 16_000
    sound = {
        "silence": np.zeros_like(time),
        "hiss": 0.02 * rng.standard_normal(len(time)),
        "rumble": 0.01 * np.convolve(rng.standard_normal(len(time)), np.ones(60) / 8, "same"),
        "pink": pink(rng.standard_normal(len(time))),
        "chord": sum(0.05 * np.sin(2 * np.pi * pitch * time) for pitch in (220, 277, 330, 440)),
        "tone": notes(time, (440,)),
        "high tone": notes(time, (3000,)),
        "C major": notes(time, (261.6, 329.6, 392)),
        "G7": notes(time, (98, 123.5, 146.8, 174.6), overtones=4),
        "organ": notes(time, (65.4, 82.4, 98), overtones=8),
        "pulsing": notes(time, (146.8, 174.6, 220), overtones=6) * (0.2 + 0.8 * np.exp(-4 * (2 * time % 1))),
    }[kind]
    expression, _ = predictor.predict(audio_features(sound, 16_000).chunks, NEUTRAL, seed=1)
    gap = opening(expression)
    assert gap.mean() < CLOSED and flutter(gap) < 0.2


def test_the_eyes_blink_and_open_again(predictor: ExpressionPredictor) -> None:
    chunks = audio_features(np.zeros(60 * 16_000), 16_000).chunks
    _, eye_motion = predictor.predict(chunks, NEUTRAL, seed=3)
    ratio = eye_motion[:, 0].numpy()
    begins = np.flatnonzero((ratio[1:] < 0.6) & (ratio[:-1] >= 0.6))
    assert 5 <= len(begins) <= 90, "blinks in a minute"
    assert np.median([ratio[b : b + 6].min() for b in begins]) < 0.4, "most of them shut the eyes"
    assert np.median(ratio) > 0.85, "open in between"


def test_another_seed_blinks_at_other_times(predictor: ExpressionPredictor) -> None:
    chunks = audio_features(np.zeros(20 * 16_000), 16_000).chunks
    first, again, other = (predictor.predict(chunks, NEUTRAL, seed=s)[1] for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert np.corrcoef(first[:, 0], other[:, 0])[0, 1] < 0.5


def test_sound_is_heard_block_by_block_as_at_once(predictor: ExpressionPredictor) -> None:
    features = audio_features(0.1 * np.random.default_rng(0).standard_normal(11 * 16_000), 16_000)
    assert len(features) > BLOCK
    for heard, whole in zip(
        predictor.predict(features, NEUTRAL, seed=5),
        predictor.predict(features.chunks, NEUTRAL, seed=5),
        strict=True,
    ):
        assert torch.equal(heard, whole)


def test_chunked_is_whole_but_for_the_seams_of_the_mouth(predictor: ExpressionPredictor) -> None:
    sound = 0.1 * np.random.default_rng(0).standard_normal(3 * 16_000)
    chunks = audio_features(sound, 16_000).chunks
    expression, eyes = predictor.predict(chunks, NEUTRAL, seed=5)
    state = EyeMotionState()
    parts = [predictor.predict(part, NEUTRAL, seed=5, state=state) for part in chunks.split([1, 30, 44])]
    recipe.assert_close(torch.cat([part[1] for part in parts]), eyes, 1e-5)
    chunked, context = torch.cat([part[0] for part in parts]), predictor.network.context
    others = [k for k in range(64) if k not in predictor.config.mouth_coefficients]
    recipe.assert_close(chunked[:, others], expression[:, others], 1e-5)
    inner = [*range(1 + context, 31 - context), *range(31 + context, 75)]
    recipe.assert_close(chunked[inner], expression[inner], 1e-5)
