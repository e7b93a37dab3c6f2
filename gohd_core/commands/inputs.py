"""Inputs of the commands: files and folders, numbers; names of results; and a line of progress."""

from __future__ import annotations

import argparse
import hashlib
import math
import os
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from gohd_core.errors import BadInput

Options = TypeVar("Options")

# fmt: off
PICTURES = (
    ".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".avif",
)
VIDEOS = (
    ".mp4", ".mkv", ".mov", ".webm", ".avi", ".m4v", ".gif", ".ts", ".mts",
    ".m2ts", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp", ".ogv",
)
SOUNDS = (
    ".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".m4b", ".aac",
    ".aiff", ".aif", ".wma", ".mka", ".weba", ".caf", ".au", ".amr", ".ac3",
    *(ending for ending in VIDEOS if ending != ".gif"),
)
# fmt: on
_STEEPEST_GAZE = 60
_LONGEST_NAME = 200
"""Bytes of a result's name without its ending; file systems take 255."""


def is_folder(path: Path | None) -> bool:
    """Whether there is a folder; no name is too long to ask."""
    return path is not None and os.path.isdir(path)


def files(path: Path, endings: tuple[str, ...], what: str) -> list[Path]:
    """The file itself, or those in a folder with one of the endings; `BadInput` when there is none.

    Hidden files in a folder are passed over: macOS leaves one (._a.jpg) beside each of its own.
    """
    if is_folder(path):
        found = sorted(
            file
            for file in path.iterdir()
            if file.suffix.lower() in endings and not file.name.startswith(".") and file.is_file()
        )
        if not found:
            raise BadInput(f"There is no {what} in {path} (looked for {', '.join(endings)}).")
        return found
    if not os.path.isfile(path):
        raise BadInput(f"There is no {what} at {path}; check the path.")
    return [path]


def result_names(sources: Sequence[Sequence[Path]], given: Sequence[str] = ()) -> list[str]:
    """A file name without ending for the result of each group of files; all differ, also from those `given`.

    Those are the names of the sources without their endings, joined; where that would make two alike, which
    for some file systems they are in spite of case or Unicode form, their endings stay, and numbers follow.
    """
    short = [_fitting("-".join(path.stem for path in group)) for group in sources]
    often = Counter(map(alike, [*short, *given]))
    taken = {name for name, count in often.items() if count == 1} | set(map(alike, given))
    names = []
    for group, name in zip(sources, short, strict=True):
        if often[alike(name)] > 1:
            whole = _fitting("-".join(path.name for path in group))
            name, number = whole, 1
            while alike(name) in taken:
                number += 1
                name = f"{whole}-{number}"
            taken.add(alike(name))
        names.append(name)
    return names


def alike(name: str) -> str:
    """Key that is the same for names that some file system takes for one (case, Unicode form)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _fitting(name: str) -> str:
    """The name, or its beginning and a digest of all of it where file systems would not take it."""
    content = os.fsencode(name)
    if len(content) <= _LONGEST_NAME:
        return name
    kept = content[: _LONGEST_NAME - 9].decode("utf-8", "ignore")
    return f"{kept}-{hashlib.sha256(content).hexdigest()[:8]}"


def numbers(text: str) -> tuple[float, ...]:
    """Numbers with commas, for argparse."""
    return tuple(number(part) for part in text.split(","))


def whole_numbers(text: str) -> tuple[int, ...]:
    """Comma-separated integers, for argparse."""
    return tuple(whole_number(part) for part in text.split(","))


def whole_number(text: str) -> int:
    """One whole number, for argparse."""
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from error


def number(text: str, low: float = -math.inf, high: float = math.inf) -> float:
    """One finite number within bounds, for argparse."""
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from error
    if not math.isfinite(value) or not low <= value <= high:
        bounds = f" from {low:g}" * (low > -math.inf) + f" to {high:g}" * (high < math.inf)
        raise argparse.ArgumentTypeError(f"{text} is not a number{bounds or ' that is finite'}")
    return value


def within(low: float, high: float = math.inf) -> Callable[[str], float]:
    """`number` between two bounds, for argparse."""
    return lambda text: number(text, low, high)


def gaze_angles(text: str) -> str | tuple[float, float]:
    """PITCH,YAW in degrees as radians; other words unchanged."""
    if "," not in text:
        return text
    try:
        pitch, yaw = (number(part, -_STEEPEST_GAZE, _STEEPEST_GAZE) for part in text.split(","))
    except (ValueError, argparse.ArgumentTypeError) as error:
        raise BadInput(
            f"--gaze {text} is neither hold, sample, nor PITCH,YAW in degrees from -{_STEEPEST_GAZE} to "
            f"{_STEEPEST_GAZE}."
        ) from error
    return math.radians(pitch), math.radians(yaw)


def options_of(kind: type[Options], arguments: argparse.Namespace, **others: Any) -> Options:
    """A dataclass of options: each field is the argument of its name, unless it is among `others`."""
    named = {field.name for field in fields(kind)} & vars(arguments).keys() - others.keys()
    return kind(**{name: getattr(arguments, name) for name in named}, **others)


def show(stage: str, done: int, total: int) -> None:
    """A line that is written over, where somebody watches."""
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        sys.stderr.write(f"\r{stage}: {done} of {total}   {end}")
        sys.stderr.flush()
