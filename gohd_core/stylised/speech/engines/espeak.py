"""espeak-ng through its library: formant synthesis in many languages, phoneme events as IPA."""

from __future__ import annotations

import ctypes.util
import json
import sys
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from gohd_core.errors import BadInput
from gohd_core.stylised.speech.engines.base import Engine, Speech, run, tile
from gohd_core.stylised.speech.phones import PAUSE, Phone, from_ipa

WORDS_PER_MINUTE = 165
"""Speaking rate that factor 1 stands for."""
MIDDLE_PITCH = 50
"""espeak's own scale is 0 to 100 with 50 in the middle; 40 units are about an octave."""
CLOSURE = 0.045
"""Seconds of silence before a voiceless stop's burst, which espeak counts to the phone before it.

Measured on the mean energy around the events of 138 English and 206 Italian and Spanish stops: it
falls at -45 ms and rises again at the event, while it falls at the event for b, d, g, m and s.
"""
VOICELESS_STOPS = frozenset(("p", "t", "k", "ch"))

LANGUAGES = (
    "en-us",
    "en-gb-scotland",
    "en-gb-x-rp",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
    "en-029",
    "de",
    "fr",
    "es",
    "it",
    "pt-br",
    "nl",
    "pl",
    "fi",
    "cs",
)
"""Languages that `text` can write; English first."""
VARIANTS = (
    *("f1", "f2", "f3", "f4", "f5", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8"),
    *("klatt", "klatt2", "klatt3", "klatt4", "Andy", "Annie", "Gene", "Michael", "Lee"),
    *("adam", "anika", "belinda", "benjamin", "boris", "caleb", "david", "edward", "grandma"),
    *("grandpa", "john", "linda", "max", "paul", "rob", "robert", "steph", "travis", "victor"),
    *("zac", "Alicia", "Andrea", "Denis", "Hugo", "Jacky", "Marco", "Mario", "antonio", "michel"),
    *("miguel", "pablo", "pedro", "quincy", "sandro", "shelby"),
)
"""Voice variants that sound like a person (the robots and whispers are left out)."""


@lru_cache(maxsize=1)
def _library() -> str | None:
    names = ("espeak-ng", "espeak")
    if sys.platform.startswith("linux"):
        return _loadable("libespeak-ng.so.1") or _find(names)
    return _find(names)


def _loadable(name: str) -> str | None:
    try:
        ctypes.CDLL(name)
    except OSError:
        return None
    return name


def _find(names: tuple[str, ...]) -> str | None:
    return next((found for name in names if (found := ctypes.util.find_library(name))), None)


class Espeak(Engine):
    """Voices are "<language>" or "<language>+<variant>", such as "en-us+f3"."""

    name: ClassVar[str] = "espeak"
    package: ClassVar[str] = "espeak-ng"
    delay: ClassVar[float] = 0.006

    def problem(self) -> str | None:
        return None if _library() else self.missing()

    def voices(self) -> tuple[str, ...]:
        return tuple(
            f"{language}+{variant}" if variant else language
            for language in LANGUAGES
            for variant in ("", *VARIANTS)
        )

    def speak(self, text: str, voice: str, *, rate: float = 1.0, pitch: float = 1.0) -> Speech:
        self.check(voice, rate, pitch)
        request = {
            "library": _library(),
            "voice": voice,
            "text": text,
            "rate": round(WORDS_PER_MINUTE * rate),
            "pitch": int(np.clip(round(MIDDLE_PITCH + 40 * np.log2(pitch)), 0, 99)),
            "pitch_range": MIDDLE_PITCH,
        }
        script = Path(__file__).with_name("espeak_process.py")
        command = [sys.executable, "-I", "-S", str(script)]
        reply = run(command, self.name, json.dumps(request).encode())
        line, _, samples = reply.partition(b"\n")
        header = json.loads(line)
        if "problem" in header:
            raise BadInput(f"The speech engine 'espeak' can't speak: {header['problem']}.")
        audio = np.frombuffer(samples, "<i2").astype(np.float32) / 32768
        if not len(audio) or not header["phonemes"]:
            raise BadInput(f"The voice '{voice}' gave no sound for the text '{text[:60]}'.")
        sample_rate = header["sample_rate"]
        # "(en)" marks a change of language inside the text, it is no sound
        events = [(n / sample_rate, ipa) for n, ipa in header["phonemes"] if "(" not in ipa]
        starts = [start for start, _ in events]
        duration = len(audio) / sample_rate
        names = [from_ipa(ipa) for _, ipa in events]
        spans = [((PAUSE,), starts[0]), *zip(names, [*starts[1:], duration], strict=True)]
        phones = _lead_closures(tile(spans, duration, self.delay))
        return Speech(audio, sample_rate, phones)


def _lead_closures(phones: tuple[Phone, ...]) -> tuple[Phone, ...]:
    """Start voiceless stops at their closure: espeak's event comes with the burst after it."""
    moved = list(phones)
    for k in range(1, len(moved)):
        before, stop = moved[k - 1], moved[k]
        if stop.name in VOICELESS_STOPS and before.name != PAUSE:
            start = stop.start - min(CLOSURE, 0.4 * (before.end - before.start))
            moved[k - 1] = Phone(before.name, before.start, start)
            moved[k] = Phone(stop.name, start, stop.end)
    return tuple(moved)
