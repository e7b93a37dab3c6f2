"""ComfyUI's real front end in a browser, driven by the scripts in tests/comfy/browser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).resolve().parents[1] / "comfy" / "browser"


def browse(comfy: Any, script: str, command: str, *arguments: object) -> Any:
    """JSON that a command of a script prints; skips where there is no browser."""
    browser = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not browser or not os.environ.get("PLAYWRIGHT"):
        pytest.skip("PLAYWRIGHT (a folder with playwright-core) or a Chromium is missing")
    line = ["node", str(SCRIPTS / script), command, f"http://127.0.0.1:{comfy.port}", *map(str, arguments)]
    environment = {**os.environ, "CHROMIUM": browser}
    done = subprocess.run(line, capture_output=True, text=True, timeout=900, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
