"""Laughter and coughs, with the phones that the mouth makes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gohd_core.constants import SAMPLE_RATE
from gohd_core.stylised.speech.engines.base import Speech
from gohd_core.stylised.speech.phones import PAUSE, Phone
from gohd_core.stylised.speech.voices import Voice, draw_manner, say

SYLLABLES = ("ha", "hah", "heh", "hee", "ho", "huh")
FORMANTS = ((700.0, 1200.0, 2500.0), (150.0, 250.0, 400.0))
"""Hz of a cough's resonances, and their bandwidths."""
LEAD = 0.05
"""Seconds by which lips part before a cough is heard."""


def laughter(rng: np.random.Generator, voice: Voice) -> Speech:
    """A laugh of an English voice at 16 kHz: one syllable again and again, quick, and fading at times."""
    syllable = SYLLABLES[int(rng.integers(len(SYLLABLES)))]
    count = int(rng.integers(4, 11))
    manner = draw_manner(rng)
    quick = replace(manner, rate=float(rng.uniform(1.1, 1.6)), pitch=float(rng.uniform(1.0, 1.5)))
    laugh = say(" ".join([syllable] * count), voice, quick)
    fade = np.linspace(1, rng.uniform(0.2, 1.0), len(laugh.audio), dtype=np.float32)
    return Speech(laugh.audio * fade, laugh.rate, laugh.phones)


def coughs(rng: np.random.Generator, seconds: float) -> Speech:
    """One to four coughs in silence at 16 kHz: a burst, noise that dies away, at times a voiced end.

    Phases after J. Korpas, J. Sadlonova and M. Vrabec, "Analysis of the cough sound", Pulmonary
    Pharmacology 9 (1996).
    """
    length = round(seconds * SAMPLE_RATE)
    audio = np.zeros(length)
    starts = np.sort(rng.uniform(0.3, max(seconds - 0.6, 0.31), int(rng.integers(1, 5))))
    starts = starts[np.diff(starts, prepend=-1.0) > 0.4]
    factor = rng.uniform(0.85, 1.2)
    phones: list[Phone] = []
    for start in starts:
        sound = _cough(rng, factor)
        first = round(start * SAMPLE_RATE)
        part = audio[first : first + len(sound)]
        part += sound[: len(part)]
        end = start + len(sound) / SAMPLE_RATE
        before = phones[-1].end if phones else 0.0
        middle = start + 0.5 * (end - start)
        opened = max(start - LEAD, before)
        phones += [Phone(PAUSE, before, opened), Phone("ah", opened, middle), Phone("hh", middle, end)]
    phones.append(Phone(PAUSE, phones[-1].end if phones else 0.0, seconds))
    return Speech((audio / max(np.abs(audio).max(), 1e-9)).astype(np.float32), SAMPLE_RATE, tuple(phones))


def _cough(rng: np.random.Generator, factor: float) -> np.ndarray:
    """One cough [S]; `factor` on its resonances."""
    from scipy.signal import lfilter

    time = np.arange(round(rng.uniform(0.25, 0.4) * SAMPLE_RATE)) / SAMPLE_RATE
    burst = np.exp(-time / rng.uniform(0.03, 0.06)) + rng.uniform(0.2, 0.5) * np.exp(-time / 0.12)
    source = rng.standard_normal(len(time)) * burst * np.clip(time / 0.008, 0, 1)
    voiced = np.clip((time - 0.15) / 0.05, 0, 1) * np.exp(-np.maximum(time - 0.2, 0) / 0.05)
    pitch = rng.uniform(100, 250)
    source += rng.uniform(0, 0.8) * voiced * np.sign(np.sin(2 * np.pi * pitch * time))
    for hertz, width in zip(*FORMANTS, strict=True):
        radius = np.exp(-np.pi * width / SAMPLE_RATE)
        angle = 2 * np.pi * hertz * factor / SAMPLE_RATE
        ring = lfilter([1.0], [1, -2 * radius * np.cos(angle), radius**2], source)
        source = 0.5 * source + ring * np.std(source) / max(float(np.std(ring)), 1e-9)
    return source * np.clip((time[-1] - time) / 0.03, 0, 1)
