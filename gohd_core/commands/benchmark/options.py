"""Options that several benchmarks have: faces in videos, and how time is taken."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_faces(parser: argparse.ArgumentParser) -> None:
    """The option for the networks that read faces in videos."""
    parser.add_argument(
        "--faces", type=Path, metavar="DIR", help="folder with MediaPipe's .tflite files, for videos"
    )


def face_reader(folder: Path | None) -> Any:
    """The reader of faces from `--faces`; `BadInput` where no folder was given."""
    from gohd_core.errors import BadInput
    from gohd_core.face.mediapipe.reader import FaceReader

    if folder is None:
        raise BadInput("Faces in videos are read by MediaPipe's networks; name their folder with --faces.")
    return FaceReader.load(folder)


def add_timing(parser: argparse.ArgumentParser) -> None:
    """Device, threads and clock of a measurement."""
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 leaves torch's choice")
    parser.add_argument(
        "--clock",
        default="wall",
        choices=("wall", "processor"),
        help="processor: CPU time of this process, which depends less on other load",
    )
