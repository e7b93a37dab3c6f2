"""Shared by the neural engines: text to IPA, symbols with lengths to phones, graphs with one thread.

A neural voice takes symbols and returns the duration of each. Marks of stress and length, blanks
and the spaces between words have lengths too, though nothing of their own is heard in them.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from gohd_core.stylised.speech.engines.base import run
from gohd_core.stylised.speech.phones import PAUSE, Phone, from_ipa

BLANK = ""
"""A symbol between two others that stands for neither."""
BEFORE, AFTER = frozenset("ː̃ʰʲ"), frozenset("ˈˌ")
"""Marks that belong to the phone before them, and to the one after."""
PUNCTUATION = frozenset(",.;:!?—…")
LONGEST_GAP = 0.12
"""Seconds above which a space between two words is a pause."""
QUIET, WINDOW, SHORTEST = -38.0, 0.01, 0.04
"""dB below the loudest part that count as silence, s over which it is measured, and s that a phone keeps."""
_PIECE = re.compile(r"([^,.;:!?—…]+)([,.;:!?—…]*)")

Symbol = tuple[str, float]
"""A symbol of the voice's input, and its duration in s."""


def missing_packages(*names: str) -> str | None:
    """The first of these Python packages, or of espeak-ng's program, that is not installed."""
    lacking = [name for name in names if find_spec(name.replace("-", "_")) is None]
    return lacking[0] if lacking else None if shutil.which("espeak-ng") else "espeak-ng"


@lru_cache(maxsize=256)
def to_ipa(text: str, language: str) -> str:
    """IPA of `text` as espeak-ng writes it, with stress, spaces between words and the text's punctuation."""
    found = ""
    for words, marks in _PIECE.findall(text):
        if not words.strip():
            continue
        command = [shutil.which("espeak-ng") or "espeak-ng", "-q", "--ipa", "-v", language, "--", words]
        lines = run(command, "espeak").decode("utf-8", "replace").split("\n")
        # "(en)" marks a change of language inside the text, a hyphen a word that leans on the next
        ipa = re.sub(r"\([a-z-]+\)", "", " ".join(line.strip() for line in lines if line.strip()))
        found += (" " if found else "") + ipa.replace("-", "") + marks[:1]
    return found


def spans(symbols: Sequence[Symbol]) -> list[tuple[tuple[str, ...], float]]:
    """(phones, end in s) of symbols, as `base.tile` takes them; what has no sound goes to its neighbours.

    A blank or a short space is shared by the phones on both sides of it.
    """
    names: list[tuple[str, ...]] = []
    lengths: list[float] = []
    ahead = 0.0
    for symbol, length in symbols:
        phones = _phones(symbol, length)
        if phones:
            names.append(phones)
            lengths.append(length + ahead)
            ahead = 0.0
        elif symbol in AFTER or not names:
            ahead += length
        elif symbol in BEFORE:
            lengths[-1] += length
        else:
            lengths[-1] += length / 2
            ahead += length / 2
    if names and ahead:
        lengths[-1] += ahead
    found, end = [], 0.0
    for phones, length in zip(names, lengths, strict=True):
        end += length
        found.append((phones, end))
    return found


def _phones(symbol: str, length: float) -> tuple[str, ...]:
    """Phone of a symbol; empty for marks, blanks and short spaces."""
    if symbol == BLANK or symbol in BEFORE or symbol in AFTER:
        return ()
    if symbol == " ":
        return (PAUSE,) if length > LONGEST_GAP else ()
    if symbol in PUNCTUATION or symbol in "^$":
        return (PAUSE,)
    phones = from_ipa(symbol)
    return () if phones == (PAUSE,) else phones


def end_with_sound(phones: Sequence[Phone], audio: np.ndarray, rate: int) -> tuple[Phone, ...]:
    """Phones before a pause end where their sound does: a voice counts part of the pause to its last phone.

    Sound ends where `audio` [N] stays `QUIET` dB below the loudest `WINDOW` of the utterance.
    """
    step = round(WINDOW * rate)
    power = np.square(audio[: len(audio) // step * step].reshape(-1, step)).mean(1)
    heard = power > power.max(initial=0.0) * 10 ** (QUIET / 10)
    found = list(phones)
    for k in range(len(found) - 1):
        phone, pause = found[k], found[k + 1]
        if pause.name != PAUSE or phone.name == PAUSE:
            continue
        first, last = (round(time / WINDOW) for time in (phone.start, phone.end))
        loud = np.flatnonzero(heard[first:last])
        end = phone.start + max(SHORTEST, (loud[-1] + 1) * WINDOW if len(loud) else 0.0)
        if end < phone.end - WINDOW:
            found[k] = Phone(phone.name, phone.start, end)
            found[k + 1] = Phone(PAUSE, end, pause.end)
    return tuple(found)


def session(model: bytes) -> Any:
    """An onnxruntime session on one core: data sets are made by many processes."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
