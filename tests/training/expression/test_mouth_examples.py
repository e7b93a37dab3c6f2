"""Examples for the mouth network: sound and mouth fit at any tempo; losses are 0 on the truth."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.audio import audio_features
from gohd_core.stylised.motion.visemes import frame_times, mouth_curves
from gohd_core.stylised.speech.engines.base import Speech
from gohd_core.stylised.speech.phones import IDS, Phone
from gohd_core.training.audio.augmentation import AugmentationConfig
from gohd_core.training.expression import mouth_examples
from gohd_core.training.expression.mouth_examples import (
    COEFFICIENTS,
    MouthExample,
    drawn_out,
    example,
    other_tract,
    vocal_event,
)
from gohd_core.training.losses.mouth import mouth_terms


@pytest.fixture
def speech() -> Speech:
    names = ("pau", "m", "aa", "s", "uw", "pau")
    phones = tuple(Phone(name, 0.4 * k, 0.4 * (k + 1)) for k, name in enumerate(names))
    audio = 0.1 * np.random.default_rng(0).standard_normal(round(2.4 * 16_000))
    return Speech(audio.astype(np.float32), 16_000, phones)


def _plain(monkeypatch: pytest.MonkeyPatch, **changes: float) -> None:
    monkeypatch.setattr(mouth_examples, "CHANGES", AugmentationConfig(**changes))
    for name, span in (("JAW", (1, 1)), ("SLUGGISH", (1, 1)), ("LOUDNESS", (0, 0))):
        monkeypatch.setattr(mouth_examples, name, span)
    monkeypatch.setattr(mouth_examples, "UNEVEN", 0.0)
    monkeypatch.setattr(mouth_examples, "AUGMENTED", 0.0)


def test_unchanged_examples_equal_the_predictors_input(
    speech: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    _plain(monkeypatch)
    monkeypatch.setattr(mouth_examples, "SUNG", 0.0)
    one = example(speech, np.random.default_rng(0))
    chunks, mouth = one.window(10, 20)
    heard = audio_features(speech.audio, 16_000).chunks[10:30].numpy()
    np.testing.assert_allclose(chunks, heard, atol=4e-3)
    truth = mouth_curves(speech.phones, frame_times(60))[:, COEFFICIENTS]
    np.testing.assert_allclose(mouth, truth[10:30], atol=1e-6)


def test_drawn_out_the_mouth_takes_its_time(speech: Speech, monkeypatch: pytest.MonkeyPatch) -> None:
    _plain(monkeypatch)
    monkeypatch.setattr(mouth_examples, "SUNG", 1.0)
    monkeypatch.setattr(mouth_examples, "SUNG_TEMPO", (2.0, 2.0))
    one = example(speech, np.random.default_rng(0))
    assert len(one.mouth) == pytest.approx(120, abs=1)
    jaw = one.mouth[:, 0]
    assert 40 <= jaw.argmax() <= 60, "the open vowel lasts from 1.6 to 2.4 s"
    assert one.mouth[20:40, 3].max() > 0.5, "and lips are pressed before it"
    assert [one.phones[row] for row in (10, 90, 150)] == [IDS[name] for name in ("pau", "m", "aa")]


def test_without_speech_the_mouth_rests(speech: Speech, monkeypatch: pytest.MonkeyPatch) -> None:
    _plain(monkeypatch, quiet_share=1.0)
    one = example(speech, np.random.default_rng(0))
    assert not one.mouth.any() and set(one.phones.tolist()) == {IDS["pau"]}


def test_rows_are_drawn_out_in_between() -> None:
    rows = np.arange(5, dtype=np.float32)[:, None] * np.ones(80, np.float32)
    assert drawn_out(rows, 1.0) is rows
    np.testing.assert_allclose(drawn_out(rows, 2.0)[:, 0], [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4])


def test_another_vocal_tract_takes_its_phones_with_it(
    speech: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mouth_examples, "TRACT", (1.1, 1.1))
    found = other_tract(speech, np.random.default_rng(0))
    assert found.duration == pytest.approx(2.4 / 1.1, abs=1e-3)
    assert found.phones[2].start == pytest.approx(0.8 / 1.1, abs=1e-3)
    assert found.phones[-1].end == pytest.approx(found.duration)


def test_coughs_come_at_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mouth_examples, "LAUGHS", 0.0)
    rng = np.random.default_rng(0)
    found = [vocal_event(rng) is not None for _ in range(400)]
    assert np.mean(found) == pytest.approx(mouth_examples.COUGHS, abs=0.04)


def test_windows_repeat_the_last_row() -> None:
    rows = np.arange(33, dtype=np.float16)[:, None].repeat(80, 1)
    one = MouthExample(rows, np.zeros(33, np.int16), np.zeros((10, 6), np.float32))
    chunks, _ = one.window(9, 1)
    assert chunks.shape == (1, 80, 16)
    assert chunks[0, 0].tolist() == [*range(22, 33), *[32] * 5]


def test_losses_are_zero_for_the_truth_and_count_parted_lips() -> None:
    truth, opening = torch.rand(2, 30, 6), torch.tensor([30.0, 0, 0, 0, 8, 8])
    assert sum(mouth_terms(truth, truth, opening).values()) < 2e-3
    truth = torch.zeros(1, 30, 6)
    open_jaw = truth.clone()
    open_jaw[..., 0] = 0.1
    terms = mouth_terms(truth, open_jaw, opening)
    assert terms["parted"] == pytest.approx(0.8 * 3.0)
    assert terms["gap"] == pytest.approx(0.15 * 3 * 3.0)
    assert terms["coefficients"] == pytest.approx(0.3, rel=1e-5)
    assert terms["speed"] == 0
