"""Makes the pictures of the help pages in a running ComfyUI: each node as it looks, with what it gives.

    PLAYWRIGHT=FOLDER python scripts/make_help_pictures.py --server http://127.0.0.1:8188

Needs Node.js, a Chromium and playwright-core (in FOLDER), as tests/comfy/browser does. The pictures of the
nodes with pads are in docs/images: those of gaze are taken by tests/comfy/browser/pads.mjs, those of
expressions by faces.mjs.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "web" / "docs" / "pictures"
BROWSER = ROOT / "tests" / "comfy" / "browser" / "frontend.mjs"
sys.path.insert(0, str(ROOT / "workflows" / "api"))

from client import queue, wait  # noqa: E402
from make_workflow_pictures import MOMENTS, sheet  # noqa: E402

WIDTH, GROUND = 560, "#232323"
PADS = {
    "GoHDSetGaze": "gaze_pad.png",
    "GoHDGazePath": "gaze_path.png",
    "GoHDExpressionEditor": "expression_editor.png",
    "GoHDExpressionPath": "expression_path.png",
}
SHOWN = {
    "GoHDPreparePortrait": ("GoHDPreparePortrait", 1),
    "GoHDAnimatePortrait": ("GoHDAnimatePortrait", 0),
    "GoHDRenderVideo": ("GoHDAnimatePortrait", 0),
    "GoHDTalkingPortrait": ("GoHDAnimatePortrait", 0),
}
"""Whose picture shows which output (class, number) of the full graph; all three renderers draw the same."""
PLOTTED = {
    "GoHDSampleHeadPoses": {"pose": ("GoHDSampleHeadPoses", 0)},
    "GoHDPredictExpressions": {"expression": ("GoHDPredictExpressions", 0)},
    "GoHDMixMotion": {"pose": ("GoHDSampleHeadPoses", 0), "expression": ("GoHDPredictExpressions", 0)},
}
"""Whose picture shows a plot, of which outputs of the full graph."""

EDITS = {
    **dict.fromkeys(("smooth", "freeze_from", "freeze_to", "loop", "ease_in", "ease_out"), 0.0),
    **dict.fromkeys(("nod", "turn", "tilt", "look_up", "look_left"), 0.0),
    "part": "everything",
    "centre": "first",
    "smooth_method": "gaussian",
    "scale": 1.0,
    "speed": 1.0,
}
"""Edit Motion's widgets as they change nothing."""


def main() -> None:
    """Writes web/docs/pictures/ID.webp for every node."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", default="http://127.0.0.1:8188", help="address of ComfyUI")
    server = parser.parse_args().server
    results = run(server)
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["node", str(BROWSER), "nodes", server, folder], check=True)
        for path in sorted(Path(folder).glob("*.png")):
            pad = PADS.get(path.stem)
            with Image.open(ROOT / "docs" / "images" / pad if pad else path) as node:
                made = framed(node.convert("RGB"), results.get(path.stem, []))
            made.save(PICTURES / f"{path.stem}.webp", quality=84, method=6)


def run(server: str) -> dict[str, list[Image.Image]]:
    """Results of the nodes: a few pictures for each node that has any."""
    history = wait(server, queue(server, prompt()))
    if history["status"]["status_str"] != "success":
        raise SystemExit(f"The graph failed: {history['status']['messages'][-1]}")
    found = {}
    for key, given in history["outputs"].items():
        if key.startswith("GoHD"):
            files = given["images"]
            chosen = files if len(files) < 8 else [files[round(m * (len(files) - 1))] for m in MOMENTS]
            found[key] = [view(server, file) for file in chosen]
    return found


def prompt() -> dict[str, Any]:
    """The full graph, with a preview or a plot of what each node gives."""
    graph = json.loads((ROOT / "workflows" / "api" / "talking_portrait_full_graph.json").read_text())
    of = {node["class_type"]: key for key, node in graph.items()}
    del graph[of["SaveVideo"]], graph[of["CreateVideo"]]
    mixed = graph[of["GoHDMixMotion"]]
    pictures = {name: [of[kind], number] for name, (kind, number) in SHOWN.items()}
    for name, sources in PLOTTED.items():
        parts = {part: [of[kind], number] for part, (kind, number) in sources.items()}
        graph[f"mix {name}"] = {**mixed, "inputs": {**unwired(mixed["inputs"]), **parts}}
        pictures[name] = plotted(graph, name, f"mix {name}")
    graph["edit"] = {
        "class_type": "GoHDEditMotion",
        "inputs": {**EDITS, "motion": [of["GoHDMixMotion"], 0], "smooth": 0.2, "scale": 1.5},
    }
    pictures["GoHDEditMotion"] = plotted(graph, "GoHDEditMotion", "edit")
    pictures["GoHDPlotMotion"] = plotted(graph, "GoHDPlotMotion", of["GoHDMixMotion"])
    drawn = graph[of["GoHDAnimatePortrait"]]["inputs"]
    who = {name: drawn[name] for name in ("animator", "portrait", "motion")}
    graph["avatar"] = {"class_type": "GoHDSampleAvatar", "inputs": {"number": 7}}
    pictures["GoHDSampleAvatar"] = ["avatar", 0]
    graph["strip"] = {
        "class_type": "GoHDMotionStrip",
        "inputs": {**who, "frame": -1, "steps": 5, "strength": 1.0},
    }
    pictures["GoHDMotionStrip"] = ["strip", 0]
    graph["driver"] = {
        "class_type": "GoHDDriverFrames",
        "inputs": {
            **who,
            "framing": "liveportrait",
            "fps": 25.0,
            "neutral_start": 0.2,
            "invisible_mark": True,
        },
    }
    pictures["GoHDDriverFrames"] = ["driver", 0]
    for name, link in pictures.items():
        graph[name] = {"class_type": "PreviewImage", "inputs": {"images": link}}
    return graph


def unwired(inputs: dict[str, Any]) -> dict[str, Any]:
    """Mix Motion's widgets and its portrait, without its sources."""
    return {k: v for k, v in inputs.items() if k == "portrait" or not isinstance(v, list)}


def plotted(graph: dict[str, Any], name: str, source: str) -> list[Any]:
    """Adds a plot of a motion; the link to its picture."""
    key = f"plot {name}"
    graph[key] = {
        "class_type": "GoHDPlotMotion",
        "inputs": {"motion": [source, 0], "width": 960, "height": 640},
    }
    return [key, 0]


def view(server: str, file: dict[str, str]) -> Image.Image:
    """A picture that ComfyUI made."""
    with urllib.request.urlopen(f"{server}/view?{urllib.parse.urlencode(file)}") as answer:
        return Image.open(io.BytesIO(answer.read())).convert("RGB")


def framed(node: Image.Image, given: list[Image.Image]) -> Image.Image:
    """The node above its output."""
    if not given:
        return node
    width = WIDTH if len(given) > 1 or given[0].width > given[0].height else WIDTH // 2
    below = sheet([given], width)
    made = Image.new("RGB", (max(node.width, width), node.height + below.height + 8), GROUND)
    made.paste(node, ((made.width - node.width) // 2, 0))
    made.paste(below, ((made.width - width) // 2, node.height + 8))
    return made


if __name__ == "__main__":
    main()
