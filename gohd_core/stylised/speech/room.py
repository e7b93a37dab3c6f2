"""Acoustics of a recording: room, microphone, noise and level, so that training hears more than studios.

Nothing here delays the speech: the direct sound arrives at time zero.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gohd_core.constants import SAMPLE_RATE

NOISES = ("none", "white", "pink", "hum", "babble")


@dataclass(frozen=True)
class Room:
    """Conditions of one recording."""

    reverberation: float = 0.0
    """Seconds in which sound falls by 60 dB; 0 is a studio."""
    distance: float = 0.0
    """Reverberant energy against direct, 0 to 1."""
    low_cut: float = 0.0
    """Hz below which the microphone hears little."""
    high_cut: float = 8000.0
    tilt: float = 0.0
    """dB per octave around 1 kHz."""
    noise: str = "none"
    snr: float = 60.0
    """Speech above noise, dB."""
    level: float = -20.0
    """Loudness of the speech, dB of full scale (root mean square)."""
    drive: float = 0.0
    """Soft clipping, 0 to 1."""

    @classmethod
    def random(cls, rng: np.random.Generator) -> Room:
        """A random recording; a third are clean studios."""
        level = float(rng.uniform(-32, -14))
        if rng.random() < 0.33:
            return cls(tilt=float(rng.normal(0, 0.6)), level=level)
        phone = rng.random() < 0.12
        noise = NOISES[int(rng.choice(len(NOISES), p=[0.3, 0.2, 0.25, 0.1, 0.15]))]
        return cls(
            reverberation=float(rng.uniform(0.12, 0.7)),
            distance=float(rng.beta(1.5, 4)),
            low_cut=float(rng.uniform(200, 350) if phone else rng.uniform(0, 120)),
            high_cut=float(rng.uniform(3200, 3800) if phone else rng.uniform(5000, 8000)),
            tilt=float(rng.normal(0, 1.2)),
            noise=noise,
            snr=float(rng.uniform(8, 40)),
            level=level,
            drive=float(max(0.0, rng.normal(-0.3, 0.4))),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a clip's description."""
        return asdict(self)


def place(audio: np.ndarray, room: Room, rng: np.random.Generator) -> np.ndarray:
    """`audio [N]` (16 kHz, float) as recorded in `room`: float32 [N] within [-1, 1]."""
    heard = audio.astype(np.float64)
    if room.reverberation > 0 and room.distance > 0:
        heard = _convolve(heard, impulse_response(room, rng))
    heard = _equalise(heard, room)
    heard = heard * _to_level(heard, room.level)
    if room.noise != "none":
        noise = _noise(room.noise, len(heard), rng)
        heard = heard + noise * _to_level(noise, room.level - room.snr)
    if room.drive > 0:
        gain = 1 + 6 * room.drive
        heard = np.tanh(gain * heard) / gain
    return np.clip(heard, -1, 1).astype(np.float32)


def impulse_response(room: Room, rng: np.random.Generator) -> np.ndarray:
    """Direct sound at sample 0, a few early echoes, then exponentially falling noise."""
    length = max(64, int(room.reverberation * SAMPLE_RATE))
    times = np.arange(length) / SAMPLE_RATE
    tail = rng.normal(size=length) * 10 ** (-3 * times / room.reverberation)
    first = int(rng.uniform(0.004, 0.015) * SAMPLE_RATE)
    tail[:first] = 0
    for _ in range(6):
        when = int(rng.uniform(0.002, 0.03) * SAMPLE_RATE)
        if when < length:
            tail[when] += rng.normal() * 3
    response = tail * np.sqrt(room.distance / max((tail**2).sum(), 1e-12))
    response[0] = 1.0
    return response


def _convolve(audio: np.ndarray, response: np.ndarray) -> np.ndarray:
    size = 1 << (len(audio) + len(response) - 1).bit_length()
    spectrum = np.fft.rfft(audio, size) * np.fft.rfft(response, size)
    return np.fft.irfft(spectrum, size)[: len(audio)]


def _equalise(audio: np.ndarray, room: Room) -> np.ndarray:
    """Zero-phase filtering: gains only, so that nothing is delayed."""
    size = 1 << (len(audio) + SAMPLE_RATE // 4).bit_length()
    hertz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    octave = np.log2(np.maximum(hertz, 30.0) / 1000)
    gain = 10 ** (room.tilt * octave / 20)
    if room.low_cut > 0:
        gain /= np.sqrt(1 + (room.low_cut / np.maximum(hertz, 1.0)) ** 4)
    if room.high_cut < SAMPLE_RATE / 2:
        gain /= np.sqrt(1 + (hertz / room.high_cut) ** 8)
    return np.fft.irfft(np.fft.rfft(audio, size) * gain, size)[: len(audio)]


def _to_level(audio: np.ndarray, decibel: float) -> float:
    """Factor that brings the loud half of `audio` to that level; at most 60 dB of gain."""
    power = np.convolve(audio**2, np.full(400, 1 / 400), "same")[::200]
    loud = np.sort(power)[len(power) // 2 :]
    return min(10 ** (decibel / 20) / max(float(np.sqrt(loud.mean())), 1e-9), 1000.0)


def _noise(kind: str, count: int, rng: np.random.Generator) -> np.ndarray:
    size = 1 << count.bit_length()
    hertz = np.maximum(np.fft.rfftfreq(size, 1 / SAMPLE_RATE), 20.0)
    spectrum = rng.normal(size=len(hertz)) + 1j * rng.normal(size=len(hertz))
    if kind == "pink":
        spectrum /= np.sqrt(hertz)
    elif kind == "hum":
        base = rng.uniform(48, 62)
        lines = sum(np.exp(-(((hertz - base * k) / 2) ** 2)) / k for k in range(1, 8))
        spectrum *= lines + 0.02 / np.sqrt(hertz / 20)
    elif kind == "babble":
        spectrum *= np.exp(-((np.log2(hertz / 500) / 1.4) ** 2))
    noise = np.fft.irfft(spectrum)[:count]
    if kind == "babble":
        # many voices at once: speech-shaped noise that swells with the rhythm of syllables
        slow = rng.normal(size=count // 1600 + 3)
        swell = np.interp(np.arange(count) / 1600, np.arange(len(slow)), slow)
        noise = noise * np.exp(0.4 * swell)
    return noise
