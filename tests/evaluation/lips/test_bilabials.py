"""`benchmark lips --phones`: lips on p, b and m in videos."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from gohd_core.evaluation.lips.bilabials import bilabial_scores, bilabial_table, frames_of_bilabials
from gohd_core.stylised.speech.phones import Phone
from tests.evaluation.lips.test_scores import clip

PHONES = (Phone("pau", 0, 0.4), Phone("m", 0.4, 0.48), Phone("aa", 0.48, 1.2), Phone("b", 1.2, 1.24))


def closed_at(*frames: int) -> np.ndarray:
    gap = np.full(60, 0.2)
    gap[list(frames)] = 0
    return gap


def test_phones_are_at_the_frames_of_what_is_left_of_a_clip() -> None:
    whole = clip(60, gap=closed_at(), opening=closed_at())
    assert frames_of_bilabials(PHONES, whole) == [slice(9, 13), slice(29, 32)]
    assert frames_of_bilabials(PHONES, replace(whole, start=10)) == [slice(19, 22)]
    late = [Phone("p", 2.35, 2.39)]  # frames 59 and 60: the frame after it is beyond the end
    assert frames_of_bilabials(late, whole) == []


def test_met_are_those_seen_closed_that_are_predicted_closed() -> None:
    one = clip(60, gap=closed_at(10, 30), opening=closed_at(9, 40))
    scores = bilabial_scores(one, frames_of_bilabials(PHONES, one))
    assert scores["said"] == scores["seen closed"] == 2 and scores["met"] == 0.5
    moved = [np.roll(one.opening, shift) < 0.02 for shift in range(25, 35)]
    chance = np.mean([[made[9:13].any(), made[29:32].any()] for made in moved])
    assert scores["by chance"] == pytest.approx(chance)


def test_open_lips_are_none_to_meet_and_means_are_over_phones() -> None:
    both = clip(60, seed=1, gap=closed_at(10, 30), opening=closed_at(10, 31))
    opened = clip(60, seed=2, gap=closed_at(), opening=closed_at())
    assert math.isnan(bilabial_scores(opened, [slice(9, 13)])["met"])
    table = bilabial_table([both, opened], [PHONES, PHONES])
    total = table.rows["all"]
    assert (total["said"], total["seen closed"], total["met"]) == (4, 2, 1)
