"""Slow, obvious versions of the audio features: one row, one band, one sum at a time."""

from __future__ import annotations

import math

import numpy as np


def hz_to_mel(frequency: float) -> float:
    """Slaney's scale."""
    if frequency < 1000:
        return 3 * frequency / 200
    return 15 + 27 * math.log(frequency / 1000) / math.log(6.4)


def mel_to_hz(mel: float) -> float:
    if mel < 15:
        return 200 * mel / 3
    return 1000 * math.exp((mel - 15) * math.log(6.4) / 27)


def band_weight(band: int, frequency: float, lowest: float, highest: float) -> float:
    """Weight of a frequency in one of 80 triangles whose areas are equal."""
    low, high = hz_to_mel(lowest), hz_to_mel(highest)
    left, centre, right = (mel_to_hz(low + (high - low) * (band + k) / 81) for k in (0, 1, 2))
    if not left < frequency < right:
        return 0.0
    if frequency <= centre:
        height = (frequency - left) / (centre - left)
    else:
        height = (right - frequency) / (right - centre)
    return height * 2 / (right - left)


def row(samples: np.ndarray, index: int, n_fft: int, hop: int, lowest: float) -> list[float]:
    """The levels (dB re 20 dB) of one spectrogram row, by the definition of the transform."""
    frame = np.zeros(n_fft)
    for n in range(n_fft):
        at = index * hop - n_fft // 2 + n
        if 0 <= at < len(samples):
            frame[n] = samples[at] * (0.5 - 0.5 * math.cos(2 * math.pi * n / n_fft))
    bins = range(n_fft // 2 + 1)
    turn = -2j * np.pi * np.arange(n_fft) / n_fft
    magnitude = [abs(np.sum(frame * np.exp(turn * k))) for k in bins]
    frequency = [16000 * k / n_fft for k in bins]
    levels = []
    for band in range(80):
        total = sum(
            band_weight(band, f, lowest, 7600.0) * m for f, m in zip(frequency, magnitude, strict=True)
        )
        levels.append(20 * math.log10(max(1e-5, total)) - 20)
    return levels


def row_80(samples: np.ndarray, index: int) -> list[float]:
    """Row `index` of the 80/s spectrogram."""
    used = samples[: len(samples) // 640 * 640]
    emphasised = np.array(
        [used[n] - (0.97 * used[n - 1] if n else 0.0) for n in range(len(used))], np.float64
    )
    levels = row(emphasised, index, 800, 200, 55.0)
    return [min(4.0, max(-4.0, 8 * (s + 100) / 100 - 4)) for s in levels]


def row_100(samples: np.ndarray, index: int) -> list[float]:
    """Row `index` of the 100/s spectrogram."""
    scaled = samples / np.sqrt(np.mean(samples**2)) * 0.1
    levels = row(scaled, index, 1280, 160, 125.0)
    return [min(1.0, max(0.0, (s + 100) / 100)) for s in levels]
