"""MediaPipe's face networks out of its wheel on PyPI, where their own address can't be reached.

The one place where pip is run, and only by `gohd download faces`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from gohd_core.checkpoints.face_files import FACE_FILES, WHEEL, check_face_file
from gohd_core.errors import BadInput
from gohd_core.files import atomic_path

_PIP = ("download", "--no-deps", "--only-binary=:all:", "--quiet", "--disable-pip-version-check")
_PLATFORM = ("--platform", "manylinux_2_28_x86_64", "--python-version", "311", "--implementation", "cp")
"""One wheel for all: nothing of it is run, and the networks are the same in each."""


def faces_from_wheel(folder: str | Path) -> list[Path]:
    """Gets the wheel by pip and puts the networks in it into a folder, each checked.

    Raises: `BadInput` when pip can't get it; `BadCheckpoint` when a file in it is not the one known here.
    """
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-m", "pip", *_PIP, *_PLATFORM, "--dest", place, WHEEL]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = sorted(Path(place).glob("*.whl"))
        if done.returncode or not wheels:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise BadInput(
                f"pip could not get {WHEEL} ({reason}); connect to the internet and run this again."
            )
        return unpack_faces(wheels[0], folder)


def unpack_faces(wheel: str | Path, folder: str | Path) -> list[Path]:
    """The networks that a wheel holds, written to a folder; each appears whole and checked, or not at all."""
    folder, written = Path(folder), []
    try:
        with zipfile.ZipFile(wheel) as archive:
            for item in FACE_FILES:
                content = archive.read(item.in_wheel)
                with atomic_path(folder / item.name) as part:
                    part.write_bytes(content)
                    check_face_file(part, item)
                written.append(folder / item.name)
    except (zipfile.BadZipFile, KeyError) as error:
        raise BadInput(f"{wheel} is not the wheel {WHEEL} ({error}); run this again.") from error
    return written
