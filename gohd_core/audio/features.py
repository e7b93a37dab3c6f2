"""From a waveform to everything the motion models hear, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gohd_core.audio.alignment import check_alignment, chunk_index, condition_index, frame_count
from gohd_core.audio.loudness import normalise_loudness
from gohd_core.audio.mel import spectrogram_80, spectrogram_100
from gohd_core.audio.waveform import check_waveform, to_mono_16k
from gohd_core.constants import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from gohd_core.errors import BadInput


@dataclass(frozen=True)
class AudioFeatures:
    """A clip's sound at 25 frames a second; T whole frames of 40 ms. Tensors are on the CPU.

    Attributes:
        mel: condition of the diffusion models, float32 [T, 320], in `alignment`.
        duration: length of the sound that was given, in seconds (T = floor(25 * duration)).
        alignment: the one `mel` is in: "release", "aligned" or "mel100".
        spectrogram: the 80/s mel spectrogram, float32 [N, 80], in [-4, 4].
        waveform: 16 kHz mono samples, float32 [S].
    """

    mel: Tensor
    duration: float
    alignment: str
    spectrogram: Tensor
    waveform: Tensor

    def __len__(self) -> int:
        return len(self.mel)

    @property
    def chunks(self) -> Tensor:
        """Lip chunks of the expression predictor, float32 [T, 80, 16], in [-4, 4]."""
        return self.lip_chunks()

    def lip_chunks(self, first: int = 0, last: int | None = None) -> Tensor:
        """The lip chunks of some frames; they overlap, so that all of a long clip are better not held."""
        rows = torch.from_numpy(chunk_index(len(self), first, last))
        return self.spectrogram[rows].transpose(1, 2).contiguous()  # [T,16,80] -> [T,80,16]

    def condition(self, alignment: str) -> Tensor:
        """The diffusion models' condition [T, 320] in another alignment."""
        if alignment == self.alignment:
            return self.mel
        return _condition(self.spectrogram, self.waveform, len(self), alignment)


def audio_features(
    waveform: Any, sample_rate: float, alignment: str = "aligned", *, loudness: float | None = None
) -> AudioFeatures:
    """Compute the features of a waveform [N] or [C, N] (tensor or array, full scale 1).

    `loudness` in LUFS (say -23) brings the sound to that level first; silence stays silence.
    Raises BadInput for audio that is empty, shorter than a frame, NaN or of the wrong shape.
    """
    check_alignment(alignment)
    samples, rate = check_waveform(waveform, sample_rate)
    duration = samples.shape[-1] / rate
    mono = to_mono_16k(samples, rate)
    frames = frame_count(len(mono))
    if frames == 0:
        raise BadInput(
            f"The audio is {1000 * duration:.3g} ms long; one frame of motion needs "
            f"{1000 // FPS} ms ({SAMPLES_PER_FRAME} samples at {SAMPLE_RATE} Hz)."
        )
    if loudness is not None:
        mono = normalise_loudness(mono, SAMPLE_RATE, loudness)
    spectrogram = torch.from_numpy(spectrogram_80(mono))
    kept = torch.from_numpy(mono)
    return AudioFeatures(
        mel=_condition(spectrogram, kept, frames, alignment),
        duration=duration,
        alignment=alignment,
        spectrogram=spectrogram,
        waveform=kept.float(),
    )


def _condition(spectrogram: Tensor, waveform: Tensor, frames: int, alignment: str) -> Tensor:
    rows = torch.from_numpy(condition_index(frames, alignment))
    if alignment == "mel100":
        spectrogram = torch.from_numpy(spectrogram_100(waveform.double().numpy()))
    return spectrogram[rows].flatten(1)  # [T,4,80] -> [T,320]
