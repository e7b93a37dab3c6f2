"""Laughter and coughs: sound where their phones say so, and silence between."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.constants import SAMPLE_RATE
from gohd_core.stylised.speech.engines import load_engine
from gohd_core.stylised.speech.phones import PAUSE
from gohd_core.stylised.speech.vocal_events import LEAD, coughs, laughter
from gohd_core.stylised.speech.voices import find_voice


@pytest.mark.parametrize("seed", range(4))
def test_coughs_are_heard_while_the_mouth_is_open(seed: int) -> None:
    speech = coughs(np.random.default_rng(seed), 4.0)
    assert speech.phones[0].start == 0 and speech.phones[-1].end == 4.0
    for before, after in zip(speech.phones, speech.phones[1:], strict=False):
        assert before.end == pytest.approx(after.start)
    for phone in speech.phones:
        part = speech.audio[round(phone.start * SAMPLE_RATE) : round(phone.end * SAMPLE_RATE)]
        if phone.name == PAUSE:
            assert not part.any()
        elif phone.name == "ah":
            assert np.abs(part[round(LEAD * SAMPLE_RATE) :]).max() > 0.1, "the burst"
    assert 1 <= sum(phone.name == "ah" for phone in speech.phones) <= 4


def test_laughter_is_quick_syllables() -> None:
    if load_engine("flite").problem():
        pytest.skip("flite is not installed")
    laugh = laughter(np.random.default_rng(0), find_voice("flite", "slt"))
    names = [phone.name for phone in laugh.phones]
    breaths = names.count("hh")
    assert 4 <= breaths <= 10
    assert 2.5 < breaths / laugh.duration < 12, "syllables a second"
    assert set(names) <= {"hh", "aa", "ae", "ah", "ax", "eh", "iy", "ih", "ow", "uw", PAUSE}
