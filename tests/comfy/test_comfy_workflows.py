"""The shipped workflows: each runs, and each UI workflow says the same as its API twin."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import soundfile

from tests.comfy.test_comfyui import video_of
from tests.support.browser import browse
from tests.support.graphs import PORTRAIT, SECONDS, SPEECH

ROOT = Path(__file__).resolve().parents[2]
API = sorted((ROOT / "workflows" / "api").glob("*.json"))
BUILTIN = (ROOT / "assets" / "animator.safetensors").is_file()
SAMPLES = (ROOT / "assets" / "portraits" / "01.jpg").is_file()
PREVIEWS = {"video-preview", "audioUI"}
"""Widgets that front ends add to core's loaders to show their file."""


def runnable(workflow: dict) -> dict:
    """The workflow as it is shipped, with the tests' own files for what this copy of the pack lacks."""
    for node in workflow.values():
        if not BUILTIN and node["inputs"].get("weights") == "builtin":
            node["inputs"]["weights"] = "official"
        if not SAMPLES and node["class_type"] == "GoHDSampleAvatar":
            node.update(class_type="LoadImage", inputs={"image": PORTRAIT})
        if not SAMPLES and node["class_type"] == "LoadImage":
            node["inputs"]["image"] = PORTRAIT
        if not SAMPLES and node["class_type"] == "LoadAudio":
            node["inputs"]["audio"] = SPEECH
    return workflow


def frames_of(workflow: dict) -> int:
    """How many frames its sample lasts: a sentence where there is one, else the driving video."""
    av = pytest.importorskip("av")
    given = {node["class_type"]: node["inputs"] for node in workflow.values()}
    if "GoHDIdleMotion" in given:
        return round(given["GoHDIdleMotion"]["duration"] * 25)
    dubbed = given.get("GoHDRenderVideo", {}).get("own_face", False)  # as long as the video that it is
    if "LoadAudio" in given and not dubbed:
        if given["LoadAudio"]["audio"] == SPEECH:
            return round(SECONDS * 25)
        sentence = given["LoadAudio"]["audio"].removeprefix("gohd_")
        sound = soundfile.info(ROOT / "assets" / "speech" / sentence)
        before = given.get("EmptyAudio", {}).get("duration", 0)  # the last voice waits for the first
        return round(25 * (before + sound.frames / sound.samplerate))
    (name,) = [node["inputs"]["file"] for node in workflow.values() if node["class_type"] == "LoadVideo"]
    with av.open(str(ROOT / "assets" / f"{name[5:-4]}_sample.mp4")) as video:
        return sum(1 for _ in video.decode(video=0))


def sounds(workflow: dict) -> bool:
    """Whether its video has sound: all but those of idle motion."""
    return any(node["class_type"] in ("LoadAudio", "LoadVideo") for node in workflow.values())


def rate_of(workflow: dict, key: str) -> float:
    """Frames a second of a saved video: 25, or what its driving frames are to have."""
    source = workflow[workflow[key]["inputs"]["video"][0]]["inputs"].get("images", [key])[0]
    given = workflow[source]
    return given["inputs"]["fps"] if given["class_type"] == "GoHDDriverFrames" else 25.0


@pytest.mark.parametrize("path", API, ids=lambda path: path.stem)
def test_every_workflow_runs(comfy_with_faces, path) -> None:
    comfy = comfy_with_faces
    workflow = runnable(json.loads(path.read_text()))
    if any(node["class_type"] == "UpscaleModelLoader" for node in workflow.values()):
        pytest.skip("needs an upscaler's weights, which are not part of the pack")
    outputs = comfy.run(workflow, seconds=600)
    kept = [key for key, node in workflow.items() if node["class_type"].startswith("Save")]
    assert kept and all(key in outputs for key in kept)
    for key in kept:
        if workflow[key]["class_type"] == "SaveVideo":
            made, rate = video_of(comfy, outputs, key), rate_of(workflow, key)
            assert made["fps"] == rate and ("sound" in made) == sounds(workflow)
            assert abs(made.get("sound", made["picture"]) - made["picture"]) < 1 / rate
            assert made["frames"] == round(frames_of(workflow) * rate / 25), "all of the sample"


def test_workflows_run_from_app_mode(comfy) -> None:
    """Opened in the real front end as a user does, and Run pressed there."""
    done = browse(comfy, "frontend.mjs", "queue", ROOT / "workflows", "talking_portrait_one_node")
    assert done == {"talking_portrait_one_node.json": "success"}


def test_the_client_queues_a_workflow_and_fetches_the_video(comfy, tmp_path) -> None:
    workflow = runnable(json.loads((ROOT / "workflows/api/talking_portrait_one_node.json").read_text()))
    (tmp_path / "workflow.json").write_text(json.dumps(workflow))
    command = ["python3", str(ROOT / "workflows/api/client.py"), "workflow.json", "--server"]
    command.append(f"http://127.0.0.1:{comfy.port}")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert Path(tmp_path, done.stdout.strip()).stat().st_size > 1000


def test_ui_workflows_say_the_same_as_their_api_twins(comfy) -> None:
    """Loaded by the real front end and read back, widget by widget."""
    loaded = browse(comfy, "frontend.mjs", "check", ROOT / "workflows")
    nodes = comfy.get("/object_info")
    assert sorted(loaded) == [path.name for path in API]
    for path in API:
        wanted = json.loads(path.read_text())
        found = loaded[path.name]
        assert {k: n["class_type"] for k, n in found.items()} == {
            k: n["class_type"] for k, n in wanted.items()
        }
        for key, node in wanted.items():
            inputs = found[key]["inputs"]
            assert {k: inputs[k] for k in node["inputs"]} == node["inputs"], f"{path.name}, node {key}"
            # Optional inputs, and what newer hosts give their own nodes, stand at their defaults.
            given = nodes[node["class_type"]]["input"]
            known = {**given.get("required", {}), **given.get("optional", {})}
            for name in inputs.keys() - node["inputs"].keys() - PREVIEWS:
                assert inputs[name] == default_of(known[name]), f"{path.name}, node {key}: {name}"


def test_no_node_lies_over_another_in_the_front_end(comfy) -> None:
    """With the sizes that nodes compute for themselves."""
    found = browse(comfy, "frontend.mjs", "overlaps", ROOT / "workflows")
    assert sorted(found) == [path.name for path in API] and not any(found.values()), found


def default_of(described: list) -> object:
    """Where the front end lets a widget begin."""
    kind, options = described[0], described[1] if len(described) > 1 else {}
    choices = kind if isinstance(kind, list) else options.get("options", [None])
    if isinstance(choices[0], dict):  # of a choice with widgets of its own
        choices = [choice["key"] for choice in choices]
    return options.get("default", choices[0])
