"""Speech that needs no engine: stored phone times with a buzz that follows them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gohd_core.constants import SAMPLE_RATE
from gohd_core.stylised.rendering.renderer import renderer_status
from gohd_core.stylised.speech.engines.base import Engine, Speech
from gohd_core.stylised.speech.phones import PAUSE, VOWELS, Phone


def stored_phones() -> tuple[Phone, ...]:
    stored = json.loads(Path(__file__).with_name("phones.json").read_text())
    return tuple(Phone(*row) for row in stored["phones"])


def buzz(phones: tuple[Phone, ...], rng: np.random.Generator) -> Speech:
    """A pulse tone on vowels, quieter on consonants, silent in pauses; stresses louder and higher."""
    audio = np.zeros(int(phones[-1].end * SAMPLE_RATE), np.float32)
    phase = 0.0
    for phone in phones:
        first, last = int(phone.start * SAMPLE_RATE), int(phone.end * SAMPLE_RATE)
        vowel = phone.name in VOWELS
        size = 0.0 if phone.name == PAUSE else (rng.uniform(0.3, 0.9) if vowel else 0.08)
        turns = phase + np.arange(last - first) * (100 + 60 * size) / SAMPLE_RATE
        phase = turns[-1] if len(turns) else phase
        tone = sum(np.sin(2 * np.pi * k * turns) / k for k in range(1, 6))
        audio[first:last] = 0.4 * size * tone[: len(audio[first:last])]
    return Speech(audio, SAMPLE_RATE, phones)


class StandIn(Engine):
    """Answers every text with the stored phones, as often as the text is long."""

    name = "stand-in"
    package = "nothing"
    delay = 0.0

    def problem(self):
        return None

    def voices(self):
        return ()

    def speak(self, text, voice, *, rate=1.0, pitch=1.0):
        times = max(1, len(text) // 60)
        rng = np.random.default_rng([*text.encode(), *voice.encode()])
        stored = stored_phones()
        length = stored[-1].end
        phones = tuple(
            Phone(p.name, (p.start + k * length) / rate, (p.end + k * length) / rate)
            for k in range(times)
            for p in stored
        )
        return buzz(phones, rng)


@pytest.fixture
def phones() -> tuple[Phone, ...]:
    return stored_phones()


@pytest.fixture
def speech(phones) -> Speech:
    return buzz(phones, np.random.default_rng(0))


@pytest.fixture
def stand_in(monkeypatch) -> None:
    """Every engine is the stand-in, in this process."""
    from gohd_core.stylised import dataset
    from gohd_core.stylised.speech import voices

    monkeypatch.setattr(voices, "load_engine", lambda name: StandIn())
    monkeypatch.setattr(dataset, "load_engine", lambda name: StandIn())


@pytest.fixture(scope="session")
def graphics() -> None:
    """Skips tests on machines without OpenGL through EGL."""
    missing = [how for _, present, how in renderer_status() if not present]
    if missing:
        pytest.skip(f"no graphics here: {missing[0]}")
