"""Speaker turns (diarisation), read from text, JSON or RTTM, and one sound split by them.

RTTM is the format of NIST's Rich Transcription evaluations, which diarisation tools write: lines of
`SPEAKER file channel onset duration <NA> <NA> name <NA> <NA>`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gohd_core.audio.waveform import check_waveform, resample, to_stereo
from gohd_core.errors import BadInput

SOFT = 0.01
"""Seconds over which a voice comes and goes."""
_LINE = re.compile(r"^([\d.]+)\s*(?:-|–|\s)\s*([\d.]+)\s+(\S.*)$")


@dataclass(frozen=True)
class Turn:
    """One speaker's turn, in seconds."""

    start: float
    end: float
    speaker: str


def parse_turns(text: str) -> list[Turn]:
    """A speaker track: `0.0-2.3 1; 2.3-5 2`, by lines or semicolons, JSON, or RTTM.

    JSON is a list of `{"start": seconds, "end": seconds, "speaker": name}`. Raises `BadInput` with what can't
    be read, and for a track without turns.
    """
    stripped = text.strip()
    if stripped.startswith(("[", "{")):
        turns = _of_json(stripped)
    elif any(line.split()[:1] == ["SPEAKER"] for line in stripped.splitlines()):
        turns = [_of_rttm(line) for line in stripped.splitlines() if line.split()[:1] == ["SPEAKER"]]
    else:
        parts = (part.partition("#")[0].strip() for part in re.split(r"[;\n]", stripped))
        turns = [_of_line(part) for part in parts if part]
    if not turns:
        raise BadInput("The speaker track has no turns; write one a line: from-to speaker, as 0.0-2.3 1.")
    return turns


def speakers_of(turns: list[Turn], count: int) -> dict[str, int]:
    """Maps each speaker to one of `count` faces: 1, 2 ... by number, other names in order of appearance.

    Raises `BadInput` for more speakers than faces.
    """
    names = list(dict.fromkeys(turn.speaker for turn in turns))
    numbered = all(name.isdigit() for name in names)
    places = {name: int(name) - 1 if numbered else place for place, name in enumerate(names)}
    worst = max(places, key=lambda name: places[name])
    if not all(0 <= place < count for place in places.values()):
        raise BadInput(
            f"The speaker track names speaker {worst} and {count} face(s) can speak; count faces from 1, the "
            "leftmost first."
        )
    return places


def count_speakers(turns: list[Turn]) -> int:
    """Number of faces that a track needs: the highest number, or the number of names."""
    names = {turn.speaker for turn in turns}
    return max(map(int, names)) if all(name.isdigit() for name in names) else len(names)


def split_by_speaker(sound: tuple[Any, int], turns: list[Turn], count: int) -> list[tuple[np.ndarray, int]]:
    """One sound as `count` voices of its length, each silent where its speaker is: ([C, N], rate) each."""
    waveform, rate = check_waveform(*sound)
    waveform = to_stereo(waveform)
    places = speakers_of(turns, count)
    seconds = np.arange(waveform.shape[1]) / rate
    shares = np.zeros((count, waveform.shape[1]), np.float32)
    for turn in turns:
        inside = np.minimum(seconds - turn.start, turn.end - seconds) / SOFT + 0.5
        share = shares[places[turn.speaker]]
        np.maximum(share, np.clip(inside, 0, 1), out=share)
    return [(waveform * share, rate) for share in shares]


def pad_to_longest(voices: Sequence[tuple[Any, int] | None]) -> list[tuple[np.ndarray, int] | None]:
    """Voices with silence after those that end early; None stays None."""
    checked = [None if voice is None else check_waveform(*voice) for voice in voices]
    seconds = max(wave.shape[1] / rate for wave, rate in filter(None, checked))
    return [
        None
        if voice is None
        else (np.pad(voice[0], ((0, 0), (0, round(seconds * voice[1]) - voice[0].shape[1]))), voice[1])
        for voice in checked
    ]


def mix_voices(voices: Sequence[tuple[Any, int]]) -> tuple[np.ndarray, int]:
    """Voices over one another as one sound, as long as the longest; quieter where it would clip.

    Raises `BadInput` for none.
    """
    if not voices:
        raise BadInput("There are no voices; give one for each speaker.")
    checked = [check_waveform(*voice) for voice in voices]
    rate = max(each[1] for each in checked)
    even = [to_stereo(resample(wave, own, rate)) for wave, own in checked]
    mixed = np.zeros((max(len(wave) for wave in even), max(wave.shape[1] for wave in even)), np.float32)
    for wave in even:
        mixed[:, : wave.shape[1]] += wave
    return mixed / max(1.0, float(np.abs(mixed).max())), rate


def _of_json(text: str) -> list[Turn]:
    try:
        items = json.loads(text)
        return [_turn(item["start"], item["end"], str(item["speaker"]), str(item)) for item in items]
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(
            "The speaker track can't be read as JSON; give a list of objects with start, end and speaker."
        ) from error


def _of_rttm(line: str) -> Turn:
    words = line.split()
    if len(words) < 8:
        raise BadInput(
            f"The line {line!r} is no RTTM; it has onset, duration and name as 4th, 5th and 8th word."
        )
    start, length = _number(words[3], line), _number(words[4], line)
    return _turn(start, start + length, words[7], line)


def _of_line(line: str) -> Turn:
    found = _LINE.match(line)
    if found is None:
        raise BadInput(f"{line!r} is no turn; write from-to speaker, as 0.0-2.3 1.")
    return _turn(_number(found[1], line), _number(found[2], line), found[3].strip(), line)


def _turn(start: float, end: float, speaker: str, line: str) -> Turn:
    start, end = _number(start, line), _number(end, line)
    if not 0 <= start < end or not speaker:
        raise BadInput(f"The turn {line!r} ends before it begins; write from-to speaker, as 0.0-2.3 1.")
    return Turn(start, end, speaker)


def _number(value: Any, line: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{value!r} in {line!r} is no time in seconds.") from error
    if not math.isfinite(number):
        raise BadInput(f"{value!r} in {line!r} is no time in seconds.")
    return number
