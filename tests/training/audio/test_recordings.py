"""Recordings as data: labels of Festival and of a recogniser, pieces, clips."""

from __future__ import annotations

import importlib.util
import itertools
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gohd_core.clips import ClipDataset
from gohd_core.errors import BadInput
from gohd_core.stylised.motion.visemes import frame_times, mouth_curves
from gohd_core.stylised.speech.engines.base import Speech
from gohd_core.stylised.speech.phones import PHONES, TABLES, Phone
from gohd_core.training.audio import recordings
from gohd_core.training.audio.recordings import (
    Recogniser,
    festival_labels,
    pieces,
    plain_words,
    read_texts,
    trimmed,
)
from gohd_core.training.expression.mouth_examples import shard_of_recordings, speech_of

ROOT = Path(__file__).parents[3]
LABELS = "#\n0.30000 125 pau\n0.40000 125 mm\n0.80000 125 aa\n1.00000 125 c\n"


def test_labels_of_festival_are_phones_to_the_recordings_end(tmp_path) -> None:
    path = tmp_path / "one.lab"
    path.write_text(LABELS)
    found = festival_labels(path, "russian", 1.5)
    assert [p.name for p in found] == ["pau", "m", "aa", "t", "s", "pau"]
    np.testing.assert_allclose([p.end for p in found], [0.3, 0.4, 0.8, 0.9, 1.0, 1.5])
    path.write_text("#\n")
    with pytest.raises(BadInput, match="no labels"):
        festival_labels(path, "russian", 1.0)


def test_every_table_speaks_our_phones() -> None:
    assert {
        phone for table in TABLES.values() for names in table.values() for phone in names.split()
    } <= PHONES


def test_long_recordings_are_cut_and_nothing_is_lost() -> None:
    ends = np.linspace(0, 25, 51)[1:]
    phones = tuple(Phone("aa" if k % 2 else "pau", end - 0.5, end) for k, end in enumerate(ends.tolist()))
    speech = Speech(np.arange(25 * 16_000, dtype=np.float32), 16_000, phones)
    parts = list(pieces(speech))
    assert len(parts) == 3 and all(part.duration <= recordings.LONGEST for part in parts)
    np.testing.assert_array_equal(np.concatenate([part.audio for part in parts]), speech.audio)
    for part in parts:
        assert part.phones[0].start == 0 and part.phones[-1].end == pytest.approx(part.duration, abs=1e-4)
        assert all(
            a.end == pytest.approx(b.start) for a, b in zip(part.phones, part.phones[1:], strict=False)
        )


def test_silence_is_cut_at_both_ends_alone() -> None:
    phones = (
        Phone("pau", 0, 2),
        Phone("a", 2, 3),
        Phone("pau", 3, 5),
        Phone("m", 5, 5.5),
        Phone("pau", 5.5, 6),
    )
    speech = Speech(np.arange(96_000, dtype=np.float32), 16_000, phones)
    cut = trimmed(speech)
    assert [(p.name, p.start, p.end) for p in cut.phones] == [
        ("pau", 0, 0.5),
        ("a", 0.5, 1.5),
        ("pau", 1.5, 3.5),
        ("m", 3.5, 4),
        ("pau", 4, 4.5),
    ]
    np.testing.assert_array_equal(cut.audio, speech.audio[24_000:])
    silence = Speech(speech.audio, 16_000, (Phone("pau", 0, 6),))
    assert trimmed(silence) is silence


def test_a_recogniser_finds_the_phones_of_a_sentence() -> None:
    pytest.importorskip("pocketsphinx", reason="labels of recordings need pocketsphinx")
    sound, rate = soundfile.read(ROOT / "assets" / "speech" / "hello.flac")
    assert rate == 16_000
    found = Recogniser().phones(sound)
    assert found[0].start == 0 and found[-1].end == pytest.approx(len(sound) / rate)
    assert all(a.end == pytest.approx(b.start) for a, b in itertools.pairwise(found))
    assert len({p.name for p in found}) > 10


def test_given_words_are_aligned_and_unknown_ones_are_not() -> None:
    pytest.importorskip("pocketsphinx", reason="labels of recordings need pocketsphinx")
    sound, _ = soundfile.read(ROOT / "assets" / "speech" / "numbers.flac")
    recogniser = Recogniser()
    text = json.loads((ROOT / "assets" / "speech" / "texts.json").read_text())["numbers.flac"]["text"]
    found = recogniser.phones(sound, text)
    again = recogniser.phones(sound, f"{text.upper()}!")
    assert [p.name for p in found] == [p.name for p in again]
    np.testing.assert_allclose([p.end for p in found], [p.end for p in again], atol=0.05)
    assert {"p", "b", "m", "f"} <= {p.name for p in found}
    assert recogniser.phones(sound, "xyzzyx") is None


def test_texts_are_read_by_name(tmp_path) -> None:
    path = tmp_path / "texts.csv"
    path.write_text("a-1|In 1450,|In fourteen fifty,\n\nb-2|It’s well-made.\n")
    texts = read_texts(path)
    assert texts == {"a-1": "In fourteen fifty,", "b-2": "It’s well-made."}
    assert plain_words(texts["b-2"]) == "it's well made"
    path.write_text("no text")
    with pytest.raises(BadInput, match="on each line"):
        read_texts(path)


def test_the_script_makes_clips_that_the_mouth_learns_from(tmp_path, monkeypatch, capsys) -> None:
    for name in ("7-a", "8-b"):
        soundfile.write(
            tmp_path / f"{name}.wav", 0.1 * np.random.default_rng(0).standard_normal(48_000), 16_000
        )
        (tmp_path / f"{name}.lab").write_text(f"{LABELS}2.80000 125 aa\n")
    spec = importlib.util.spec_from_file_location("prepare", ROOT / "scripts" / "prepare_recordings.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    out = tmp_path / "data"
    given = [tmp_path, "--labels", tmp_path, "--licence", "CC0", "--out", out]
    monkeypatch.setattr(sys, "argv", ["prepare_recordings.py", *map(str, given)])
    script.main()
    assert "2 clips" in capsys.readouterr().err
    data = ClipDataset(out)
    (kept,), (clip,) = (data.select(split) for split in ("validation", "train"))
    assert (kept.voice, clip.voice) == ("7", "8")
    clip = data.clip(clip)
    speech = speech_of(clip)
    np.testing.assert_allclose(
        clip.read("expression"), mouth_curves(speech.phones, frame_times(75)), atol=1e-6
    )
    made = shard_of_recordings([clip], 3, np.random.default_rng(0))
    assert len(made) == 3 and all(len(one.phones) == len(one.rows) for one in made)
