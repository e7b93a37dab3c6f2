"""Audio augmentation: each change does as its name says, and nothing when off."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.clips import ClipDataset
from gohd_core.training.audio.augmentation import (
    AugmentationConfig,
    augment,
    augmented_chunks,
    below,
    in_room,
    recolour,
    slowed,
)
from gohd_core.training.audio.features import read_sound
from gohd_core.training.audio.noises import beats, held_notes, hiss, mains_hum, noise, struck_notes
from tests.support.clip_sets import write_talk_clips


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory):
    dataset = ClipDataset(write_talk_clips(tmp_path_factory.mktemp("talk"), train=1))
    return dataset.clip(dataset.select("train")[0])


@pytest.mark.parametrize("window", [slice(0, 30), slice(13, 43), slice(30, 60), slice(28, 33)])
def test_a_part_of_the_sound_gives_the_chunks_of_the_whole(clip, window: slice) -> None:
    chunks, quiet = augmented_chunks(clip, window, np.random.default_rng(0), AugmentationConfig())
    whole = read_sound(clip, window, keep=False)["chunks"]
    assert not quiet and chunks.shape == whole.shape
    np.testing.assert_allclose(chunks, whole, atol=2e-6)


def test_slower_sound_is_the_same_at_its_frame_and_nearer_to_it_around() -> None:
    rows = np.repeat(np.arange(60, dtype=np.float32)[:, None], 80, axis=1)
    index = np.stack([np.arange(16) + 10, np.arange(16) + 30])
    middle = np.array([17.6, 37.6])
    np.testing.assert_allclose(slowed(rows, index, middle, 1.0), rows[index], atol=1e-5)
    half = slowed(rows, index, middle, 0.5)
    expected = middle[:, None] + (index - middle[:, None]) / 2
    np.testing.assert_allclose(half, np.repeat(expected[..., None], 80, axis=2), atol=1e-5)


def test_slow_chunks_show_less_change(clip) -> None:
    config = AugmentationConfig(slow_share=1.0, tempo=(0.1, 0.1))
    slow, _ = augmented_chunks(clip, slice(20, 40), np.random.default_rng(0), config)
    whole = read_sound(clip, slice(20, 40), keep=False)["chunks"]
    assert np.abs(np.diff(slow, axis=2)).mean() < 0.3 * np.abs(np.diff(whole, axis=2)).mean()
    assert np.abs(slow - whole).mean(axis=(0, 1)).argmin() in (8, 9), "rows at the frame's middle"


def test_nothing_on_changes_nothing() -> None:
    assert AugmentationConfig().changes_nothing
    assert not AugmentationConfig(warp=0.1).changes_nothing
    sound = np.random.default_rng(1).standard_normal(8_000)
    same, quiet = augment(sound, np.random.default_rng(0), AugmentationConfig())
    assert not quiet and np.array_equal(same, sound)


@pytest.mark.parametrize("ratio", [0.0, 20.0])
def test_noise_is_added_at_its_ratio(ratio: float) -> None:
    sound = np.sin(np.arange(32_000) / 5)
    config = AugmentationConfig(noise_share=1.0, snr=(ratio, ratio))
    for seed in range(8):
        added = augment(sound, np.random.default_rng(seed), config)[0] - sound
        measured = 10 * np.log10(np.mean(sound**2) / np.mean(added**2))
        assert measured == pytest.approx(ratio, abs=0.1)


def test_noise_has_unit_level_and_many_colours() -> None:
    made = [noise(16_000, np.random.default_rng(seed)) for seed in range(12)]
    assert all(np.sqrt(np.mean(sound**2)) == pytest.approx(1, abs=1e-6) for sound in made)
    centres = []
    for sound in made:
        power = np.abs(np.fft.rfft(sound)) ** 2
        centres.append(np.sum(power * np.arange(len(power))) / power.sum())
    assert max(centres) > 5 * min(centres)


@pytest.mark.parametrize("make", [hiss, held_notes, mains_hum, struck_notes, beats])
def test_each_noise_has_its_length_and_depends_on_its_seed_alone(make) -> None:
    for seed in range(20):
        sound, again = (make(17_920, np.random.default_rng(seed)) for _ in range(2))
        assert sound.shape == (17_920,) and np.isfinite(sound).all() and sound.std() > 0
        assert np.array_equal(sound, again)


def test_held_notes_are_lines_and_hiss_is_not() -> None:
    def loudest_share(sound: np.ndarray) -> float:
        power = np.sort(np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2)[::-1]
        return power[:100].sum() / power.sum()

    hisses = [loudest_share(hiss(16_000, np.random.default_rng(seed))) for seed in range(12)]
    notes = [loudest_share(held_notes(16_000, np.random.default_rng(seed))) for seed in range(12)]
    assert np.median(notes) > 0.9 > 0.6 > np.median(hisses)


def test_hum_repeats_at_the_rate_of_the_mains() -> None:
    for seed in range(12):
        hum = mains_hum(32_000, np.random.default_rng(seed))
        alike = [np.corrcoef(hum[:-lag], hum[lag:])[0, 1] for lag in range(200, 400)]
        rate = 16_000 / (200 + int(np.argmax(alike)))
        assert min(abs(rate - 50), abs(rate - 60)) < 2 and max(alike) > 0.95


def test_a_beat_repeats() -> None:
    found = 0
    for seed in range(10):
        loudness = np.abs(beats(48_000, np.random.default_rng(seed))).reshape(-1, 160).mean(axis=1)
        loudness = loudness - loudness.mean()
        alike = np.correlate(loudness, loudness, "full")[len(loudness) - 1 :]
        found += alike[11:51].max() > 0.4 * alike[0]
    assert found >= 7


def test_quiet_takes_the_speech_away() -> None:
    sound = np.sin(np.arange(32_000) / 5)
    config = AugmentationConfig(quiet_share=1.0)
    for seed in range(6):
        left, quiet = augment(sound, np.random.default_rng(seed), config)
        assert quiet
        if left.any():
            assert abs(np.corrcoef(left, sound)[0, 1]) < 0.2


def test_a_room_lengthens_and_does_not_delay() -> None:
    click = np.zeros(16_000)
    click[4_000] = 1
    heard = in_room(click, np.random.default_rng(0), 0.4)
    assert np.argmax(np.abs(heard)) == 4_000 and np.abs(heard[:4_000]).max() < 1e-12
    energy = np.cumsum(heard[::-1] ** 2)[::-1]
    tail = 10 * np.log10(energy[4_000 + 3_200] / energy[4_001])
    assert tail == pytest.approx(-30, abs=3), "half the reverberation time is half of 60 dB"


def test_a_lower_rate_takes_the_highs() -> None:
    sound = np.random.default_rng(0).standard_normal(16_000)
    power = np.abs(np.fft.rfft(below(sound, 4_000.0))) ** 2
    assert power[5_500:].mean() < 1e-3 * power[:3_000].mean()


def test_another_voice_moves_the_bands() -> None:
    rows = np.full((3, 80), -4, np.float32)
    rows[:, 40] = 4
    peaks = {
        int(recolour(rows, np.random.default_rng(seed), AugmentationConfig(warp=0.15))[0].argmax())
        for seed in range(30)
    }
    assert len(peaks) > 5 and min(peaks) >= 33 and max(peaks) <= 48
