"""Which rows belong to which frame, in each alignment."""

from __future__ import annotations

import math

import pytest

from gohd_core.audio import chunk_index, condition_index, frame_count
from gohd_core.errors import BadInput


def test_frame_count_rounds_down() -> None:
    assert [frame_count(n) for n in (0, 639, 640, 1279, 1280)] == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("frames", [1, 2, 5, 24, 101])
def test_chunks_start_where_the_official_code_starts_them(frames: int) -> None:
    last = frames * 640 // 200
    for frame, rows in enumerate(chunk_index(frames)):
        start = math.trunc(80 * (frame - 2) / 25)
        assert rows.tolist() == [min(max(start + k, 0), last) for k in range(16)]


@pytest.mark.parametrize("frames", [1, 2, 5, 24, 101])
def test_release_runs_fast_and_wraps(frames: int) -> None:
    rows = frames * 640 // 200 + 1
    twice = list(range(rows)) * 2
    expected = [twice[4 * frame : 4 * frame + 4] for frame in range(frames)]
    assert condition_index(frames, "release").tolist() == expected
    if frames == 101:
        assert expected[81][0] == 0 or expected[81][-1] < 4, "from 80 % of the clip on it starts over"


@pytest.mark.parametrize("frames", [1, 2, 5, 24, 101])
def test_aligned_stays_within_the_frames_own_time(frames: int) -> None:
    rows = condition_index(frames, "aligned")
    for frame, four in enumerate(rows.tolist()):
        start = min(range(rows.max() + 1), key=lambda row: abs(row / 80 - frame / 25))
        assert four == [min(start + k, frames * 640 // 200) for k in range(4)]


def test_mel100_is_the_frames_forty_milliseconds() -> None:
    assert condition_index(3, "mel100").tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


def test_unknown_alignment_is_named() -> None:
    with pytest.raises(BadInput, match="'fast' does not exist; choose one of release"):
        condition_index(3, "fast")
