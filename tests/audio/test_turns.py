"""Speaker tracks in all forms, splitting one sound by speaker, and mixing voices."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from gohd_core.audio.turns import (
    Turn,
    count_speakers,
    mix_voices,
    pad_to_longest,
    parse_turns,
    speakers_of,
    split_by_speaker,
)
from gohd_core.errors import BadInput

RATE = 8000
TRACK = [Turn(0.0, 0.5, "1"), Turn(0.5, 1.25, "2")]


def tone(seconds: float, level: float = 0.5, rate: int = RATE) -> np.ndarray:
    return level * np.sin(2 * np.pi * 220 * np.arange(round(seconds * rate)) / rate).astype(np.float32)[None]


@pytest.mark.parametrize(
    "text",
    [
        "0.0-0.5 1; 0.5-1.25 2",
        "0 0.5 1\n0.5 - 1.25  2  # a note",
        json.dumps([vars(turn) for turn in TRACK]),
        "SPEAKER a 1 0.0 0.5 <NA> <NA> 1 <NA> <NA>\n;; a comment\nSPEAKER a 1 0.5 0.75 <NA> <NA> 2 <NA>",
    ],
)
def test_all_forms_say_the_same(text) -> None:
    assert parse_turns(text) == TRACK


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no turns"),
        ("hello", "is no turn"),
        ("2-1 1", "ends before it begins"),
        ("[1]", "JSON"),
        ('[{"start": 0, "end": "x", "speaker": 1}]', "JSON"),
        ('{"start": 0}', "JSON"),
        ("SPEAKER a 1 0.0", "no RTTM"),
        ("SPEAKER a 1 nan 1 <NA> <NA> b <NA>", "no time"),
    ],
)
def test_bad_tracks_are_named(text, said) -> None:
    with pytest.raises(BadInput, match=re.escape(said)):
        parse_turns(text)


def test_numbers_are_faces_from_the_left_and_names_count_as_they_come() -> None:
    assert speakers_of(parse_turns("0-1 2; 1-2 1"), 2) == {"2": 1, "1": 0}
    named = parse_turns("0-1 zoe; 1-2 adam; 2-3 zoe")
    assert speakers_of(named, 2) == {"zoe": 0, "adam": 1} and count_speakers(named) == 2
    assert count_speakers(parse_turns("0-1 3")) == 3
    with pytest.raises(BadInput, match="speaker 3"):
        speakers_of(parse_turns("0-1 1; 1-2 3"), 2)
    with pytest.raises(BadInput, match="speaker 0"):
        speakers_of(parse_turns("0-1 0"), 2)


def test_one_sound_is_split_by_speaker_and_its_voices_make_it_again() -> None:
    sound = tone(1.25), RATE
    (first, rate), (second, _) = split_by_speaker(sound, TRACK, 2)
    assert rate == RATE and first.shape == second.shape == sound[0].shape
    assert not first[:, round(0.51 * RATE) :].any() and not second[:, : round(0.49 * RATE)].any()
    assert np.allclose((first + second)[:, 50:-50], sound[0][:, 50:-50], atol=1e-6)
    assert np.abs(np.diff(first)).max() < 0.12, "a voice ends without a click"


def test_voices_of_any_rate_and_length_are_one_sound() -> None:
    low, high = (tone(0.5), RATE), (tone(1.0, rate=2 * RATE), 2 * RATE)
    mixed, rate = mix_voices([low, high])
    assert rate == 2 * RATE and mixed.shape == (1, 2 * RATE)
    assert np.allclose(mixed[:, RATE + 400 :], high[0][:, RATE + 400 :], atol=1e-4)
    assert np.abs(mixed).max() <= 1
    loud, _ = mix_voices([(tone(0.5, 0.9), RATE)] * 3)
    assert np.abs(loud).max() == pytest.approx(1.0)
    with pytest.raises(BadInput, match="no voices"):
        mix_voices([])


def test_short_voices_end_in_silence() -> None:
    (first, _), nobody, (second, rate) = pad_to_longest(
        [(tone(0.5), RATE), None, (tone(1.0, rate=4000), 4000)]
    )
    assert nobody is None and rate == 4000
    assert first.shape == (1, RATE) and not first[:, RATE // 2 :].any() and second.shape == (1, 4000)
