"""Voices of all engines, the split each speaker belongs to, and how they vary.

A speaker is a recorded person ("slt" is the same woman in flite and festival), an espeak-ng variant or a
mixture of Kokoro's styles, whatever language it speaks. A speaker belongs to one split for good; neural
voices are all for training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gohd_core.choices import SPLITS
from gohd_core.constants import SAMPLE_RATE
from gohd_core.errors import BadInput
from gohd_core.stylised.speech.engines import ENGINES, USUAL, engine_status, kokoro, load_engine, piper
from gohd_core.stylised.speech.engines.base import Speech
from gohd_core.stylised.speech.engines.espeak import LANGUAGES, VARIANTS
from gohd_core.stylised.speech.phones import Phone

_RECORDED = {
    ("flite", "slt"): "en",
    ("flite", "rms"): "en",
    ("flite", "kal16"): "en",
    ("flite", "awb"): "en",
    ("festival", "slt"): "en",
    ("festival", "kal"): "en",
    ("festival", "ked"): "en",
    ("festival", "lp"): "it",
    ("festival", "pc"): "it",
    ("festival", "lj"): "fi",
    ("festival", "mv"): "fi",
    ("festival", "dita"): "cs",
    ("festival", "machac"): "cs",
}
_HELD_OUT = {
    "validation": {"mv", *(f"espeak-{v}" for v in ("f4", "m4", "klatt2", "Andy", "linda", "pablo"))},
    "test": {
        *("awb", "machac"),
        *(f"espeak-{v}" for v in ("f5", "m5", "klatt3", "Annie", "benjamin", "steph", "michel")),
    },
}
ENGINE_WEIGHT = {"espeak": 0.48, "flite": 0.38, "festival": 0.14, "piper": 0.8, "kokoro": 0.6}
ENGLISH_SHARE = 0.6
"""Share of English in the clips of engines that speak more; the rest is spread over the others."""


@dataclass(frozen=True)
class Voice:
    """A voice of an engine. `language` is one of `text.LANGUAGES`."""

    engine: str
    name: str
    speaker: str
    language: str

    @property
    def split(self) -> str:
        """The split that this speaker belongs to."""
        for split, speakers in _HELD_OUT.items():
            if self.speaker in speakers:
                return split
        return "train"


@dataclass(frozen=True)
class Manner:
    """Variation of a voice in one clip: factors on its own rate and pitch, and on its formants.

    The formant factor shrinks the vocal tract by resampling (pitch moves along with it).
    """

    rate: float = 1.0
    pitch: float = 1.0
    formant: float = 1.0


@lru_cache(maxsize=1)
def all_voices() -> tuple[Voice, ...]:
    """Every voice the data sets may use, whether installed here or not."""
    found = [
        Voice(engine, name, name.removesuffix("16"), language)
        for (engine, name), language in _RECORDED.items()
    ]
    for language in LANGUAGES:
        for variant in ("", *VARIANTS):
            name = f"{language}+{variant}" if variant else language
            speaker = f"espeak-{variant or language}"
            found.append(Voice("espeak", name, speaker, language[:2]))
    found += [Voice("piper", name, f"piper-{name}", language[:2]) for name, language in piper.VOICES.items()]
    found += [
        Voice("kokoro", f"{language}/{speaker}", f"kokoro-{speaker}", language[:2])
        for language in kokoro.LANGUAGES
        for speaker in kokoro.SPEAKERS
    ]
    return tuple(found)


def find_voice(engine: str, name: str) -> Voice:
    """The voice of that engine and name; BadInput when the data sets know none."""
    for voice in all_voices():
        if (voice.engine, voice.name) == (engine, name):
            return voice
    if engine not in ENGINES:
        raise BadInput(f"Unknown speech engine '{engine}'; use one of {', '.join(ENGINES)}.")
    known = ", ".join(v.name for v in all_voices() if v.engine == engine)
    raise BadInput(f"Unknown voice '{name}' of '{engine}'; known are {known[:300]}.")


def draw_voice(rng: np.random.Generator, split: str, engines: Sequence[str] = USUAL) -> Voice:
    """A random voice of `split` among `engines`, recorded speakers favoured."""
    if split not in SPLITS:
        raise BadInput(f"Unknown split '{split}'; use one of {', '.join(SPLITS)}.")
    pool = [v for v in all_voices() if v.split == split and v.engine in engines]
    present = [name for name in ENGINES if any(v.engine == name for v in pool)]
    if not present:
        raise BadInput(f"None of the engines {', '.join(engines)} has a voice for '{split}'.")
    weights = np.array([ENGINE_WEIGHT[name] for name in present])
    engine = present[int(rng.choice(len(present), p=weights / weights.sum()))]
    pool = [v for v in pool if v.engine == engine]
    if engine in ("espeak", "kokoro"):
        english = rng.random() < ENGLISH_SHARE
        pool = [v for v in pool if (v.language == "en") == english]
    return pool[int(rng.integers(len(pool)))]


def draw_manner(rng: np.random.Generator) -> Manner:
    """A random manner of speaking within what still sounds like a person."""
    return Manner(
        rate=float(np.exp(rng.uniform(np.log(0.78), np.log(1.22)))),
        pitch=float(np.exp(rng.uniform(np.log(0.80), np.log(1.30)))),
        formant=float(np.exp(rng.uniform(np.log(0.89), np.log(1.13)))),
    )


def say(text: str, voice: Voice, manner: Manner | None = None) -> Speech:
    """Speech of `text` at 16 kHz with its phones, peak at most 1; silence at both ends kept.

    Raises BadInput for an unknown voice, MissingDependency when its engine is not installed.
    """
    import soxr

    manner = manner or Manner()
    engine = load_engine(voice.engine)
    # resampling by the formant factor also speeds speech up: the engine is asked for the rest
    rate = float(np.clip(manner.rate / manner.formant, 0.5, 2.0))
    spoken = engine.speak(text, voice.name, rate=rate, pitch=manner.pitch)
    audio = soxr.resample(spoken.audio, spoken.rate * manner.formant, SAMPLE_RATE)
    audio = audio.astype(np.float32)
    peak = float(np.abs(audio).max())
    if peak > 1:
        audio /= peak
    duration = len(audio) / SAMPLE_RATE
    scale = duration / spoken.duration
    phones = tuple(Phone(p.name, p.start * scale, p.end * scale) for p in spoken.phones)
    return Speech(audio, SAMPLE_RATE, phones)


__all__ = ["Manner", "Voice", "all_voices", "draw_manner", "draw_voice", "engine_status", "find_voice", "say"]
