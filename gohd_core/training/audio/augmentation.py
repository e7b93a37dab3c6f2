"""Changes a clip's sound at random, so that a motion model hears more voices and rooms than it has."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gohd_core.audio import chunk_index, spectrogram_80
from gohd_core.clips import Clip
from gohd_core.constants import N_MELS, SAMPLE_RATE, SAMPLES_PER_FRAME
from gohd_core.training.audio.channels import coded, microphone_curve, overdriven, telephoned, whispered
from gohd_core.training.audio.interpolation import interpolate_rows
from gohd_core.training.audio.noises import noise
from gohd_core.training.framework.sampling import audio_frames

MARGIN = 10
"""Frames of sound read before and after a window, so that its rows and its room are whole."""

GRID = 5
"""Frames that are a whole number of spectrogram rows (16)."""

ROWS_PER_GRID = 16
LEVEL_PER_DB = 0.08


@dataclass(frozen=True)
class AugmentationConfig:
    """Audio augmentation; each share is the probability that an example is changed so.

    Attributes:
        gain: level change in dB, always drawn.
        noise_share, snr: noise, notes, beats (`sound_noises`) or reversed speech at a ratio in dB.
        room_share, reverberation: a room's decay, time to -60 dB in s.
        band_share, highest: a lower sample rate: nothing above a frequency in Hz.
        whisper_share, drive_share, telephone_share, codec_share: `channels`.
        microphone: largest rise or fall of a smooth curve over the spectrum, in dB.
        colour: largest tilt and bend of the spectrum, in dB.
        warp: largest change of the vocal tract's length, as a share.
        slow_share, tempo: the sound around each frame stretched in time, as if sung or drawled: rate
            relative to the speech.
        quiet_share: noise, notes, beats or silence in place of the speech; the mouth is to rest then.
    """

    gain: tuple[float, float] = (0.0, 0.0)
    noise_share: float = 0.0
    snr: tuple[float, float] = (5.0, 40.0)
    room_share: float = 0.0
    reverberation: tuple[float, float] = (0.1, 0.6)
    band_share: float = 0.0
    highest: tuple[float, float] = (3000.0, 7500.0)
    whisper_share: float = 0.0
    drive_share: float = 0.0
    telephone_share: float = 0.0
    codec_share: float = 0.0
    microphone: float = 0.0
    colour: float = 0.0
    warp: float = 0.0
    quiet_share: float = 0.0
    slow_share: float = 0.0
    tempo: tuple[float, float] = (0.1, 0.7)

    @property
    def changes_nothing(self) -> bool:
        """Whether sound stays as it is."""
        shares = (self.noise_share, self.room_share, self.band_share, self.quiet_share, self.slow_share)
        channels = (self.whisper_share, self.drive_share, self.telephone_share, self.codec_share)
        return not any((*self.gain, *shares, *channels, self.microphone, self.colour, self.warp))


def augmented_chunks(
    clip: Clip, window: slice, rng: np.random.Generator, config: AugmentationConfig
) -> tuple[np.ndarray, bool]:
    """Lip chunks float32 [T, 80, 16] under a window, and whether the speech was taken away."""
    total = audio_frames(clip)
    first = max(0, window.start - MARGIN) // GRID * GRID
    last = min(total, window.stop + MARGIN)
    samples = clip.read("audio", first * SAMPLES_PER_FRAME, last * SAMPLES_PER_FRAME) / 32768.0
    samples, quiet = augment(samples, rng, config)
    # notes that are coloured like vowels would teach singers to close their mouths
    microphone = 0.0 if quiet else config.microphone
    rows = recolour(spectrogram_80(samples), rng, replace(config, microphone=microphone))
    index = chunk_index(total)[window] - first // GRID * ROWS_PER_GRID
    if rng.random() < config.slow_share:
        middle = (np.arange(window.start, window.stop) - first + 0.5) * ROWS_PER_GRID / GRID
        chunks = slowed(rows, index, middle, rng.uniform(*config.tempo))
    else:
        chunks = rows[index]
    return np.ascontiguousarray(chunks.transpose(0, 2, 1)), quiet


def slowed(rows: np.ndarray, index: np.ndarray, middle: np.ndarray, tempo: float) -> np.ndarray:
    """Rows [T, 16, 80] of a spectrogram [N, 80] at `index` [T, 16], drawn towards each frame's `middle` [T].

    The sound is slower by `tempo` and the same at the frame itself, whose lips stay as they are.
    """
    return interpolate_rows(rows, middle[:, None] + tempo * (index - middle[:, None]))


def augment(
    samples: np.ndarray, rng: np.random.Generator, config: AugmentationConfig
) -> tuple[np.ndarray, bool]:
    """16 kHz samples [S] -> changed ones of the same length, and whether they hold no speech."""
    level = max(float(np.sqrt(np.mean(samples**2))), 1e-3)
    quiet = rng.random() < config.quiet_share
    if quiet:
        loud = 0.0 if rng.random() < 0.3 else level * 10 ** (rng.uniform(-50, 0) / 20)
        samples = loud * noise(len(samples), rng)
    elif config.whisper_share and rng.random() < config.whisper_share:
        samples = whispered(samples, rng)
    if not quiet and rng.random() < config.noise_share:
        ratio = rng.uniform(*config.snr)
        added = samples[::-1] / level if rng.random() < 0.2 else noise(len(samples), rng)
        samples = samples + added * level * 10 ** (-ratio / 20)
    if rng.random() < config.room_share:
        samples = in_room(samples, rng, rng.uniform(*config.reverberation))
    if rng.random() < config.band_share:
        samples = below(samples, rng.uniform(*config.highest))
    for share, change in (
        (config.drive_share, overdriven),
        (config.telephone_share, telephoned),
        (config.codec_share, coded),
    ):
        # no random number is drawn for absent changes, so that older runs stay reproducible
        if share and rng.random() < share:
            samples = change(samples, rng)
    return samples * 10 ** (rng.uniform(*config.gain) / 20), quiet


def in_room(samples: np.ndarray, rng: np.random.Generator, reverberation: float) -> np.ndarray:
    """Adds a room whose sound falls by 60 dB within `reverberation` seconds; the delay is none."""
    from scipy.signal import fftconvolve

    time = np.arange(max(2, round(reverberation * SAMPLE_RATE))) / SAMPLE_RATE
    response = rng.standard_normal(len(time)) * 10 ** (-3 * time / reverberation)
    response *= rng.uniform(0.1, 0.7) / np.sqrt(np.sum(response**2))
    response[0] = 1.0
    return fftconvolve(samples, response)[: len(samples)]


def below(samples: np.ndarray, highest: float) -> np.ndarray:
    """Low-pass filter at a frequency in Hz, as of a lower sample rate."""
    spectrum = np.fft.rfft(samples)
    frequency = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    spectrum *= 1 / (1 + (frequency / highest) ** 16)
    return np.fft.irfft(spectrum, len(samples))


def recolour(rows: np.ndarray, rng: np.random.Generator, config: AugmentationConfig) -> np.ndarray:
    """Another vocal tract and another microphone, on spectrogram rows [N, 80] in [-4, 4]."""
    if config.warp:
        rows = interpolate_rows(rows.T, np.arange(N_MELS) * (1 + rng.uniform(-config.warp, config.warp))).T
    if config.colour:
        place = np.linspace(-1, 1, N_MELS)
        tilt, bend = rng.uniform(-config.colour, config.colour, 2)
        rows = rows + ((tilt * place + bend * (place**2 - 1 / 3)) * LEVEL_PER_DB).astype(np.float32)
    if config.microphone:
        curve = microphone_curve(N_MELS, rng, config.microphone) * LEVEL_PER_DB
        rows = rows + curve.astype(np.float32)
    return np.clip(rows, -4.0, 4.0).astype(np.float32)
