"""Channel simulation between a mouth and a recording: whispering, microphones, telephones, codecs."""

from __future__ import annotations

import numpy as np

from gohd_core.constants import SAMPLE_RATE
from gohd_core.training.audio.interpolation import interpolate_rows

WINDOW = 512
"""Samples of the short-time spectra that are changed here."""
HOP = 128
"""Samples between two of them."""


def whispered(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Speech without a voice [S]: the spectrum's envelope is kept, noise takes the place of its harmonics.

    Low bands lose up to 15 dB, as whispers do, and all of it up to 20. Silence stays silence.
    """
    level = float(np.sqrt(np.mean(samples**2)))
    strength = np.abs(_spectra(samples))
    envelope = np.exp(_smooth(np.log(strength + 1e-7), 12))
    frequency = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
    tilt = 10 ** (-rng.uniform(5, 15) / 20 * np.clip(1 - frequency / 1500, 0, 1))
    phase = np.exp(2j * np.pi * rng.random(strength.shape))
    breath = _sound(envelope * tilt * phase, len(samples))
    scale = level / max(float(np.sqrt(np.mean(breath**2))), 1e-9)
    return breath * scale * 10 ** (-rng.uniform(0, 20) / 20)


def overdriven(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Overdrive [S]: a microphone, compressor or shout that saturates."""
    peak = max(float(np.abs(samples).max()), 1e-6)
    drive = rng.uniform(1.5, 8.0)
    return np.tanh(drive * samples / peak) * peak / np.tanh(drive)


def shouted(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Speech as if shouted [S]: 6 to 14 dB more from 1 to 4 kHz, quiet syllables nearer to loud ones, driven.

    J.-C. Junqua, "The Lombard reflex and its role on human listeners", JASA 93 (1993).
    """
    spectra = _spectra(samples)
    frequency = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
    lift = rng.uniform(6, 14) * np.exp(-(np.log2(np.maximum(frequency, 1.0) / 2000) ** 2))
    level = np.sqrt(np.mean(np.abs(spectra) ** 2, axis=1, keepdims=True))
    loud = max(float(np.percentile(level, 95)), 1e-9)
    nearer = np.clip(level / loud, 1e-3, 1) ** -0.3
    return overdriven(_sound(spectra * nearer * 10 ** (lift / 20), len(samples)), rng)


def sung(samples: np.ndarray, rng: np.random.Generator, tempo: float) -> np.ndarray:
    """Speech as if sung [S tempo]: on notes of a scale with vibrato, drawn out by `tempo`.

    The envelope of its spectrum is kept, harmonics of the notes take the place of the voice's own; what has
    most of its strength above 3 kHz is breath and stays noise.
    """
    strength = np.abs(_spectra(samples))
    envelope = _smooth(np.log(strength + 1e-7), 8)
    envelope = np.exp(interpolate_rows(envelope, np.arange(int(len(envelope) * tempo)) / tempo))
    length = int(len(samples) * tempo)
    time = np.arange(length + 2 * WINDOW) / SAMPLE_RATE
    scale = np.array([0, 2, 4, 5, 7, 9, 11, 12])
    notes = scale[rng.integers(0, len(scale), int(time[-1] / 0.4) + 2)]
    pitch = rng.uniform(110, 260) * 2 ** (notes[(time / 0.4).astype(np.int64)] / 12)
    turns = np.cumsum(pitch * (1 + 0.012 * np.sin(2 * np.pi * 5.5 * time))) / SAMPLE_RATE
    pulses = np.zeros(len(time))
    pulses[np.flatnonzero(np.diff(np.floor(turns)))] = 1
    frequency = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
    breath = (envelope[:, frequency > 3000] ** 2).sum(1) > (envelope[:, frequency <= 3000] ** 2).sum(1)
    voiced, noise = (_spectra(x)[: len(envelope)] for x in (pulses, rng.standard_normal(len(time))))
    spectra = np.where(
        breath[: len(voiced), None],
        noise / np.sqrt(np.mean(np.abs(noise) ** 2)),
        voiced / np.sqrt(np.mean(np.abs(voiced) ** 2)),
    )
    found = _sound(spectra * envelope[: len(spectra)], length)
    level, made = (max(float(np.sqrt(np.mean(x**2))), 1e-9) for x in (samples, found))
    return np.pad(found, (0, max(0, length - len(found)))) * level / made


def telephoned(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A telephone's band, about 300 to 3400 Hz, in 8 bits by the mu-law (ITU-T G.711); [S]."""
    low, high = rng.uniform(180, 400), rng.uniform(2800, 3600)
    spectrum = np.fft.rfft(samples)
    frequency = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    spectrum /= (1 + (low / np.maximum(frequency, 1.0)) ** 8) * (1 + (frequency / high) ** 16)
    narrow = np.fft.irfft(spectrum, len(samples))
    peak = max(float(np.abs(narrow).max()), 1e-6)
    folded = np.sign(narrow) * np.log1p(255 * np.abs(narrow) / peak) / np.log(256)
    folded = np.round(folded * 127) / 127
    return np.sign(folded) * (256 ** np.abs(folded) - 1) / 255 * peak


def coded(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A codec of few bits [S]: weak bins beside strong ones are dropped, the rest is quantised coarsely."""
    spectra = _spectra(samples)
    strength = np.abs(spectra)
    around = _smooth(strength, 16) + 1e-9
    step = around * rng.uniform(0.5, 2.5)
    return _sound(spectra / np.maximum(strength, 1e-9) * np.round(strength / step) * step, len(samples))


def microphone_curve(bands: int, rng: np.random.Generator, largest: float) -> np.ndarray:
    """A microphone's frequency response [bands]: a smooth curve of up to about `largest` dB."""
    points = rng.uniform(-largest, largest, int(rng.integers(3, 9)))
    return np.interp(np.arange(bands), np.linspace(0, bands - 1, len(points)), points)


def _spectra(samples: np.ndarray) -> np.ndarray:
    """Short-time spectra [frames, WINDOW / 2 + 1]."""
    padded = np.pad(samples, (WINDOW, WINDOW + -len(samples) % HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    return np.fft.rfft(frames * np.hanning(WINDOW + 1)[:-1])


def _sound(spectra: np.ndarray, length: int) -> np.ndarray:
    """Samples [length] of short-time spectra, overlapped and added."""
    window = np.hanning(WINDOW + 1)[:-1]
    parts = np.fft.irfft(spectra, WINDOW) * window
    total = np.zeros((len(parts) - 1) * HOP + WINDOW)
    for k in range(WINDOW // HOP):
        rows = parts[k :: WINDOW // HOP].reshape(-1)
        total[k * HOP : k * HOP + len(rows)] += rows
    # four squared Hann windows add up to 3 / 2
    return total[WINDOW : WINDOW + length] / 1.5


def _smooth(rows: np.ndarray, width: int) -> np.ndarray:
    """Moving mean over 2 `width` + 1 columns of [frames, columns]."""
    from scipy.ndimage import uniform_filter1d

    return uniform_filter1d(rows, 2 * width + 1, axis=1, mode="nearest")
