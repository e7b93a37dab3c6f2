"""Recordings of people as training data: sound, and the phones in it with their times.

Labels come from Festival's files, or from a recogniser: given or recognised words, aligned phone by phone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from gohd_core.constants import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME, STYLISED
from gohd_core.errors import BadInput, MissingDependency
from gohd_core.stylised.motion.visemes import MouthHabit, frame_times, mouth_curves
from gohd_core.stylised.speech.engines.base import Speech
from gohd_core.stylised.speech.phones import PAUSE, Phone, from_table

LONGEST = 10.0
"""Seconds of a clip; longer recordings are cut."""
EDGE = 0.5
"""Seconds of silence that a recording keeps before and after."""
_SILENT = ("SIL", "+")
"""Beginnings of the recogniser's symbols for what is no speech."""
_TICKS = 100.0
"""The recogniser's frames a second."""
_SEARCH = {"beam": 1e-100, "pbeam": 1e-100, "wbeam": 1e-80, "bestpath": False}
"""Options of aligning: wide, and without a second search, whose words can't be aligned in most recordings."""
_ALONE = {"cmn": "batch", "loglevel": "FATAL"}
"""Options of decoders: their means are of one recording, not of those before it."""


class Recogniser:
    """Phones of English speech by pocketsphinx: words, given or recognised, aligned with the sound."""

    def __init__(self) -> None:
        try:
            from pocketsphinx import Decoder
        except ImportError as error:
            raise MissingDependency(
                "Labels of recordings need pocketsphinx: pip install pocketsphinx"
            ) from error
        self._words = Decoder(**_ALONE)
        self._phones = Decoder(lm=None, **_SEARCH, **_ALONE)

    def phones(self, audio: np.ndarray, text: str | None = None) -> tuple[Phone, ...] | None:
        """Phones of sound at 16 kHz [N] in [-1, 1]; None where its words can't be aligned.

        text: what is said; words that pocketsphinx's dictionary lacks can't be aligned.
        """
        raw = np.round(audio * 32767).astype(np.int16).tobytes()
        try:
            self._phones.set_align_text(self._recognised(raw) if text is None else plain_words(text))
            _decode(self._phones, raw)
            self._phones.set_alignment()
            _decode(self._phones, raw)
            found = [phone for word in self._phones.get_alignment() for phone in word]
        except RuntimeError:  # what pocketsphinx raises where no path is left
            return None
        spans = [(one.name, one.start / _TICKS, (one.start + one.duration) / _TICKS) for one in found]
        named = (
            (PAUSE if name.startswith(_SILENT) else name.lower(), start, end) for name, start, end in spans
        )
        return _whole([p for one in named for p in _parts(*one, "arpabet")], len(audio) / SAMPLE_RATE)

    def _recognised(self, raw: bytes) -> str:
        _decode(self._words, raw)
        words = self._words.hyp()
        return words.hypstr if words is not None else ""


def plain_words(text: str) -> str:
    """A text's words as dictionaries of pronunciation spell them: small letters and apostrophes."""
    return " ".join(re.findall(r"[a-z]+(?:'[a-z]+)*", text.lower().replace("’", "'")))


def read_texts(path: Path) -> dict[str, str]:
    """Texts by the names of their recordings: lines of NAME|text, where the last field counts (LJ Speech)."""
    lines = [line.split("|") for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not lines or any(len(fields) < 2 for fields in lines):
        raise BadInput(f"'{path}' must hold a recording's name, '|' and its text on each line.")
    return {fields[0].strip(): fields[-1].strip() for fields in lines}


def _decode(decoder: Any, raw: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(raw, full_utt=True)
    decoder.end_utt()


def festival_labels(path: Path, table: str, seconds: float) -> tuple[Phone, ...]:
    """Phones of a Festival label file (end in s, a number, symbol on each line after '#').

    table: of `phones.TABLES`; seconds: the recording's length. BadInput for symbols that it lacks.
    """
    found, start = [], 0.0
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split()
        if len(fields) == 3:
            end = float(fields[0])
            found += _parts(fields[2], start, end, table)
            start = end
    if not found:
        raise BadInput(f"'{path}' holds no labels; a line has the end in seconds, a number and the phone.")
    return _whole(found, seconds)


def _parts(symbol: str, start: float, end: float, table: str) -> list[Phone]:
    """A symbol's phones, which share its time."""
    names = from_table(symbol, table)
    times = np.linspace(start, end, len(names) + 1)
    return [Phone(name, float(a), float(b)) for name, (a, b) in zip(names, pairwise(times), strict=True)]


def _whole(phones: list[Phone], seconds: float) -> tuple[Phone, ...]:
    """Phones from 0 to `seconds` without gaps, neighbouring pauses joined."""
    found: list[Phone] = []
    for phone in [Phone(PAUSE, 0.0, phones[0].start), *phones, Phone(PAUSE, phones[-1].end, seconds)]:
        if phone.end <= phone.start:
            continue
        if found and found[-1].name == phone.name == PAUSE:
            found[-1] = Phone(PAUSE, found[-1].start, phone.end)
        else:
            found.append(phone)
    return tuple(found)


def trimmed(speech: Speech) -> Speech:
    """A recording with at most `EDGE` seconds of silence before its first phone and after its last."""
    said = [phone for phone in speech.phones if phone.name != PAUSE]
    if not said:
        return speech
    start = max(0.0, said[0].start - EDGE)
    return _part(speech, start, min(speech.duration, said[-1].end + EDGE))


def pieces(speech: Speech) -> Iterator[Speech]:
    """A recording in equal parts of at most `LONGEST` seconds."""
    count = int(np.ceil(speech.duration / LONGEST))
    bounds = np.linspace(0, speech.duration, count + 1)
    for start, end in pairwise(bounds):
        yield _part(speech, start, end)


def _part(speech: Speech, start: float, end: float) -> Speech:
    """A recording from `start` to `end`, both in seconds."""
    inside = [p for p in speech.phones if p.end > start and p.start < end]
    phones = tuple(Phone(p.name, max(p.start, start) - start, min(p.end, end) - start) for p in inside)
    return Speech(speech.audio[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)], SAMPLE_RATE, phones)


@dataclass(frozen=True)
class Source:
    """Where a recording comes from, for its clip's description."""

    name: str
    speaker: str
    licence: str


def clip_of(speech: Speech, source: Source) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and description of a talking clip without pictures, as `clips.save_clip` takes them.

    Expressions are the mouth's by the rules of `visemes`; heads are still.
    """
    frames = int(speech.duration * FPS)
    times = frame_times(frames)
    arrays = {
        "audio": np.round(speech.audio[: frames * SAMPLES_PER_FRAME] * 32767).astype(np.int16),
        "expression": mouth_curves(speech.phones, times, MouthHabit()).astype(np.float32),
        "pose": np.zeros((frames, 6), np.float32),
        "gaze": np.zeros((frames, 2), np.float32),
        "valid": np.ones(frames, bool),
        "phoneme_start": np.array([p.start for p in speech.phones], np.float32),
        "phoneme_end": np.array([p.end for p in speech.phones], np.float32),
    }
    about = {
        "name": source.name,
        "kind": "talk",
        "fps": FPS,
        "space": STYLISED,
        "phonemes": [p.name for p in speech.phones],
        "engine": "recording",
        "voice": source.speaker,
        "speaker": source.speaker,
        "licence": source.licence,
        "text": "",
    }
    return arrays, about
