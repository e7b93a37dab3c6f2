"""A ComfyUI of its own for the tests: started on the CPU, asked over HTTP, stopped by its pid."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

from tests.support.websocket import Events

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("custom_nodes", "models/gohd", "input", "output", "temp", "user")


class Refused(Exception):
    """ComfyUI would not queue a prompt; `problems` is what it said."""

    def __init__(self, problems: dict[str, Any]) -> None:
        super().__init__(json.dumps(problems)[:2000])
        self.problems = problems


class Comfy:
    """A running ComfyUI."""

    def __init__(self, source: Path, python: str, base: Path) -> None:
        for name in FOLDERS:
            (base / name).mkdir(parents=True, exist_ok=True)
        (base / "custom_nodes" / "ComfyUI-GoHD").symlink_to(ROOT, target_is_directory=True)
        self.base, self.port, self.client = base, _free_port(), uuid.uuid4().hex
        self.log = base / "comfyui.log"
        command = [python, "main.py", "--cpu", "--listen", "127.0.0.1", "--port", str(self.port)]
        command += ["--base-directory", str(base), "--disable-api-nodes"]
        command += ["--database-url", f"sqlite:///{base / 'user' / 'comfyui.db'}"]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
        environment["PYTHONPATH"] = os.environ.get("COMFYUI_PYTHONPATH", "")
        # Freed memory goes back to the system, where the tests measure it.
        environment["MALLOC_MMAP_THRESHOLD_"] = environment["MALLOC_TRIM_THRESHOLD_"] = str(2**20)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=source, env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    def wait_until_up(self, seconds: float = 180) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"ComfyUI ended early: {self.log.read_text()[-3000:]}")
            try:
                self.get("/queue")
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.5)
            else:
                self.events = Events(self.port, self.client)
                return
        raise RuntimeError(f"ComfyUI did not come up: {self.log.read_text()[-3000:]}")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return json.load(answer)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def queue(self, prompt: dict[str, Any]) -> str:
        """Queues an API-format workflow; its id."""
        try:
            return self.post("/prompt", {"prompt": prompt, "client_id": self.client})["prompt_id"]
        except urllib.error.HTTPError as error:
            raise Refused(json.load(error)) from error

    def finished(self, prompt_id: str, seconds: float = 120) -> dict[str, Any]:
        """The history of a prompt, once it has ended well or badly."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            history = self.get(f"/history/{prompt_id}")
            if prompt_id in history and history[prompt_id]["status"]["status_str"]:
                return history[prompt_id]
            time.sleep(0.1)
        raise TimeoutError(f"{prompt_id} is still running: {self.log.read_text()[-2000:]}")

    def run(self, prompt: dict[str, Any], seconds: float = 120) -> dict[str, Any]:
        """Queues a workflow and waits; its outputs by node. An error in a node raises."""
        history = self.finished(self.queue(prompt), seconds)
        if history["status"]["status_str"] != "success":
            raise RuntimeError(error_of(history))
        return history["outputs"]

    def file(self, result: dict[str, str]) -> Path:
        """Where a saved result lies."""
        return self.base / result["type"] / result["subfolder"] / result["filename"]


def error_of(history: dict[str, Any]) -> str:
    """Error message of a failed prompt's node."""
    for name, data in history["status"]["messages"]:
        if name in ("execution_error", "execution_interrupted"):
            return str(data.get("exception_message", name))
    return str(history["status"])


def cached(history: dict[str, Any]) -> set[str]:
    """Nodes of a prompt that were served from the cache."""
    for name, data in history["status"]["messages"]:
        if name == "execution_cached":
            return set(data["nodes"])
    return set()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
