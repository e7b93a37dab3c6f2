"""Engines: speech is deterministic, phones tile the sound and follow its energy."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.errors import BadInput, MissingDependency
from gohd_core.stylised.motion.prosody import STEP, loudness
from gohd_core.stylised.speech.engines import (
    ENGINES,
    base,
    engine_status,
    espeak,
    festival,
    flite,
    load_engine,
)
from gohd_core.stylised.speech.engines.base import tile
from gohd_core.stylised.speech.phones import BILABIAL, PAUSE, PHONES, VOWELS, Phone, from_ipa, from_table
from gohd_core.stylised.speech.voices import Manner, all_voices, find_voice, say

SENTENCE = "Bob's papa bought a big map of Boston, today. Seven brave people came back."
SAMPLES = (
    ("espeak", "en-us"),
    ("espeak", "en-us+f3"),
    ("espeak", "de"),
    ("flite", "slt"),
    ("flite", "rms"),
    ("flite", "awb"),
    ("flite", "kal16"),
    ("festival", "kal"),
    ("festival", "slt"),
)


def require(engine: str, voice: str) -> None:
    problem = ENGINES[engine]().problem()
    if problem:
        pytest.skip(problem)
    if voice not in ENGINES[engine]().voices():
        pytest.skip(f"the {engine} voice {voice} is not installed")


@pytest.mark.parametrize(("engine", "voice"), SAMPLES)
def test_speech_is_deterministic_and_phones_tile_it(engine, voice):
    require(engine, voice)
    chosen, manner = find_voice(engine, voice), Manner(1.1, 0.9, 1.05)
    first = say(SENTENCE, chosen, manner)
    say("Something else in between.", chosen)
    again = say(SENTENCE, chosen, manner)
    np.testing.assert_array_equal(first.audio, again.audio)
    assert first.phones == again.phones
    assert first.rate == 16000
    assert 2 < first.duration < 9
    assert 0.05 < np.abs(first.audio).max() <= 1
    assert {p.name for p in first.phones} <= PHONES
    assert first.phones[0].start == 0
    assert first.phones[-1].end == pytest.approx(first.duration, abs=1e-6)
    for before, after in zip(first.phones, first.phones[1:], strict=False):
        assert after.start == pytest.approx(before.end)
        assert after.end > after.start
    # Bob's papa bought ... big map ... Boston ... brave people ... back
    assert sum(p.name in BILABIAL for p in first.phones) >= 11


@pytest.mark.parametrize(("engine", "voice"), SAMPLES)
def test_phone_times_lie_on_the_sound(engine, voice):
    """The table's vowels and pauses fit the energy best within 15 ms of where it stands."""
    require(engine, voice)
    texts = (SENTENCE, "Nobody buys ten cups of tea at midnight. Keep that box, Peter.")
    lags = np.arange(-12, 13)
    total = np.zeros(len(lags))
    for text in texts:
        speech = say(text, find_voice(engine, voice))
        energy = loudness(speech.audio)
        times = (np.arange(len(energy)) + 0.5) * STEP
        expected = np.full(len(energy), 0.6)
        for phone in speech.phones:
            inside = (times >= phone.start) & (times < phone.end)
            if phone.name in VOWELS:
                expected[inside] = 1.0
            elif phone.name in (PAUSE, "p", "t", "k", "ch"):
                expected[inside] = 0.0
        wide = slice(12, -12)
        for k, lag in enumerate(lags):
            total[k] += np.corrcoef(np.roll(energy, -lag)[wide], expected[wide])[0, 1]
    assert total.max() / len(texts) > 0.6
    assert abs(lags[total.argmax()] * STEP) <= 0.0151


@pytest.mark.parametrize(("engine", "voice"), SAMPLES[:1] + SAMPLES[3:4] + SAMPLES[7:8])
def test_rate_and_formants_change_what_they_say(engine, voice):
    require(engine, voice)
    chosen = find_voice(engine, voice)
    plain, fast = say(SENTENCE, chosen), say(SENTENCE, chosen, Manner(rate=1.25))
    assert 0.65 < fast.duration / plain.duration < 0.93
    bright = say(SENTENCE, chosen, Manner(formant=1.15))
    assert bright.duration / plain.duration == pytest.approx(1, abs=0.15)

    def centroid(audio):
        power = np.abs(np.fft.rfft(audio)) ** 2
        return (power * np.arange(len(power))).sum() / power.sum() / len(power)

    assert centroid(bright.audio) > 1.04 * centroid(plain.audio)


