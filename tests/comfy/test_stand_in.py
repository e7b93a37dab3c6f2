"""The stand-in that the other tests run on, against ComfyUI's own modules: it promises nothing they lack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

STAND_IN = Path(__file__).resolve().parents[1] / "nodes" / "comfy_stand_in"
GROWS, WITHIN = "more_voices", ("voice_3", "voice_4", "mood_amount")
"""Conversation's inputs that grow; and what lies within such, or within a choice, where the host has them."""
BRANCHES = "COMFY_DYNAMICCOMBO_V3"
"""The host's kind of a choice that brings widgets of its own."""
NEWER = {"advanced", "search_aliases", "essentials_category", "has_intermediate_output"}
"""Options that ComfyUI 0.8 lacks and nodes/sockets.py leaves out there."""

SURFACE = """
import dataclasses, inspect, json, sys
sys.argv = ["main.py", "--cpu"]
try:
    import comfy.options
    comfy.options.enable_args_parsing()
    import utils.extra_config  # as main.py does, before another module takes the name
except ImportError:
    pass
import comfy.model_management, comfy.model_patcher, comfy.utils, comfy_execution.utils, folder_paths, server
from comfy_api.latest import ComfyExtension, InputImpl, io, ui

def named(target):
    return [name for name in inspect.signature(target).parameters if name != "self"]

found = {"Schema": [field.name for field in dataclasses.fields(io.Schema)]}
for kind in ("Int", "Float", "String", "Boolean", "Combo", "Image", "Mask", "Audio", "Video", "MultiType"):
    found[f"{kind}.Input"] = named(getattr(io, kind).Input)
found["Custom.Input"] = named(io.Custom("X").Input)
found["Output"] = named(io.Image.Output)
found["NodeOutput"] = named(io.NodeOutput)
found["VideoFromFile"] = named(InputImpl.VideoFromFile)
found["PreviewText"] = named(ui.PreviewText)
found["ProgressBar"] = named(comfy.utils.ProgressBar)
found["update_absolute"] = named(comfy.utils.ProgressBar.update_absolute)
found["ModelPatcher"] = named(comfy.model_patcher.ModelPatcher)
found["partially_unload"] = named(comfy.model_patcher.ModelPatcher.partially_unload)
for name in ("load_models_gpu", "processing_interrupted", "get_torch_device", "unet_offload_device",
             "intermediate_device"):
    found[name] = named(getattr(comfy.model_management, name))
for name in ("add_model_folder_path", "get_folder_paths", "get_filename_list", "get_full_path",
             "annotated_filepath", "get_save_image_path", "get_input_directory"):
    found[name] = named(getattr(folder_paths, name))
found["send_progress_text"] = named(server.PromptServer.send_progress_text)
found["get_executing_context"] = named(comfy_execution.utils.get_executing_context)
found["ExecutionContext"] = list(comfy_execution.utils.ExecutionContext._fields)
found["methods"] = [name for name in ("define_schema", "execute") if hasattr(io.ComfyNode, name)]
found["extension"] = [name for name in ("get_node_list",) if hasattr(ComfyExtension, name)]
print("SURFACE" + json.dumps(found))
"""


def surface(python: str, folder: Path, path: str = "") -> dict[str, list[str]]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(folder), path)))}
    done = subprocess.run(
        [python, "-c", SURFACE], cwd=folder, env=environment, capture_output=True, text=True, timeout=600
    )
    assert "SURFACE" in done.stdout, done.stderr[-2000:]
    return json.loads(done.stdout.partition("SURFACE")[2])


def test_the_stand_in_promises_nothing_that_comfyui_lacks() -> None:
    source = os.environ.get("COMFYUI_DIR")
    if not source:
        pytest.skip("COMFYUI_DIR is not set: there is no ComfyUI to compare the stand-in with")
    python = os.environ.get("COMFYUI_PYTHON") or sys.executable
    real = surface(python, Path(source), os.environ.get("COMFYUI_PYTHONPATH", ""))
    ours = surface(sys.executable, STAND_IN)
    for name, parameters in ours.items():
        generic = {"args", "kwargs", "options", "id", "arguments"}
        lacking = set(parameters) - set(real[name]) - NEWER - generic
        assert not lacking, f"{name} has no {', '.join(sorted(lacking))} in this ComfyUI"


def test_arguments_of_the_nodes_are_known_to_comfyui(comfy) -> None:
    """Every widget option of our schemas reaches the browser: the host kept them all."""
    nodes = comfy.get("/object_info")
    kept = json.loads((STAND_IN.parent / "schemas.json").read_text())
    for name, node in kept.items():
        shown = nodes[name]["input"]
        given = {**shown.get("required", {}), **shown.get("optional", {})}
        for kind, optional in (("required", False), ("optional", True)):
            ours = [item["id"] for item in node["inputs"] if item["optional"] == optional]
            theirs = list(shown.get(kind, {}))
            ours = [each for each in ours if each in given or each not in WITHIN]
            if GROWS in theirs:
                ours.append(GROWS)
            assert theirs == ours, f"{name}: the host orders its inputs otherwise"
        for item in node["inputs"]:
            if item["id"] in WITHIN and item["id"] not in given:
                continue
            kind, options = given[item["id"]]
            assert options["tooltip"]
            if kind == BRANCHES:  # begins with its first choice, and says no default
                assert options["options"][0]["key"] == item["default"]
                continue
            for key in ("default", "min", "max", "step"):
                if key in item:
                    assert options[key] == item[key], f"{name}.{item['id']}.{key}"
        assert nodes[name]["output"] == [item["type"] for item in node["outputs"]]
