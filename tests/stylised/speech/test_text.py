"""Text, voices and rooms: seeded, in one split for good, and nothing is delayed."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.choices import SPLITS
from gohd_core.errors import BadInput
from gohd_core.stylised.speech.room import NOISES, Room, place
from gohd_core.stylised.speech.text import LANGUAGES, paragraph, sentence, text_split
from gohd_core.stylised.speech.voices import all_voices, draw_manner, draw_voice


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_seeded_varied_and_complete(language):
    first = [sentence(np.random.default_rng(k), language) for k in range(60)]
    assert first == [sentence(np.random.default_rng(k), language) for k in range(60)]
    assert len(set(first)) > 40
    for text in first:
        assert "{" not in text
        assert text[-1] in ".?!"
        assert len(text) > 8


def test_a_sentence_belongs_to_one_split_for_good():
    assert text_split("Hello, world!") == text_split("hello WORLD")
    rng = np.random.default_rng(0)
    for split in SPLITS:
        for _ in range(40):
            assert text_split(sentence(rng, "en", split)) == split
    shares = [text_split(sentence(rng)) for _ in range(2000)]
    assert 0.75 < shares.count("train") / 2000 < 0.85


def test_paragraphs_have_the_asked_length_and_no_repetition():
    rng = np.random.default_rng(3)
    lengths = [len(paragraph(rng, 200, "en", "train")) for _ in range(50)]
    assert 180 <= np.mean(lengths) <= 240
    with pytest.raises(BadInput, match="No sentences in 'tlh'"):
        paragraph(rng, 10, "tlh")
    with pytest.raises(BadInput, match="Unknown split"):
        sentence(rng, "en", "dev")


def test_speakers_never_cross_splits():
    owner = {}
    for voice in all_voices():
        assert owner.setdefault(voice.speaker, voice.split) == voice.split
    slt = [v for v in all_voices() if v.speaker == "slt"]
    assert {v.engine for v in slt} == {"flite", "festival"}
    for split in SPLITS:
        engines = {v.engine for v in all_voices() if v.split == split}
        assert {"espeak", "festival"} <= engines


def test_drawn_voices_stay_in_their_split_and_engines():
    rng = np.random.default_rng(0)
    for split in SPLITS:
        drawn = [draw_voice(rng, split) for _ in range(200)]
        assert {v.split for v in drawn} == {split}
        assert len({v.speaker for v in drawn}) >= 5
    only = {draw_voice(rng, "train", ("flite",)).engine for _ in range(20)}
    assert only == {"flite"}
    with pytest.raises(BadInput, match="has a voice for 'validation'"):
        draw_voice(rng, "validation", ("flite",))
    manners = [draw_manner(rng) for _ in range(100)]
    assert all(0.5 <= m.rate / m.formant <= 2 for m in manners)


@pytest.mark.parametrize("noise", NOISES)
def test_rooms_are_seeded_level_and_do_not_delay(noise):
    rng = np.random.default_rng(0)
    audio = np.zeros(32000, np.float32)
    for start in (4000, 12000, 24000):
        envelope = np.exp(-np.arange(6000) / 1500)
        audio[start : start + 6000] = 0.5 * rng.normal(size=6000) * envelope
    room = Room(0.4, 0.25, 80, 6000, 1.0, noise, 20, -23, 0.2)
    heard = place(audio, room, np.random.default_rng(5))
    np.testing.assert_array_equal(heard, place(audio, room, np.random.default_rng(5)))
    assert heard.dtype == np.float32
    assert heard.shape == audio.shape
    assert np.abs(heard).max() <= 1
    lags = np.arange(-400, 401, 4)
    match = [np.dot(np.roll(heard, -lag), audio) for lag in lags]
    assert abs(lags[int(np.argmax(match))]) <= 8


def test_room_reaches_its_level_and_noise_ratio():
    rng = np.random.default_rng(1)
    audio = rng.normal(0, 0.3, 48000).astype(np.float32)
    quiet = place(audio, Room(level=-30), rng)
    assert 20 * np.log10(quiet.std()) == pytest.approx(-30, abs=0.5)
    noisy = place(audio, Room(level=-30, noise="white", snr=10), np.random.default_rng(2))
    assert 20 * np.log10((noisy - quiet).std()) == pytest.approx(-40, abs=0.7)
    silent = place(np.zeros(16000, np.float32), Room.random(rng), rng)
    assert np.isfinite(silent).all()
