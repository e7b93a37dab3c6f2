"""Neural voices: symbols become phones without gaps; speech is deterministic and on time."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.stylised.motion.prosody import STEP, loudness
from gohd_core.stylised.speech.engines import ENGINES, kokoro, neural
from gohd_core.stylised.speech.engines.base import tile
from gohd_core.stylised.speech.engines.neural import BLANK, end_with_sound, spans
from gohd_core.stylised.speech.phones import BILABIAL, PAUSE, PHONES, Phone
from gohd_core.stylised.speech.voices import all_voices, draw_voice, find_voice, say

SENTENCE = "Bob's papa bought a big map of Boston."
VOICES = (("piper", "joe"), ("kokoro", "en-us/jf_alpha+jm_kumo@25"))


def test_blanks_are_shared_and_marks_go_to_their_phone() -> None:
    symbols = [
        ("^", 0.1),
        ("p", 0.1),
        (BLANK, 0.02),
        ("ˈ", 0.03),
        ("a", 0.2),
        ("ː", 0.05),
        (" ", 0.04),
        ("b", 0.1),
    ]
    found = spans([*symbols, (".", 0.1), ("$", 0.05)])
    assert [phones for phones, _ in found] == [(PAUSE,), ("p",), ("aa",), ("b",), (PAUSE,), (PAUSE,)]
    ends = [end for _, end in found]
    # p has half the blank, a the other half, the stress mark, its length and half the space
    np.testing.assert_allclose(np.diff([0, *ends]), [0.1, 0.11, 0.31, 0.12, 0.1, 0.05])


def test_long_spaces_are_pauses_and_nothing_is_lost() -> None:
    found = spans([("^", 0.1), ("m", 0.1), (" ", 0.3), ("m", 0.1), ("ˈ", 0.05)])
    assert [phones for phones, _ in found] == [(PAUSE,), ("m",), (PAUSE,), ("m",)]
    assert found[-1][1] == pytest.approx(0.65)


def test_phones_before_a_pause_end_with_their_sound() -> None:
    rate = 16_000
    audio = np.random.default_rng(0).normal(size=rate).astype(np.float32) * 0.1
    audio[round(0.4 * rate) :] = 0
    phones = tile([(("aa",), 0.2), (("m",), 0.8), ((PAUSE,), 1.0)], 1.0)
    cut = end_with_sound(phones, audio, rate)
    assert [p.name for p in cut] == ["aa", "m", PAUSE]
    assert cut[1].end == pytest.approx(0.4, abs=0.011) and cut[2].start == cut[1].end
    assert end_with_sound(phones, np.ones(rate, np.float32), rate) == phones
    silent = end_with_sound((Phone("m", 0.0, 0.5), Phone(PAUSE, 0.5, 1.0)), audio * 0, rate)
    assert silent[0].end == pytest.approx(neural.SHORTEST)


def test_english_is_written_in_kokoros_signs() -> None:
    assert kokoro._written("tʃˈeɪndʒ ɡˈoʊ", "en-us") == "ʧˈeɪnʤ ɡˈO".replace("eɪ", "A")
    assert kokoro._written("tˈeɪ", "es") == "tˈeɪ"


def test_mixtures_are_speakers_of_their_own_and_all_for_training() -> None:
    speakers = {voice.speaker for voice in all_voices() if voice.engine == "kokoro"}
    assert len(speakers) == len(kokoro.SPEAKERS) == 35
    assert {voice.split for voice in all_voices() if voice.engine in ("piper", "kokoro")} == {"train"}
    rng = np.random.default_rng(0)
    drawn = [draw_voice(rng, "train", ("espeak", "piper", "kokoro")) for _ in range(60)]
    assert {voice.engine for voice in drawn} == {"espeak", "piper", "kokoro"}
    assert {voice.language for voice in drawn if voice.engine == "kokoro"} > {"en"}


def test_usual_engines_draw_what_they_drew_before() -> None:
    old = ("espeak", "flite", "festival")
    first = [draw_voice(np.random.default_rng(k), "train") for k in range(40)]
    again = [draw_voice(np.random.default_rng(k), "train", old) for k in range(40)]
    assert first == again and {voice.engine for voice in first} <= {"espeak", "flite", "festival"}


@pytest.mark.parametrize(("engine", "name"), VOICES)
def test_speech_is_deterministic_tiled_and_on_time(engine: str, name: str) -> None:
    problem = ENGINES[engine]().problem()
    if problem:
        pytest.skip(problem)
    voice = find_voice(engine, name)
    speech = say(SENTENCE, voice)
    if engine == "piper":
        say("Something else in between.", voice)
        np.testing.assert_array_equal(speech.audio, say(SENTENCE, voice).audio)
    assert 1.5 < speech.duration < 6
    assert {p.name for p in speech.phones} <= PHONES
    assert speech.phones[0].start == 0 and speech.phones[-1].end == pytest.approx(speech.duration)
    for before, after in zip(speech.phones, speech.phones[1:], strict=False):
        assert after.start == pytest.approx(before.end) and after.end > after.start
    # Bob's papa bought ... big map ... Boston
    assert sum(p.name in BILABIAL for p in speech.phones) >= 7
    energy = loudness(speech.audio)
    times = (np.arange(len(energy)) + 0.5) * STEP
    stops = np.zeros(len(energy), bool)
    for phone in speech.phones:
        if phone.name in ("p", "b", "t", "d", "k", PAUSE):
            stops |= (times >= phone.start) & (times < phone.end)
    assert energy[stops].mean() < 0.7 * energy[~stops].mean()
