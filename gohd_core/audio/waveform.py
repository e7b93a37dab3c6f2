"""Waveforms as arrays: checks, mixing to mono, resampling to 16 kHz."""

from __future__ import annotations

from typing import Any

import numpy as np

from gohd_core.constants import SAMPLE_RATE
from gohd_core.errors import BadInput

MAX_CHANNELS = 64
_HALF_POWER = 0.5**0.5
_SIDES = {3: "LRC", 4: "LRlr", 5: "LRClr", 6: "LRC-lr", 7: "LRC-clr", 8: "LRC-lrlr"}
"""Position of channels by their number, in WAVE order: left, right, centre, none (low frequencies); small
letters behind."""
_ANTIPHASE = 0.01
"""Share of the channels' power below which their mean says nothing of them."""


def check_waveform(waveform: Any, sample_rate: float) -> tuple[np.ndarray, int]:
    """The waveform as floating-point [C, N] and its rate in Hz; `BadInput` for anything else.

    `waveform` is a tensor or array [N] or [C, N] of floating-point samples, full scale 1.
    """
    rate = float(sample_rate)
    if not np.isfinite(rate) or rate < 1 or rate != int(rate):
        raise BadInput(f"The sample rate must be a whole number of Hz above 0, not {sample_rate}.")
    if hasattr(waveform, "detach"):
        tensor = waveform.detach().cpu()
        # NumPy has no bfloat16.
        waveform = (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()
    samples = np.asarray(waveform)
    if not np.issubdtype(samples.dtype, np.floating):
        raise BadInput(
            f"The waveform's samples are {samples.dtype}; give floating-point samples with full "
            "scale 1 (divide 16-bit samples by 32768)."
        )
    if samples.ndim == 1:
        samples = samples[None]
    if samples.ndim != 2:
        raise BadInput(f"The waveform has shape {list(samples.shape)}; give one clip as [channels, samples].")
    if samples.size == 0:
        raise BadInput("The audio is empty; give at least one frame of sound (40 ms).")
    if samples.shape[0] > MAX_CHANNELS:
        raise BadInput(
            f"The waveform has {samples.shape[0]} channels; if its shape is [samples, channels], "
            "transpose it to [channels, samples]."
        )
    bad = samples.size - int(np.count_nonzero(np.isfinite(samples)))
    if bad:
        raise BadInput(f"The waveform holds {bad} NaN or infinite samples; repair or re-export the audio.")
    return samples, int(rate)


def resample(samples: np.ndarray, rate: int, target: int) -> np.ndarray:
    """Resample floats [..., N] from `rate` to `target` Hz: ceil(N * target / rate) samples.

    Band-limited (soxr's high-quality kernel, linear phase, no delay).
    """
    if rate == target:
        return samples
    import soxr  # what `librosa.resample` calls; importing that takes seconds

    length = -(-samples.shape[-1] * target // rate)
    resampled = np.apply_along_axis(soxr.resample, -1, samples, rate, target, quality="soxr_hq")
    missing = [(0, 0)] * (samples.ndim - 1) + [(0, max(0, length - resampled.shape[-1]))]
    return np.pad(resampled[..., :length], missing)


def to_stereo(samples: np.ndarray) -> np.ndarray:
    """Samples [C, N] as they are up to two channels, else as [2, N], mixed as ITU-R BS.775 says.

    Centre and surround come to both sides, or their own, at -3 dB, so that a voice in the centre is as
    loud as it was; what would clip is scaled down as a whole. Numbers of channels that no layout has
    become [1, N].
    """
    sides = _SIDES.get(len(samples))
    if len(samples) <= 2:
        return samples
    if sides is None:
        return samples.mean(0, keepdims=True)
    gains = np.array([[_gain(place, side) for place in sides] for side in "lr"])
    gains = gains.astype(np.result_type(samples, np.float32))
    mixed = gains @ samples
    return mixed / max(1.0, float(np.abs(mixed).max()))


def _gain(place: str, side: str) -> float:
    if place in "Cc":
        return _HALF_POWER
    return 0.0 if place.lower() != side else 1.0 if place.isupper() else _HALF_POWER


def to_mono_16k(waveform: Any, sample_rate: float) -> np.ndarray:
    """Mix a waveform [N] or [C, N] of any rate to float64 [samples] at 16 kHz.

    Two channels are averaged with equal weight, as librosa's `to_mono` does; more are mixed to two first.
    Where two cancel each other out (a microphone's wires were swapped) the louder one counts.
    """
    samples, rate = check_waveform(waveform, sample_rate)
    samples = to_stereo(samples)
    mono = samples.mean(axis=0, dtype=np.float64)
    if len(samples) == 2:
        power = np.square(samples, dtype=np.float64).mean(1)
        if np.square(mono).mean() < _ANTIPHASE * power.min():
            mono = samples[int(power.argmax())].astype(np.float64)
    return resample(mono, rate, SAMPLE_RATE)
