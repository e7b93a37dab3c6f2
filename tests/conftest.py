"""Fixtures of all tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.face_networks import FACES


@pytest.fixture(scope="session")
def weights(tmp_path_factory) -> Path:
    """A folder with a tiny network of every kind, named as conversions of the official files."""
    from tests.support import tiny

    return tiny.write_family(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="session")
def reader() -> Any:
    """MediaPipe's face networks; only for tests that are skipped where these are not there."""
    from gohd_core.face.mediapipe.reader import FaceReader

    return FaceReader.load(FACES)


@pytest.fixture(scope="session")
def astronaut() -> Any:
    """The photograph of scikit-image, u8 [512,512,3]."""
    from skimage import data

    return data.astronaut()


@pytest.fixture(autouse=True)
def without_face_networks(monkeypatch, tmp_path_factory) -> None:
    """Noise and plain colours show no face; tests that read faces say themselves where the networks lie."""
    monkeypatch.setenv("GOHD_FACES", str(tmp_path_factory.getbasetemp() / "no_networks"))
