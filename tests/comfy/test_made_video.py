"""Our VIDEO outputs in ComfyUI's own modules: they answer its calls, and those of later versions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ASK = """
import importlib, importlib.util, io, json, sys
root, folder = sys.argv[1:]
sys.argv = ["main.py", "--cpu", "--base-directory", folder]
import comfy.options
comfy.options.enable_args_parsing()
import utils.extra_config, comfy.model_management, comfy_extras.nodes_video
sys.path.append(root)
spec = importlib.util.spec_from_file_location("pack", root + "/__init__.py")
sys.modules["pack"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
video = importlib.import_module("pack.nodes.made_video").MadeVideo(root + "/assets/driving_sample.mp4")

def of(video):
    parts = video.get_components()
    sound = parts.audio["waveform"].shape[-1] / parts.audio["sample_rate"]
    return [*parts.images.shape, float(parts.frame_rate), sound]

found = {"whole": of(video), "crf": []}
for crf in (10, 45):
    buffer = io.BytesIO()
    video.save_to(buffer, format="mp4", codec="h264", metadata={"prompt": {"a": 1}}, crf=crf,
                  preset="veryfast", color_space="sRGB", bit_depth=None, later=None)
    found["crf"].append(len(buffer.getvalue()))
    buffer.seek(0)
    found["saved"] = of(type(video)(buffer))
cut = video.as_cropped(64, 32, 101, 97)
found["cut"] = of(cut)
part = video.get_components().images[:, 32:128, 64:164]
found["difference"] = float((cut.get_components().images - part).abs().mean())
found["resized"] = of(cut.as_resized(80, 60, "lanczos", crop="center"))
if hasattr(type(video).__mro__[1], "as_trimmed"):
    found["trimmed"] = of(video.as_trimmed(1.0, 0.4).as_cropped(0, 0, 64, 64))
print("FOUND" + json.dumps(found))
"""


def test_they_answer_what_later_versions_of_core_ask(tmp_path) -> None:
    source = os.environ.get("COMFYUI_DIR")
    if not source:
        pytest.skip("COMFYUI_DIR is not set: there is no ComfyUI whose VIDEO could be asked")
    for name in ("temp", "output", "input", "models", "user", "custom_nodes"):
        (tmp_path / name).mkdir()
    python = os.environ.get("COMFYUI_PYTHON") or sys.executable
    path = os.pathsep.join(filter(None, (source, os.environ.get("COMFYUI_PYTHONPATH"))))
    done = subprocess.run(
        [python, "-c", ASK, str(ROOT), str(tmp_path)],
        cwd=source,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert "FOUND" in done.stdout, done.stderr[-2000:]
    found = json.loads(done.stdout.partition("FOUND")[2])
    frames, height, width, _, rate, sound = found["whole"]
    assert (
        found["saved"] == pytest.approx(found["whole"], abs=0.06) and found["crf"][1] < 0.6 * found["crf"][0]
    )
    assert found["cut"][:3] == [frames, 96, 100] and found["difference"] < 0.02
    assert found["cut"][4:] == pytest.approx([rate, sound], abs=0.06)
    assert found["resized"][:3] == [frames, 60, 80] and height == width
    if "trimmed" in found:
        assert found["trimmed"][:3] == [10, 64, 64]
