"""Makes the helpers beside the tests importable."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE / "face")]


@pytest.fixture(autouse=True)
def without_face_networks(monkeypatch, tmp_path_factory) -> None:
    """Noise and plain colours show no face; tests that read faces say themselves where the networks lie."""
    monkeypatch.setenv("GOHD_FACES", str(tmp_path_factory.getbasetemp() / "no_networks"))
