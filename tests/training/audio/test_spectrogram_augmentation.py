"""Augmented spectrogram rows: each change does what it says, and the range holds."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.training.audio import spectrogram_augmentation as augmentation
from gohd_core.training.audio.spectrogram_augmentation import augment_spectrogram, reverberate


@pytest.fixture
def rows() -> np.ndarray:
    time, band = np.meshgrid(np.arange(120), np.arange(80), indexing="ij")
    syllables = 2 * np.sin(time / 9) * np.cos(band / 11)
    return (syllables + 0.6 * np.sin(1.3 * time) * np.cos(1.1 * band) - 0.5).astype(np.float32)


def only(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(augmentation, "SHARES", {key: float(key == name) for key in augmentation.SHARES})
    monkeypatch.setattr(augmentation, "MASKS", 0)


@pytest.mark.parametrize("name", ["none", *augmentation.SHARES])
def test_each_change_alters_the_rows_and_keeps_the_speech(
    name: str, rows: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, name)
    found = augment_spectrogram(rows, np.random.default_rng(1))
    assert found.shape == rows.shape and found.dtype == np.float32 and np.abs(found).max() <= 4
    if name == "none":
        assert np.array_equal(found, rows)
        return
    assert np.abs(found - rows).mean() > 0.01
    assert np.corrcoef(found.ravel(), rows.ravel())[0, 1] > 0.5


def test_noise_fills_quiet_rows(rows: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "noise")
    found = augment_spectrogram(rows, np.random.default_rng(1))
    assert (found >= rows - 1e-5).all() and found.min() > rows.min() + 0.3


def test_an_echo_decays_at_its_rate() -> None:
    rows = np.full((6, 2), -4.0)
    rows[1] = 2.0
    np.testing.assert_allclose(reverberate(rows, 1.5)[:, 0], [-4, 2, 0.5, -1, -2.5, -4])
