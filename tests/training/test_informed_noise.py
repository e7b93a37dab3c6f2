"""Noise that explains a recording is standard normal, and marks its blinks."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.training.informed_noise import InformedNoise, find_blinks, silent_frames


def recording(rng: np.random.Generator, frames: int = 400) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Eye motion [T, 21] with blinks mostly in silence, which of its frames are silent, their frames."""
    silent = (np.arange(frames) // 40) % 2 == 1
    motion = np.zeros((frames, 21))
    motion[:, 0] = 1
    begun, frame = [], 5
    while frame < frames - 8:
        if rng.random() < (0.08 if silent[frame] else 0.01):
            depth = 0.1 if rng.random() < 0.8 else rng.uniform(0.3, 0.6)
            motion[frame : frame + 5, 0] = [0.7, depth, depth, 0.5, 0.85]
            begun.append(frame)
            frame += 8
        frame += 1
    steps = rng.standard_t(4, (frames, 2)) * 0.02
    for t in range(2, frames):
        steps[t] += 1.6 * steps[t - 1] - 0.65 * steps[t - 2]
    motion[:, 1:11], motion[:, 11:] = steps[:, :1], steps[:, 1:]
    return motion, silent, begun


@pytest.fixture(scope="module")
def recordings() -> list[tuple[np.ndarray, np.ndarray, list[int]]]:
    rng = np.random.default_rng(3)
    return [recording(rng) for _ in range(40)]


@pytest.fixture(scope="module")
def informed(recordings) -> InformedNoise:
    return InformedNoise.fit([r[0] for r in recordings], [r[1] for r in recordings])


def test_blinks_are_found_where_they_begin(recordings) -> None:
    for motion, _, begun in recordings[:5]:
        found = find_blinks(motion[:, 0])
        assert [blink.frame for blink in found] == begun
        assert all(blink.length == 5 for blink in found)


def test_rates_are_those_of_speech_and_silence(informed: InformedNoise, recordings) -> None:
    for kind in (0, 1):
        counts = sum(sum(int(silent[f]) == kind for f in begun) for _, silent, begun in recordings)
        frames = sum(np.sum(silent == bool(kind)) for _, silent, _ in recordings)
        assert informed.rate[kind] == pytest.approx(counts / frames, rel=0.05)
    assert informed.rate[1] > 3 * informed.rate[0]


def test_noise_is_standard_normal_and_independent_in_time(informed: InformedNoise, recordings) -> None:
    rng = np.random.default_rng(0)
    noise = np.concatenate([informed.draw(motion, silent, 10, rng) for motion, silent, _ in recordings])
    assert noise.shape == (16_000, 10) and noise.dtype == np.float32
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(noise.std(axis=0), 1, atol=0.06)
    for k in range(10):
        assert abs(np.corrcoef(noise[1:, k], noise[:-1, k])[0, 1]) < 0.1
        for share in (0.1, 0.5, 0.9):
            score = {0.1: -1.2816, 0.5: 0.0, 0.9: 1.2816}[share]
            assert np.mean(noise[:, k] < score) == pytest.approx(share, abs=0.03)


def test_noise_tells_blinks_from_the_rest(informed: InformedNoise, recordings) -> None:
    motion, silent, begun = recordings[0]
    noise = informed.draw(motion, silent, 10, np.random.default_rng(1))
    for kind in (False, True):
        here = np.flatnonzero(silent == kind)
        chosen = [f for f in begun if silent[f] == kind]
        others = np.setdiff1d(here, chosen)
        if chosen:
            assert noise[chosen, 0].min() > noise[others, 0].max()


def test_silence_is_relative_to_the_clip() -> None:
    chunks = np.full((50, 80, 16), -1.0)
    chunks[10:15] = -3.9
    expected = np.zeros(50, bool)
    expected[10:15] = True
    assert np.array_equal(silent_frames(chunks), expected)
    assert not silent_frames(np.full((20, 80, 16), -4.0)).any()
