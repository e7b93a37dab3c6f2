"""Sounds without speech: hiss to rumble, notes, hum, beats; to be heard under speech or alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gohd_core.constants import SAMPLE_RATE

LOWEST_PITCH = 45.0
"""Of notes, Hz."""
OCTAVES = 6.0
"""Above it, that notes lie within."""

TABLE = 2048
"""Samples of one period of a note, from which notes are read at any pitch."""

Make = Callable[[int, np.random.Generator], np.ndarray]


def noise(length: int, rng: np.random.Generator) -> np.ndarray:
    """One of the sounds below [length], with a root mean square of 1; some swell and fade."""
    make = _MAKERS[int(rng.choice(len(_MAKERS), p=_SHARES))]
    sound = make(length, rng)
    if rng.random() < 0.35:
        sound = sound * _swell(length, rng)
    return sound / max(float(np.sqrt(np.mean(sound**2))), 1e-12)


def hiss(length: int, rng: np.random.Generator) -> np.ndarray:
    """White to brown noise."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    frequency = np.maximum(np.fft.rfftfreq(length, 1 / SAMPLE_RATE), 20.0)
    return np.fft.irfft(spectrum * frequency ** -rng.uniform(0.0, 1.2), length)


def held_notes(length: int, rng: np.random.Generator) -> np.ndarray:
    """One note that stays or glides, or a chord of two to five, wide or within an octave: tones, organs.

    A single note has an overtone at most, and a chord's fall off fast: held notes that are rich in them
    may be a singing voice, to which the mouth is to open.
    """
    time = np.arange(length) / SAMPLE_RATE
    count = int(rng.integers(1, 6))
    glide = rng.uniform(-1, 1) * (count == 1)
    slope, overtones = rng.uniform(0.9, 2.0), int(rng.integers(1, 3 if count == 1 else 8))
    odd_only = rng.random() < 0.2
    sound = np.zeros(length)
    close = count > 1 and rng.random() < 0.5
    lowest, octaves = (_pitch(rng, OCTAVES - 1), 1.0) if close else (LOWEST_PITCH, OCTAVES)
    for _ in range(count):
        period = _period(overtones, slope, odd_only, rng)
        pitch = _pitch(rng, octaves, lowest) * 2 ** (glide * time)
        sound += rng.uniform(0.4, 1) * _note(period, pitch)
    return sound


def mains_hum(length: int, rng: np.random.Generator) -> np.ndarray:
    """The hum of a supply of 50 or 60 Hz, rich in overtones, the even ones often missing."""
    pitch = (50.0 if rng.random() < 0.5 else 60.0) * rng.uniform(0.98, 1.02)
    period = _period(int(rng.integers(4, 25)), rng.uniform(0.4, 1.6), rng.random() < 0.5, rng)
    return _note(period, np.full(length, pitch))


def struck_notes(length: int, rng: np.random.Generator) -> np.ndarray:
    """Two to eight notes that begin and die away at random: piano, guitar, bells."""
    time = np.arange(length) / SAMPLE_RATE
    period = _period(int(rng.integers(1, 10)), rng.uniform(0.7, 1.5), False, rng)
    sound = np.zeros(length)
    for _ in range(rng.integers(2, 9)):
        since = time - rng.uniform(-0.3, time[-1])
        decay = np.where(since < 0, 0.0, np.exp(-np.maximum(since, 0) / rng.uniform(0.1, 1)))
        sound += decay * _note(period, np.full(length, _pitch(rng)))
    return sound


def beats(length: int, rng: np.random.Generator) -> np.ndarray:
    """A steady beat of noise and low thumps, alone or over held notes."""
    time = np.arange(length) / SAMPLE_RATE
    rate, decay = rng.uniform(2.0, 9.0), rng.uniform(0.01, 0.08)
    since = (time + rng.random()) % (1 / rate)
    hit = hiss(length, rng)
    sound = hit / max(float(hit.std()), 1e-12) * np.exp(-since / decay)
    thump = np.sin(2 * np.pi * rng.uniform(45, 120) * since) * np.exp(-since / rng.uniform(0.05, 0.15))
    sound = sound + rng.uniform(0, 2) * thump
    if rng.random() < 0.6:
        notes = held_notes(length, rng)
        sound = sound + rng.uniform(0.1, 1.0) * notes / max(float(notes.std()), 1e-12)
    return sound


_MAKERS: tuple[Make, ...] = (hiss, held_notes, mains_hum, struck_notes, beats)
_SHARES = (0.42, 0.25, 0.06, 0.18, 0.09)


def _pitch(rng: np.random.Generator, octaves: float = OCTAVES, lowest: float = LOWEST_PITCH) -> float:
    return lowest * 2 ** rng.uniform(0, octaves)


def _period(overtones: int, slope: float, odd_only: bool, rng: np.random.Generator) -> np.ndarray:
    """One period [TABLE] of a note whose n-th overtone is n ** -slope as strong as the first."""
    angle = 2 * np.pi * np.arange(TABLE) / TABLE
    number = np.arange(1, overtones + 1)[:: 2 if odd_only else 1, None]
    phase = rng.uniform(0, 2 * np.pi, number.shape)
    return (np.sin(number * angle + phase) * number**-slope).sum(axis=0)


def _note(period: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """A note at a pitch in Hz that may change [length]; overtones too high to be heard fold back."""
    turns = np.cumsum(pitch) / SAMPLE_RATE
    return period[(turns * TABLE).astype(np.int64) % TABLE]


def _swell(length: int, rng: np.random.Generator) -> np.ndarray:
    points = max(2, length * 6 // SAMPLE_RATE)
    return np.interp(np.arange(length), np.linspace(0, length, points), rng.uniform(0.05, 1, points))
