"""Sound: loading, resampling, mel spectrograms and their alignment to frames of motion."""

from __future__ import annotations

from gohd_core.audio.alignment import ALIGNMENTS, chunk_index, condition_index, frame_count
from gohd_core.audio.features import AudioFeatures, audio_features
from gohd_core.audio.loading import load_audio, load_soundtrack
from gohd_core.audio.loudness import measure_loudness, normalise_loudness
from gohd_core.audio.mel import mel_filters, spectrogram_80, spectrogram_100
from gohd_core.audio.waveform import check_waveform, resample, to_mono_16k

__all__ = [
    "ALIGNMENTS",
    "AudioFeatures",
    "audio_features",
    "check_waveform",
    "chunk_index",
    "condition_index",
    "frame_count",
    "load_audio",
    "load_soundtrack",
    "measure_loudness",
    "mel_filters",
    "normalise_loudness",
    "resample",
    "spectrogram_80",
    "spectrogram_100",
    "to_mono_16k",
]
