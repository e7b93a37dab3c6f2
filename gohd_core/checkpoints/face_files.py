"""MediaPipe's face networks: names, digests, addresses and the folders that are searched.

Only the standard library is needed here, so that an installer can use it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gohd_core.errors import BadCheckpoint
from gohd_core.files import file_digest

FOLDER = "faces"
"""The files lie in this folder of a models folder, or in the models folder itself."""

VARIABLE = "GOHD_FACES"
"""An environment variable with the one folder to look in."""

WHEEL = "mediapipe==0.10.21"
"""The package on PyPI whose wheel holds the same bytes."""

_ASSETS = "https://storage.googleapis.com/mediapipe-assets"


@dataclass(frozen=True)
class FaceFile:
    """One file.

    Attributes:
        name: as released.
        purpose: what it does here.
        size: in bytes.
        digest: its SHA-256.
        listed: its address below Google's bucket as MediaPipe's `third_party/external_files.bzl` lists it.
        in_wheel: where it lies in the wheel.
    """

    name: str
    purpose: str
    size: int
    digest: str
    listed: str
    in_wheel: str

    @property
    def addresses(self) -> tuple[str, ...]:
        """Addresses to download it from: as listed, then the plain address of the newest one."""
        return f"{_ASSETS}/{self.listed}", f"{_ASSETS}/{self.name}"


_TEST_DATA = "tasks/testdata/vision"
_MODULES = "mediapipe/modules"

SHORT_RANGE = FaceFile(
    "face_detection_short_range.tflite",
    "finds large faces",
    229714,
    "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    f"{_TEST_DATA}/face_detection_short_range.tflite?generation=1782184645070605",
    f"{_MODULES}/face_detection/face_detection_short_range.tflite",
)
FULL_RANGE = FaceFile(
    "face_detection_full_range_sparse.tflite",
    "finds small faces",
    676746,
    "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
    f"{_TEST_DATA}/face_detection_full_range_sparse.tflite?generation=1782184637874534",
    f"{_MODULES}/face_detection/face_detection_full_range_sparse.tflite",
)
MESH = FaceFile(
    "face_landmark_with_attention.tflite",
    "reads 478 points of a face",
    2495106,
    "e06a804e0144f9929eda782122916b35d60c697c3c9344013ca2bbe76a6ce2b4",
    f"{_TEST_DATA}/face_landmark_with_attention.tflite?generation=1782184666739724",
    f"{_MODULES}/face_landmark/face_landmark_with_attention.tflite",
)
IRIS = FaceFile(
    "iris_landmark.tflite",
    "reads irises and lids",
    2640568,
    "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
    "modules/iris_landmark/iris_landmark.tflite?generation=1782183567532581",
    f"{_MODULES}/iris_landmark/iris_landmark.tflite",
)
PERSON = FaceFile(
    "selfie_segmentation.tflite",
    "tells people from the background",
    249505,
    "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
    f"{_TEST_DATA}/selfie_segmentation.tflite?generation=1782185339780682",
    f"{_MODULES}/selfie_segmentation/selfie_segmentation.tflite",
)
FACE_FILES = (SHORT_RANGE, FULL_RANGE, MESH, IRIS, PERSON)


def default_folders() -> tuple[Path, ...]:
    """Default folders of the files.

    The folder that the environment variable names; without it models/gohd of the working directory and of
    this checkout, and the user's cache.
    """
    named = os.getenv(VARIABLE)
    if named:
        return (Path(named),)
    here = Path(__file__).resolve().parents[2] / "models" / "gohd"
    return (Path("models/gohd"), here, user_folder())


def user_folder() -> Path:
    """The user's own models folder, in their cache."""
    home = os.getenv("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "gohd"


def find_face_files(folders: Sequence[str | Path] | None = None) -> dict[str, Path]:
    """Paths of the files that the folders, or `faces` below them, hold, by name."""
    found: dict[str, Path] = {}
    for folder in map(Path, default_folders() if folders is None else folders):
        for item in FACE_FILES:
            for path in (folder / FOLDER / item.name, folder / item.name):
                if item.name not in found and path.is_file():
                    found[item.name] = path
    return found


def missing_face_files(folders: Sequence[str | Path] | None = None) -> str | None:
    """One sentence that says which files are not there and what to run; None when all are."""
    found = find_face_files(folders)
    missing = [item.name for item in FACE_FILES if item.name not in found]
    if not missing:
        return None
    place = f" --models {Path(folders[0])}" if folders else ""
    return (
        f"Reading faces needs MediaPipe's networks and {', '.join(missing)} "
        f"{'is' if len(missing) == 1 else 'are'} not there; run: gohd download faces{place}."
    )


def check_face_file(path: str | Path, item: FaceFile) -> None:
    """Raises `BadCheckpoint` unless the file is the very one that is known here."""
    try:
        digest = file_digest(path)
    except OSError as error:
        raise BadCheckpoint(f"{path} can't be read ({error.strerror or error}); check the path.") from error
    if digest == item.digest:
        return
    with Path(path).open("rb") as file:
        kind = (
            "is cut off, damaged or of another version"
            if file.read(8)[4:] == b"TFL3"
            else "is not a .tflite file"
        )
    raise BadCheckpoint(
        f"{path} {kind}: its SHA-256 begins with {digest[:10]}, not with {item.digest[:10]}; delete it and "
        "run: gohd download faces."
    )
