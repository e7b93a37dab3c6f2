"""Prosody that moves head, brows and eyes: pitch, energy, phrases and stressed syllables of an utterance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gohd_core.constants import SAMPLE_RATE
from gohd_core.stylised.motion.curves import smooth
from gohd_core.stylised.speech.phones import PAUSE, VOWELS, Phone

HOP = 160
"""Samples between two values: 100 a second."""
STEP = HOP / SAMPLE_RATE
PITCH_RANGE = (60.0, 420.0)
"""Hz."""
SILENCE = -75.0
"""dB of full scale below which nothing is speech."""
PHRASE_GAP = 0.12
"""Seconds of silence that end a phrase."""


@dataclass(frozen=True)
class Prosody:
    """Curves at 100 values a second and events in seconds.

    energy: loudness `[n]`, 0 in silence, about 1 at the loudest; pitch: `[n]` in semitones around
    the speaker's median, 0 where unvoiced; voiced: `[n]` bool.
    """

    energy: np.ndarray
    pitch: np.ndarray
    voiced: np.ndarray
    phrases: tuple[tuple[float, float], ...]
    syllables: np.ndarray
    """`[n, 3]`: middle (s), length (s) and stress (about 0 to 1) of every syllable's nucleus."""

    @property
    def times(self) -> np.ndarray:
        """Seconds of the curves' values."""
        return (np.arange(len(self.energy)) + 0.5) * STEP


def analyse(audio: np.ndarray, phones: Sequence[Phone]) -> Prosody:
    """Prosody of clean speech `audio [N]` at 16 kHz."""
    energy = loudness(audio)
    pitch, voiced = pitch_track(audio)
    pitch, voiced = pitch[: len(energy)], voiced[: len(energy)]
    phrases = _phrases(phones)
    return Prosody(energy, pitch, voiced, phrases, _syllables(phones, energy, pitch, voiced))


def loudness(audio: np.ndarray) -> np.ndarray:
    """Smoothed loudness `[n]`: -45 dB and less below the loud parts is 0, the loud parts are 1."""
    count = max(1, len(audio) // HOP)
    padded = np.zeros(count * HOP)
    padded[: min(len(audio), count * HOP)] = audio[: count * HOP]
    power = (padded.reshape(count, HOP) ** 2).mean(1)
    level = 10 * np.log10(smooth(power, 1.2) + 1e-10)
    energy = np.clip((level - np.percentile(level, 95)) / 45 + 1, 0, 1.2)
    return np.where(level > SILENCE, energy, 0.0)


def pitch_track(audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pitch in semitones around the median, and where speech is voiced, by autocorrelation.

    The normalised autocorrelation (divided by the window's own, P. Boersma 1993) of 40 ms windows;
    clean synthetic speech needs no path search beyond a median filter of five values.
    """
    length = 640
    count = max(1, len(audio) // HOP)
    padded = np.concatenate([np.zeros(length // 2), audio, np.zeros(length)])
    index = np.arange(count)[:, None] * HOP + np.arange(length) + HOP // 2
    window = np.hanning(length)
    frames = padded[index]
    frames = (frames - frames.mean(1, keepdims=True)) * window
    power = np.abs(np.fft.rfft(frames, 2048)) ** 2
    correlation = np.fft.irfft(power)[:, :length]
    own = np.fft.irfft(np.abs(np.fft.rfft(window, 2048)) ** 2)[:length]
    shortest, longest = (int(SAMPLE_RATE / hertz) for hertz in PITCH_RANGE[::-1])
    strength = correlation / np.maximum(correlation[:, :1], 1e-9) / (own / own[0])
    part = strength[:, shortest:longest]
    # of nearly equal peaks the shortest period is the right one
    good = part >= 0.9 * part.max(1, keepdims=True)
    peak = good & (part >= np.roll(part, 1, 1)) & (part >= np.roll(part, -1, 1))
    lag = shortest + np.where(peak.any(1), peak.argmax(1), part.argmax(1))
    loud = correlation[:, 0] > 1e-3 * correlation[:, 0].max()
    voiced = (part.max(1) > 0.55) & loud
    semitones = 12 * np.log2(SAMPLE_RATE / lag)
    if voiced.any():
        semitones = semitones - np.median(semitones[voiced])
    semitones = np.where(voiced, np.clip(semitones, -9, 9), 0.0)
    five = np.stack([np.roll(semitones, k) for k in range(-2, 3)])
    return np.median(five, 0), voiced


def _phrases(phones: Sequence[Phone]) -> tuple[tuple[float, float], ...]:
    phrases: list[tuple[float, float]] = []
    start, end = None, 0.0
    for phone in phones:
        if phone.name != PAUSE:
            start = phone.start if start is None else start
            end = phone.end
        elif start is not None and phone.end - phone.start >= PHRASE_GAP:
            phrases.append((start, end))
            start = None
    if start is not None:
        phrases.append((start, end))
    return tuple(phrases)


def _syllables(
    phones: Sequence[Phone], energy: np.ndarray, pitch: np.ndarray, voiced: np.ndarray
) -> np.ndarray:
    """Nuclei with a stress score from loudness, pitch and length, each ranked in the utterance."""
    nuclei = []
    for before, phone in zip([None, *phones], phones, strict=False):
        if phone.name not in VOWELS:
            continue
        if before is not None and before.name in VOWELS and nuclei:
            nuclei[-1][1] = phone.end
            continue
        nuclei.append([phone.start, phone.end])
    if not nuclei:
        return np.zeros((0, 3))
    rows = []
    for start, end in nuclei:
        first = min(int(start / STEP), len(energy) - 1)
        part = slice(first, max(int(end / STEP), first + 1))
        tone = pitch[part][voiced[part]]
        rows.append((energy[part].max(), tone.max() if len(tone) else -4.0, end - start))
    cues = np.array(rows)
    ranks = cues.argsort(0).argsort(0) / max(len(cues) - 1, 1)
    stress = ranks @ np.array([0.35, 0.40, 0.25])
    spans = np.array(nuclei)
    return np.stack([spans.mean(1), spans[:, 1] - spans[:, 0], stress], 1)
