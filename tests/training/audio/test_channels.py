"""Channels: bands and levels before and after."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.audio import spectrogram_80
from gohd_core.training.audio.augmentation import AugmentationConfig, augment, recolour
from gohd_core.training.audio.channels import (
    _sound,
    _spectra,
    coded,
    microphone_curve,
    overdriven,
    shouted,
    sung,
    telephoned,
    whispered,
)

RATE = 16_000


def voice(seconds: float = 1.5) -> np.ndarray:
    """A buzz at 140 Hz that swells and falls, with a pause at the end."""
    time = np.arange(round(seconds * RATE)) / RATE
    buzz = sum(np.sin(2 * np.pi * 140 * n * time) / n for n in range(1, 30))
    return 0.1 * buzz * (1 + np.sin(2 * np.pi * 3 * time)) * (time < seconds - 0.3)


def share_between(samples: np.ndarray, low: float, high: float) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    frequency = np.fft.rfftfreq(len(samples), 1 / RATE)
    return float(power[(frequency >= low) & (frequency < high)].sum() / power.sum())


@pytest.mark.parametrize("length", [4_000, 7_777, 16_000])
def test_short_time_spectra_give_the_sound_back(length: int) -> None:
    sound = np.random.default_rng(0).standard_normal(length)
    np.testing.assert_allclose(_sound(_spectra(sound), length), sound, atol=1e-12)


@pytest.mark.parametrize("change", [whispered, shouted, overdriven, telephoned, coded])
def test_length_and_silence_are_kept(change) -> None:
    sound = voice()
    changed = change(sound, np.random.default_rng(0))
    assert changed.shape == sound.shape and np.isfinite(changed).all()
    assert np.abs(changed[-3_500:-1_000]).max() < 0.02 * np.abs(changed).max()
    assert np.abs(change(np.zeros(4_000), np.random.default_rng(0))).max() < 1e-6


def test_whispers_have_no_pitch_but_the_same_spectrogram() -> None:
    sound = voice()
    changed = whispered(sound, np.random.default_rng(0))

    def pitched(samples: np.ndarray) -> float:
        part = samples[4_000:12_000]
        around = np.fft.irfft(np.abs(np.fft.rfft(part, 1 << 15)) ** 2)
        return float(around[100:130].max() / around[0])

    assert pitched(sound) > 0.6 > 0.3 > pitched(changed)
    rows, others = spectrogram_80(sound).mean(1), spectrogram_80(changed).mean(1)
    assert np.corrcoef(rows, others)[0, 1] > 0.8


def test_a_telephone_has_its_band() -> None:
    sound = np.random.default_rng(1).standard_normal(RATE)
    heard = telephoned(sound, np.random.default_rng(0))
    assert share_between(heard, 0, 150) < 0.01 and share_between(heard, 4_000, 8_000) < 0.05


def test_overdriven_sound_is_flatter_and_coded_sound_coarser() -> None:
    sound = voice()
    crest = [np.abs(x).max() / x.std() for x in (sound, overdriven(sound, np.random.default_rng(0)))]
    assert crest[1] < crest[0]
    near = coded(sound, np.random.default_rng(0))
    assert 0.8 < np.corrcoef(sound, near)[0, 1] < 0.9999


def test_a_microphone_shifts_bands_smoothly() -> None:
    curve = microphone_curve(80, np.random.default_rng(0), 6.0)
    assert curve.shape == (80,) and 0.1 < np.abs(curve).max() <= 6
    assert np.abs(np.diff(curve)).max() < 2
    rows = np.zeros((5, 80), np.float32)
    changed = recolour(rows, np.random.default_rng(0), AugmentationConfig(microphone=6.0))
    assert changed.std(axis=1).min() > 0 and np.ptp(changed, axis=0).max() == 0, "the same at all times"


def test_absent_changes_draw_no_random_number() -> None:
    sound = voice()
    plain, _ = augment(sound, np.random.default_rng(3), AugmentationConfig(gain=(-6, 6)))
    zero = AugmentationConfig(gain=(-6, 6), whisper_share=0.0, codec_share=0.0, telephone_share=0.0)
    np.testing.assert_array_equal(plain, augment(sound, np.random.default_rng(3), zero)[0])
    for name in ("whisper_share", "drive_share", "telephone_share", "codec_share"):
        config = AugmentationConfig(gain=(-6, 6), **{name: 1.0})
        assert not config.changes_nothing
        assert not np.allclose(plain, augment(sound, np.random.default_rng(3), config)[0], atol=1e-4)


def _vowel() -> np.ndarray:
    """A second of a buzz at 120 Hz under one resonance, then a second of silence."""
    time = np.arange(16_000) / 16_000
    buzz = sum(
        np.exp(-((120 * n - 700) ** 2) / 2 / 400**2) * np.sin(2 * np.pi * 120 * n * time)
        for n in range(1, 50)
    )
    return np.concatenate([buzz / np.abs(buzz).max(), np.zeros(16_000)])


def test_singing_holds_notes_and_keeps_silence() -> None:
    sound = sung(_vowel(), np.random.default_rng(0), 2.0)
    assert len(sound) == 64_000
    assert np.sqrt(np.mean(sound[40_000:] ** 2)) < 0.02 * np.sqrt(np.mean(sound[:30_000] ** 2))
    note = sound[1_500:5_500]
    spectrum = np.abs(np.fft.rfft(note * np.hanning(len(note)), 1 << 16))
    hertz = np.fft.rfftfreq(1 << 16, 1 / 16_000)
    assert 300 < (spectrum**2 * hertz).sum() / (spectrum**2).sum() < 1100, "the resonance stays"
    own = np.fft.irfft(spectrum**2)
    period = 16 + int(own[16 : 16_000 // 100].argmax())
    assert own[period] > 0.5 * own[0], "and the sound has a pitch"


def test_shouting_lifts_two_kilohertz() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(16_000)
    loud = shouted(noise, np.random.default_rng(1))
    before, after = (np.abs(np.fft.rfft(x)) ** 2 for x in (noise, loud))
    hertz = np.fft.rfftfreq(16_000, 1 / 16_000)
    share = [x[(hertz > 1400) & (hertz < 2800)].sum() / x.sum() for x in (before, after)]
    assert loud.shape == noise.shape and share[1] > 1.5 * share[0]
    assert not shouted(np.zeros(16_000), np.random.default_rng(1)).any()