def test_espeak_changes_pitch():
    require("espeak", "en-us")
    from gohd_core.stylised.motion.prosody import SAMPLE_RATE

    def period(pitch):
        audio = say(
            "Mama may allow all our men aloud.", find_voice("espeak", "en-us"), Manner(pitch=pitch)
        ).audio
        best = np.fft.irfft(np.abs(np.fft.rfft(audio, 1 << 18)) ** 2)[40:400].argmax() + 40
        return best / SAMPLE_RATE

    assert period(0.8) > 1.2 * period(1.25)


@pytest.mark.parametrize("voice", [v for v in all_voices() if v.engine == "espeak" and "+" not in v.name])
def test_every_language_of_espeak_speaks(voice):
    require("espeak", voice.name)
    from gohd_core.stylised.speech.text import paragraph

    text = paragraph(np.random.default_rng(1), 150, voice.language)
    speech = say(text, voice)
    assert sum(p.name in VOWELS for p in speech.phones) > 20


def test_missing_engine_names_the_package(monkeypatch):
    monkeypatch.setattr(flite.shutil, "which", lambda name: None)
    monkeypatch.setattr(espeak, "_library", lambda: None)
    for name, package in (("flite", "flite"), ("festival", "festival"), ("espeak", "espeak-ng")):
        with pytest.raises(MissingDependency, match=f"apt install {package}"):
            load_engine(name)
    assert [ok for _, ok, _ in engine_status()] == [False] * len(ENGINES)
    assert "apt install flite" in {name: text for name, _, text in engine_status()}["flite"]


def test_unknown_names_are_refused():
    with pytest.raises(BadInput, match="Unknown speech engine 'siri'"):
        load_engine("siri")
    with pytest.raises(BadInput, match="Unknown voice 'nobody'"):
        find_voice("flite", "nobody")


@pytest.mark.parametrize("engine", ENGINES)
def test_bad_requests_are_refused(engine):
    problem = ENGINES[engine]().problem()
    if problem:
        pytest.skip(problem)
    ready = load_engine(engine)
    with pytest.raises(BadInput, match="has no voice 'nobody'"):
        ready.speak("Hello", "nobody")
    with pytest.raises(BadInput, match="rate must lie"):
        ready.speak("Hello", ready.voices()[0], rate=9)


def test_a_missing_festival_voice_names_its_package(monkeypatch):
    monkeypatch.setattr(festival.shutil, "which", lambda name: "/bin/true")
    monkeypatch.setattr(festival, "_installed", lambda: ("kal",))
    with pytest.raises(BadInput, match="install festvox-italp16k"):
        festival.Festival().speak("ciao", "lp")


def test_a_failing_program_is_one_sentence():
    import sys

    with pytest.raises(BadInput, match="'toy' failed \\(no luck\\)"):
        base.run([sys.executable, "-c", "import sys; sys.exit('no luck')"], "toy")


def test_tile_divides_and_shifts():
    spans = [(("pau",), 0.1), (("aa", "iy"), 0.3), (("p",), 0.3), (("pau",), 0.5)]
    found = tile(spans, 0.6, delay=0.02)
    assert [p.name for p in found] == ["pau", "aa", "iy", "pau"]
    np.testing.assert_allclose([p.end for p in found], [0.08, 0.18, 0.28, 0.6])
    assert [p.start for p in found[1:]] == [p.end for p in found[:-1]]


def test_espeak_stops_begin_at_their_closure():
    led = espeak._lead_closures(
        (Phone("aa", 0, 0.2), Phone("p", 0.2, 0.3), Phone("pau", 0.3, 0.4), Phone("t", 0.4, 0.5))
    )
    assert led[1].start == pytest.approx(0.2 - espeak.CLOSURE)
    assert led[0].end == led[1].start
    assert led[3].start == 0.4


@pytest.mark.parametrize(
    ("ipa", "expected"),
    [
        ("oʊ", ("ow", "uh")),
        ("ˈɑː", ("aa",)),
        ("tʃ", ("ch",)),
        ("ts", ("t", "s")),
        ("əl", ("ax", "l")),
        ("", ("pau",)),
        ("ɑ̃", ("aa",)),
        ("r̝̊", ("rr",)),
    ],
)
def test_ipa_becomes_phones(ipa, expected):
    assert from_ipa(ipa) == expected


def test_phone_tables_hold_only_known_phones():
    from gohd_core.stylised.motion.visemes import TARGETS
    from gohd_core.stylised.speech.phones import TABLES

    for table in TABLES.values():
        for names in table.values():
            assert set(names.split()) <= PHONES
    assert set(TARGETS) == PHONES
    assert from_table("a1", "romance") == ("aa",)
    assert from_table("u:", "finnish") == ("uw",)
    with pytest.raises(BadInput, match="not in the table"):
        from_table("qq", "arpabet")
    with pytest.raises(BadInput, match="is not known"):
        from_ipa("☃")
