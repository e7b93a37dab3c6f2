"""Noise that explains a recording is standard normal, and marks its blinks and moves of the brows."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.training.expression.event_noise import (
    InformedNoise,
    find_blinks,
    find_brow_moves,
    silent_frames,
)


def brows(rng: np.random.Generator, frames: int) -> tuple[np.ndarray, list[tuple[int, float, int]]]:
    """Displacements [T, 20] that drift, rise and frown, and each move's frame, size and length."""
    drift = 0.01 * np.sin(np.arange(frames) / 60)
    up, down = np.zeros(frames), np.zeros(frames)
    made, frame = [], 4
    while frame < frames - 40:
        if rng.random() < 0.05:
            size, hold = rng.uniform(0.15, 0.5), int(rng.integers(1, 20))
            shape = np.concatenate([[0.4, 0.8], np.ones(hold), [0.8, 0.4, 0.2, 0.05]])
            part = up if rng.random() < 0.8 else down
            part[frame : frame + len(shape)] = size * shape
            made.append((frame, size, hold + 3))
            frame += len(shape) + 2
        frame += 1
    each = np.ones(20) / np.sqrt(20)
    return np.outer(up + drift, each) + np.outer(down, np.roll(each * np.tile([1, -1], 10), 1)), made


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
    motion[:, 1:] = brows(rng, frames)[0]
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


def test_moves_of_the_brows_are_found_where_they_begin() -> None:
    axis = np.ones(20) / np.sqrt(20)
    for seed in range(8):
        motion, made = brows(np.random.default_rng(seed), 400)
        found = find_brow_moves(motion, axis)
        assert [move.frame for move in found] == [frame for frame, _, _ in made]
        assert [move.length for move in found] == [length for _, _, length in made]
        assert [move.size for move in found] == pytest.approx([size for _, size, _ in made], abs=0.03)
        ways = np.array([move.way for move in found])
        assert np.all((abs(ways) < 0.3) | (ways > 0.9)), "frowns and raises differ"


def test_brows_at_rest_do_not_move() -> None:
    still = np.full((60, 20), 0.3) + 1e-3 * np.random.default_rng(0).standard_normal((60, 20))
    assert not find_brow_moves(still, np.ones(20))


def test_rates_are_those_of_speech_and_silence(informed: InformedNoise, recordings) -> None:
    for kind in (0, 1):
        counts = sum(sum(int(silent[f]) == kind for f in begun) for _, silent, begun in recordings)
        frames = sum(np.sum(silent == bool(kind)) for _, silent, _ in recordings)
        assert informed.blinks.rate[kind] == pytest.approx(counts / frames, rel=0.05)
    assert informed.blinks.rate[1] > 3 * informed.blinks.rate[0]


def test_noise_is_standard_normal_and_independent_in_time(informed: InformedNoise, recordings) -> None:
    rng = np.random.default_rng(0)
    noise = np.concatenate([informed.draw(motion, silent, 10, rng) for motion, silent, _ in recordings])
    assert noise.shape == (16_000, 10) and noise.dtype == np.float32
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(noise.std(axis=0), 1, atol=0.06)
    for k in range(10):
        for step in (1, 2, 5):
            assert abs(np.corrcoef(noise[step:, k], noise[:-step, k])[0, 1]) < 0.1
        for share in (0.1, 0.5, 0.9):
            score = {0.1: -1.2816, 0.5: 0.0, 0.9: 1.2816}[share]
            assert np.mean(noise[:, k] < score) == pytest.approx(share, abs=0.03)


def test_noise_encodes_blinks(informed: InformedNoise, recordings) -> None:
    motion, silent, begun = recordings[0]
    noise = informed.draw(motion, silent, 10, np.random.default_rng(1))
    for kind in (False, True):
        here = np.flatnonzero(silent == kind)
        chosen = [f for f in begun if silent[f] == kind]
        others = np.setdiff1d(here, chosen)
        if chosen:
            assert noise[chosen, 0].min() > noise[others, 0].max()


def test_noise_encodes_brow_moves(informed: InformedNoise) -> None:
    motion, silent, _ = recording(np.random.default_rng(11))
    moves = find_brow_moves(motion[:, 1:], informed.axis)
    noise = informed.draw(motion, silent, 10, np.random.default_rng(1))
    begun = [move.frame for move in moves]
    assert begun and noise[begun, 3].min() > 1.5
    order = np.argsort([move.size for move in moves])
    assert np.all(np.diff(noise[np.array(begun)[order], 4]) > -0.3), "larger moves, larger scores"


def test_silence_is_relative_to_the_clip() -> None:
    chunks = np.full((50, 80, 16), -1.0)
    chunks[10:15] = -3.9
    expected = np.zeros(50, bool)
    expected[10:15] = True
    assert np.array_equal(silent_frames(chunks), expected)
    assert not silent_frames(np.full((20, 80, 16), -4.0)).any()
