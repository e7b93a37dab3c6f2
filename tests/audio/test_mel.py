"""Both spectrograms against the definition of the transform."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from gohd_core.audio import mel
from tests.support import audio_reference as reference


@pytest.mark.parametrize("index", [0, 1, 57, 160])
def test_row_of_80_is_its_definition(sweep: np.ndarray, index: int) -> None:
    ours = mel.spectrogram_80(sweep)
    assert ours.shape == (161, 80) and ours.dtype == np.float32
    np.testing.assert_allclose(ours[index], reference.row_80(sweep, index), atol=2e-6)


@pytest.mark.parametrize("index", [0, 73, 202])
def test_row_of_100_is_its_definition(sweep: np.ndarray, index: int) -> None:
    ours = mel.spectrogram_100(sweep)
    assert ours.shape == (203, 80)
    np.testing.assert_allclose(ours[index], reference.row_100(sweep, index), atol=2e-6)


@pytest.mark.parametrize(("n_fft", "lowest"), [(800, 55.0), (1280, 125.0)])
def test_filters_are_triangles_of_equal_area(n_fft: int, lowest: float) -> None:
    frequencies = [16000 * k / n_fft for k in range(n_fft // 2 + 1)]
    expected = [[reference.band_weight(band, f, lowest, 7600.0) for f in frequencies] for band in range(80)]
    np.testing.assert_allclose(mel.mel_filters(n_fft, lowest), expected, atol=1e-12)


@pytest.mark.parametrize(("n_fft", "lowest"), [(800, 55.0), (1280, 125.0), (512, 0.0)])
def test_filters_are_those_of_librosa(n_fft: int, lowest: float) -> None:
    filters = pytest.importorskip("librosa.filters")
    expected = filters.mel(sr=16000, n_fft=n_fft, n_mels=80, fmin=lowest, fmax=7600.0, dtype=np.float64)
    np.testing.assert_allclose(mel.mel_filters(n_fft, lowest), expected, rtol=0, atol=1e-15)


def test_blocks_do_not_show(sweep: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = mel.spectrogram_80(sweep)
    monkeypatch.setattr(mel, "ROWS_AT_ONCE", 7)
    np.testing.assert_allclose(mel.spectrogram_80(sweep), whole, atol=1e-6)


def test_a_long_clip_needs_its_rows_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mel, "ROWS_AT_ONCE", 64)
    peaks = []
    for seconds in (10, 40):
        samples = np.zeros(seconds * 16_000)
        mel.spectrogram_80(samples[:16_000])
        tracemalloc.start()
        try:
            rows = mel.spectrogram_80(samples)
            peaks.append(tracemalloc.get_traced_memory()[1] - rows.nbytes)
        finally:
            tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]


def test_limits_are_kept() -> None:
    loud = mel.spectrogram_80(np.random.default_rng(0).uniform(-1, 1, 6400) * 1e6)
    assert loud.max() == 4.0
    assert (mel.spectrogram_80(np.zeros(6400)) == -4.0).all()
    assert (mel.spectrogram_100(np.zeros(6400)) == 0.0).all()
