"""The gaze pad in the real front end: dragging turns the plain widgets, and nothing else is saved."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest


def test_dragging_the_pad_turns_pitch_and_yaw(comfy, tmp_path) -> None:
    browser = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not browser or not os.environ.get("PLAYWRIGHT"):
        pytest.skip("PLAYWRIGHT (a folder with playwright-core) or a Chromium is missing")
    script = Path(__file__).parent / "browser" / "frontend.mjs"
    command = ["node", str(script), "pad", f"http://127.0.0.1:{comfy.port}", str(tmp_path / "pad.png")]
    environment = {**os.environ, "CHROMIUM": browser}
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    # Half way to the left edge and a quarter up, of 60 degrees: the eyes look left and up.
    assert said["yaw"] == pytest.approx(30, abs=1.5) and said["pitch"] == pytest.approx(15, abs=1.5)
    assert said["saved"] == [said["pitch"], said["yaw"], False], "the pad takes no place of its own"
    assert said["again"]["pitch"] == said["pitch"] and said["again"]["yaw"] == said["yaw"]
    if said["prompt"] is not None:
        assert said["prompt"]["yaw"] == said["yaw"] and "gaze_pad" not in said["prompt"]
    assert (tmp_path / "pad.png").stat().st_size > 1000
