"""Queues one of these workflows in a running ComfyUI, waits, and fetches what it made.

    python client.py talking_portrait_one_node.json --server http://127.0.0.1:8188 --output .

The standard library alone. To use your own files, upload them (see `upload`), put core's LoadImage and
LoadAudio in the place of the sample nodes, and set their names.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path
from typing import Any

Workflow = dict[str, dict[str, Any]]


def queue(server: str, workflow: Workflow) -> str:
    """Queues a workflow; returns its id. What ComfyUI refuses ends the program with its words."""
    body = json.dumps({"prompt": workflow, "client_id": uuid.uuid4().hex}).encode()
    request = urllib.request.Request(f"{server}/prompt", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["prompt_id"]
    except urllib.error.HTTPError as error:
        raise SystemExit(f"ComfyUI refused the workflow: {error.read().decode()}") from error


def wait(server: str, prompt_id: str, seconds: float = 3600) -> dict[str, Any]:
    """Waits until a queued workflow has ended; returns its history entry."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with urllib.request.urlopen(f"{server}/history/{prompt_id}") as answer:
            history = json.load(answer)
        if prompt_id in history:
            return history[prompt_id]
        time.sleep(0.5)
    raise SystemExit(f"The workflow {prompt_id} has not ended after {seconds:g} s.")


def results(history: dict[str, Any]) -> list[dict[str, str]]:
    """Files that a workflow saved (not its previews)."""
    found = []
    for node in history["outputs"].values():
        for files in node.values():
            found += [f for f in files if isinstance(f, dict) and f.get("type") == "output"]
    return found


def fetch(server: str, result: dict[str, str], folder: Path) -> Path:
    """Downloads one file."""
    query = urllib.parse.urlencode({key: result[key] for key in ("filename", "subfolder", "type")})
    target = folder / Path(result["filename"]).name
    with urllib.request.urlopen(f"{server}/view?{query}") as answer:
        target.write_bytes(answer.read())
    return target


def upload(server: str, path: Path) -> str:
    """Puts a picture or a sound into ComfyUI's input folder; returns its name there."""
    boundary = uuid.uuid4().hex
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{path.name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = head.encode() + path.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    with urllib.request.urlopen(urllib.request.Request(f"{server}/upload/image", body, headers)) as answer:
        return json.load(answer)["name"]


def main() -> int:
    """Runs one workflow; prints the paths of its files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workflow", type=Path, help="an API-format workflow (.json)")
    parser.add_argument("--server", default="http://127.0.0.1:8188", help="address of ComfyUI")
    parser.add_argument("--output", type=Path, default=Path(), help="folder for what is made")
    given = parser.parse_args()
    history = wait(given.server, queue(given.server, json.loads(given.workflow.read_text())))
    if history["status"]["status_str"] != "success":
        raise SystemExit(f"The workflow failed: {json.dumps(history['status']['messages'][-1])[:2000]}")
    for result in results(history):
        sys.stdout.write(f"{fetch(given.server, result, given.output)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
