"""The two mel spectrograms of GoHD: 80 rows a second (lips, release) and 100 rows a second.

The 80/s one is that of Wav2Lip, which both the lip expert and the release use; the 100/s one is
computed and thrown away by the official script, while its parameters hint that the diffusion
models may have been trained on it.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from gohd_core.constants import N_MELS, SAMPLE_RATE, SAMPLES_PER_FRAME

ROWS_PER_SECOND = 80
HOP_80 = 200
"""Samples between rows of the spectrogram at 80 rows a second."""
FFT_80 = 800
"""Samples of its windows."""
LOWEST_80 = 55.0
"""Lower edge of its bands, Hz."""
HOP_100 = 160
"""The same at 100 rows a second."""
FFT_100 = 1280
LOWEST_100 = 125.0
HIGHEST = 7600.0
"""Upper edge of all bands, Hz."""
_STORED = ((FFT_80, LOWEST_80), (FFT_100, LOWEST_100))
"""Bands that are in mel_bands.npz."""
PREEMPHASIS = 0.97
FLOOR = 1e-5
REFERENCE_DB = 20.0
"""Subtracted from levels before they are scaled."""
RANGE_DB = 100.0
"""Range of levels that is scaled to the features' own."""
SYMMETRIC_LIMIT = 4.0
TARGET_RMS = 0.1
ROWS_AT_ONCE = 2048


def spectrogram_80(samples: np.ndarray) -> np.ndarray:
    """Mel spectrogram [N, 80] in [-4, 4], 80 rows a second, of 16 kHz samples [S].

    Only whole frames of motion count: the last S % 640 samples are cut off. Row k is centred at
    k / 80 s; N = used // 200 + 1. Pre-emphasis 0.97, 55-7600 Hz, zero padding at both ends.
    """
    used = samples[: len(samples) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME]
    limits = -SYMMETRIC_LIMIT, SYMMETRIC_LIMIT
    return _mel_level(used, FFT_80, HOP_80, LOWEST_80, limits, emphasis=PREEMPHASIS)


def spectrogram_100(samples: np.ndarray) -> np.ndarray:
    """Mel spectrogram [N, 80] in [0, 1], 100 rows a second, of 16 kHz samples [S].

    The samples are scaled to a root mean square of 0.1 first (silence stays as it is); row k is
    centred at k / 100 s; N = S // 160 + 1. 125-7600 Hz, no pre-emphasis, zero padding.
    """
    samples = samples.astype(np.float64, copy=False)
    rms = float(np.sqrt(np.mean(samples**2)))
    scaled = samples * (TARGET_RMS / rms) if rms > 0 else samples
    return _mel_level(scaled, FFT_100, HOP_100, LOWEST_100, (0.0, 1.0))


def _mel_level(
    samples: np.ndarray,
    n_fft: int,
    hop: int,
    lowest: float,
    limits: tuple[float, float],
    emphasis: float = 0.0,
) -> np.ndarray:
    """Decibels of the mel magnitudes, mapped so that [-100, 0] dB re 20 dB becomes `limits`, and clipped.

    Rows are made some at a time, so that a long clip needs no more memory than its own rows.
    """
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    filters = mel_filters(n_fft, lowest)
    low, high = limits
    rows = np.empty((len(samples) // hop + 1, N_MELS), np.float32)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        first = start * hop - n_fft // 2
        heard = _emphasised(samples, first, first + (len(part) - 1) * hop + n_fft, emphasis)
        frames = np.lib.stride_tricks.sliding_window_view(heard, n_fft)[::hop]
        magnitudes = np.abs(np.fft.rfft(frames * window, axis=1)) @ filters.T
        decibels = 20 * np.log10(np.maximum(FLOOR, magnitudes)) - REFERENCE_DB
        part[:] = np.clip((high - low) * ((decibels + RANGE_DB) / RANGE_DB) + low, low, high)
    return rows


def _emphasised(samples: np.ndarray, first: int, last: int, emphasis: float) -> np.ndarray:
    """Samples first .. last - 1 in float64, pre-emphasised; zeros outside of the clip."""
    lead, right = max(first - 1, 0), min(last, len(samples))
    heard = samples[lead:right].astype(np.float64)
    heard[1:] -= emphasis * heard[:-1]
    if first > 0:
        heard = heard[1:]
    return np.pad(heard, (max(-first, 0), last - right))


@lru_cache(maxsize=4)
def mel_filters(n_fft: int, lowest: float) -> np.ndarray:
    """Slaney's mel bands [80, n_fft // 2 + 1] for 16 kHz: triangles of equal area (read-only).

    `librosa.filters.mel` makes them. Importing that takes two seconds, so those of both spectrograms lie in
    mel_bands.npz beside this file, as `np.savez_compressed(path, **{"800": mel(sr=16000, n_fft=800,
    n_mels=80, fmin=55, fmax=7600, dtype=np.float64), "1280": ...})` wrote them.
    """
    if (n_fft, lowest) in _STORED:
        bands = np.load(Path(__file__).with_name("mel_bands.npz"), allow_pickle=False)[str(n_fft)]
    else:
        from librosa.filters import mel

        bands = mel(sr=SAMPLE_RATE, n_fft=n_fft, n_mels=N_MELS, fmin=lowest, fmax=HIGHEST, dtype=np.float64)
    bands.setflags(write=False)
    return bands
