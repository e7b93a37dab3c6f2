"""The face detector's weights: names, addresses and integrity check."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gohd_core.errors import BadCheckpoint
from gohd_core.files import file_digest


@dataclass(frozen=True)
class DetectorFile:
    """One file, under the name that its makers gave it.

    Attributes:
        name: as released. The ten hexadecimal digits in it begin the SHA-256 of the file.
        url: where its makers put it.
        purpose: what it does here.
    """

    name: str
    url: str
    purpose: str

    @property
    def digest(self) -> str:
        """The beginning of the file's SHA-256."""
        return re.findall(r"-([0-9a-f]{8,})\.", self.name)[-1]


_PLACE = "https://www.adrianbulat.com/downloads/python-fan/"
S3FD = DetectorFile("s3fd-619a316812.pth", f"{_PLACE}s3fd-619a316812.pth", "finds faces (S3FD)")
FAN = DetectorFile(
    "2DFAN4-11f355bf06.pth.tar",
    f"{_PLACE}2DFAN4-11f355bf06.pth.tar",
    "finds the 68 landmarks of a face (FAN)",
)
DETECTOR_FILES = (S3FD, FAN)


def find_detector_files(folders: Sequence[str | Path]) -> dict[str, Path]:
    """Paths of the detector's files that the folders hold, by name."""
    found: dict[str, Path] = {}
    for item in DETECTOR_FILES:
        for path in (Path(folder) / item.name for folder in folders):
            if path.is_file():
                found.setdefault(item.name, path)
    return found


def missing_files(folders: Sequence[str | Path]) -> str | None:
    """One sentence with the missing files, their place and their addresses; or None."""
    found = find_detector_files(folders)
    missing = [item for item in DETECTOR_FILES if item.name not in found]
    if not missing:
        return None
    place = Path(folders[0]) if folders else Path("models/gohd")
    listed = " and ".join(f"{item.name} ({item.purpose}) from {item.url}" for item in missing)
    names = " ".join(item.name for item in missing)
    return (
        f"The face detector lacks weights: put {listed} into {place}, or run: "
        f"gohd download {names} --models {place}."
    )


def check_whole(path: str | Path, item: DetectorFile) -> None:
    """Compares a file with the digest in its name; `BadCheckpoint` when it is cut off or another one."""
    digest = file_digest(path)
    if not digest.startswith(item.digest):
        raise BadCheckpoint(
            f"{path} is damaged or cut off: its SHA-256 begins with {digest[:10]}, not with "
            f"{item.digest}; get it again from {item.url}."
        )
