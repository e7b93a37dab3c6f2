"""The lag between lips and sound: found where it was put, and not believed where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.errors import BadInput
from gohd_core.measures.lag import (
    LARGEST,
    PART,
    find_lag,
    find_part_lags,
    heard_signals,
    seen_signals,
    shifted,
)
from gohd_core.stylised.head.expressions import INDEX


def talk(frames: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Expressions [T, 64] of somebody who talks, and the (gap, width) that go with them, noise added."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames + 40)

    def syllables(rate: float) -> np.ndarray:
        phase = (
            2
            * np.pi
            * np.cumsum(rate + 0.5 * rate * np.interp(time, time[::6], rng.normal(size=len(time[::6]))))
            / 25
        )
        return np.clip(np.sin(phase), 0, 1)

    jaw, pucker = syllables(3.0), syllables(1.7)
    expression = np.zeros((len(time), 64))
    expression[:, INDEX["jaw_open"]] = jaw
    expression[:, INDEX["lip_pucker"]] = pucker
    gap = 0.3 * jaw**2 + 0.02 * rng.normal(size=len(time))
    width = 1 - 0.2 * pucker + 0.02 * rng.normal(size=len(time))
    return expression, gap, width


@pytest.mark.parametrize("lag", [-7, 0, 4])
def test_a_lag_is_found_where_it_was_put(lag: int) -> None:
    expression, gap, width = talk(200, 1)
    here, there = slice(20, 220), slice(20 - lag, 220 - lag)
    found = find_lag(expression[here], gap[there], width[there])
    assert found.frames == pytest.approx(lag, abs=0.3)
    assert found.known and found.peak > 0.5 and found.second < found.peak


@pytest.mark.parametrize("lag", [LARGEST + 2, -LARGEST - 1])
def test_a_lag_beyond_the_search_is_not_taken_for_its_end(lag: int) -> None:
    expression, gap, width = talk(260, 1)
    here, there = slice(20, 220), slice(20 - lag, 220 - lag)
    assert not find_lag(expression[here], gap[there], width[there]).known


def test_parts_with_lags_of_their_own_are_found_and_parts_of_others_left_out() -> None:
    expression, gap, width = talk(600, 6)
    late = [np.concatenate([values[20:220], values[217:417]]) for values in (gap, width)]
    found = find_part_lags(expression[20:420], *late)
    lags = {first: lag.frames for first, lag in found}
    assert {0, 100, 200, 300} <= set(lags) and max(lags) <= 400 - PART
    assert all(lags[k] == pytest.approx(0, abs=0.3) for k in (0, 100))
    assert all(lags[k] == pytest.approx(3, abs=0.3) for k in (200, 300))
    assert find_part_lags(talk(400, 7)[0][:400], *(values[:400] for values in talk(400, 8)[1:])) == []


def test_parts_of_a_frame_are_found() -> None:
    expression, gap, width = talk(200, 2)
    late = [shifted(values, -2.5)[20:220] for values in (gap, width)]
    assert find_lag(expression[20:220], *late).frames == pytest.approx(2.5, abs=0.3)


def test_somebody_elses_lips_are_not_believed() -> None:
    expression, _, _ = talk(200, 3)
    _, gap, width = talk(200, 4)
    found = find_lag(expression[:200], gap[:200], width[:200])
    assert not found.known


def test_shifted_takes_a_lag_away() -> None:
    values = np.arange(10.0)
    np.testing.assert_allclose(shifted(values, 2)[:8], values[2:])
    np.testing.assert_allclose(shifted(values, -1.5)[2:], values[2:] - 1.5)
    assert shifted(values[:, None], 0.5).shape == (10, 1)


def test_signals_follow_their_coefficients() -> None:
    expression = np.zeros((4, 64))
    expression[1, INDEX["jaw_open"]] = expression[2, INDEX["lip_press"]] = expression[
        3, INDEX["lip_pucker"]
    ] = 1
    np.testing.assert_allclose(heard_signals(expression), [[0, 1, 0, 0], [0, 0, -1, 0], [0, 0, 0, -1]])
    opening, again, width = seen_signals(np.array([0.0, 0.04, 0.16]), np.array([1.0, 2.0, 3.0]))
    assert opening[2] > opening[1] > opening[0] and np.array_equal(opening, again)
    np.testing.assert_array_equal(width, [1, 2, 3])


def test_lengths_are_checked() -> None:
    expression, gap, width = talk(200, 5)
    with pytest.raises(BadInput, match="differ in length"):
        find_lag(expression[:100], gap[:101], width[:100])
    with pytest.raises(BadInput, match="too few"):
        find_lag(expression[:40], gap[:40], width[:40])
