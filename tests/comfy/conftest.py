"""The ComfyUI at COMFYUI_DIR, started once for all tests in this folder; without it they skip.

COMFYUI_DIR is a checkout of ComfyUI, COMFYUI_PYTHON the Python of its environment (this one, if not
set), COMFYUI_PYTHONPATH what goes on its path first.
"""

from __future__ import annotations

import os
import shutil
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.comfy_server import Comfy
from tests.support.face_networks import FACES
from tests.support.graphs import PORTRAIT, SECONDS, SPEECH
from tests.support.tiny import write_family


@pytest.fixture(scope="session")
def comfy(tmp_path_factory):
    yield from started(tmp_path_factory)


@pytest.fixture(scope="session")
def comfy_with_faces(tmp_path_factory):
    """The same with this machine's face networks, if it has them."""
    yield from started(tmp_path_factory, FACES)


def started(tmp_path_factory, faces: Path | None = None) -> Iterator[Comfy]:
    source = os.environ.get("COMFYUI_DIR")
    if not source:
        pytest.skip("COMFYUI_DIR is not set: there is no ComfyUI to run the nodes in")
    base = tmp_path_factory.mktemp("comfyui")
    server = Comfy(Path(source), os.environ.get("COMFYUI_PYTHON") or sys.executable, base)
    try:
        prepare(base)
        if faces is not None:
            shutil.copytree(faces, base / "models" / "gohd" / "faces")
        server.wait_until_up()
        yield server
    finally:
        server.stop()


def prepare(base: Path) -> None:
    """A picture, a sound, and tiny weights under their released names."""
    from PIL import Image

    write_family(base / "models" / "gohd")
    ramp = np.linspace(0, 255, 128).astype(np.uint8)
    picture = np.stack(np.broadcast_arrays(ramp, ramp[:, None], ramp[::-1]), -1)
    Image.fromarray(picture).save(base / "input" / PORTRAIT)
    write_speech(base / "input" / SPEECH, SECONDS)


def write_speech(path: Path, seconds: float, rate: int = 16_000) -> None:
    """A hum that comes and goes four times a second."""
    time = np.arange(round(seconds * rate)) / rate
    hum = 0.3 * np.sin(2 * np.pi * 140 * time) * (1 + np.sin(2 * np.pi * 4 * time)) / 2
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((hum * 32767).astype("<i2").tobytes())
