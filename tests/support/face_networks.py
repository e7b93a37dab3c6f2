"""Where MediaPipe's networks lie, for tests that read faces."""

from __future__ import annotations

import pytest

from gohd_core.checkpoints.face_files import find_face_files, missing_face_files

needs_face_networks = pytest.mark.skipif(
    missing_face_files() is not None, reason="MediaPipe's face networks are not here: gohd download faces"
)
FACES = None if missing_face_files() is not None else find_face_files()["iris_landmark.tflite"].parent
"""The folder; None without them."""
