"""What the commands take: files and folders, pictures, numbers with commas; and a line of progress."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import Any

from gohd_core.errors import BadInput

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
SOUNDS = (".wav", ".flac", ".mp3", ".ogg", ".m4a", ".aac", ".mp4", ".mkv", ".mov", ".webm")
VIDEOS = (".mp4", ".mkv", ".mov", ".webm", ".avi", ".m4v", ".gif")


def files(path: Path, endings: tuple[str, ...], what: str) -> list[Path]:
    """The file itself, or those in a folder with one of the endings; `BadInput` when there is none."""
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if file.suffix.lower() in endings)
        if not found:
            raise BadInput(f"There is no {what} in {path} (looked for {', '.join(endings)}).")
        return found
    if not path.is_file():
        raise BadInput(f"There is no {what} at {path}; check the path.")
    return [path]


def read_picture(path: Path) -> Any:
    """A picture file, turned upright as its camera said."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            return ImageOps.exif_transpose(picture).copy()
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise BadInput(f"{path} can't be read as a picture ({error}); save it as PNG or JPEG.") from error


def numbers(text: str) -> tuple[float, ...]:
    """Numbers with commas, for argparse."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers with commas") from error


def gaze_angles(text: str) -> str | tuple[float, float]:
    """A word as it is; PITCH,YAW in degrees as radians."""
    if "," not in text:
        return text
    try:
        pitch, yaw = (math.radians(float(part)) for part in text.split(","))
    except ValueError as error:
        raise BadInput(f"--gaze {text} is neither hold, sample, nor PITCH,YAW in degrees.") from error
    return pitch, yaw


def show(stage: str, done: int, total: int) -> None:
    """A line that is written over, where somebody watches."""
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        sys.stderr.write(f"\r{stage}: {done} of {total}   {end}")
        sys.stderr.flush()
