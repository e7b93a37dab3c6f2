"""What holds for all tests."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def without_face_networks(monkeypatch, tmp_path_factory) -> None:
    """Noise and plain colours show no face; tests that read faces say themselves where the networks lie."""
    monkeypatch.setenv("GOHD_FACES", str(tmp_path_factory.getbasetemp() / "no_networks"))
