"""Bad input in the real host: one sentence on the node that got it, and no file left behind."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from gohd_core.constants import BFM09
from tests.support.browser import browse
from tests.support.comfy_server import error_of
from tests.support.graphs import full_graph, mix, node, talking
from tests.support.tiny import write_family


@pytest.fixture(scope="module")
def basel(comfy):
    """Weights of the other coefficient space, in a sub-folder of the weights folder."""
    folder = comfy.base / "models" / "gohd" / "basel"
    folder.mkdir()
    yield write_family(folder, space=BFM09, builtin=True)
    shutil.rmtree(folder)


def refusal(comfy, graph: dict, where: str) -> str:
    """Error message of node `where` when the graph is run."""
    files = written(comfy.base)
    history = comfy.finished(comfy.queue(graph))
    assert history["status"]["status_str"] == "error"
    failed = [data for name, data in history["status"]["messages"] if name == "execution_error"]
    assert [data["node_id"] for data in failed] == [where]
    assert written(comfy.base) == files, "no partial file"
    said = error_of(history).strip()
    assert said.count("\n") == 0 and said.endswith("."), said
    return said


def written(base: Path) -> set[Path]:
    return {path for name in ("output", "temp") for path in (base / name).rglob("*") if path.is_file()}


def ended(graph: dict, where: str, *, images: bool = False) -> dict:
    """The graph up to one node, whose first output is shown so that ComfyUI runs it."""
    shown = "PreviewImage" if images else "GoHDPlotMotion"
    if images:
        graph["shown"] = node(shown, images=[where, 0])
    else:
        graph["plot"] = node(shown, motion=[where, 0], width=320, height=240)
        graph["shown"] = node("PreviewImage", images=["plot", 0])
    return graph


def up_to_motion() -> dict:
    graph = full_graph()
    for name in ("frames", "video", "save"):
        del graph[name]
    return graph


def test_an_empty_sound(comfy) -> None:
    graph = up_to_motion()
    graph["sound"] = node("EmptyAudio", duration=0.0, sample_rate=44_100, channels=2)
    assert "audio input is empty" in refusal(comfy, ended(graph, "mix"), "features")
    graph = talking()
    graph["sound"] = node("EmptyAudio", duration=0.0, sample_rate=44_100, channels=2)
    assert "audio input is empty" in refusal(comfy, graph, "talk")


def test_a_video_without_sound(comfy) -> None:
    graph = up_to_motion()
    graph["pictures"] = node("EmptyImage", width=64, height=64, batch_size=3, color=0)
    graph["film"] = node("CreateVideo", images=["pictures", 0], fps=25.0)
    graph["parts"] = node("GetVideoComponents", video=["film", 0])
    graph["features"]["inputs"]["audio"] = ["parts", 1]
    assert "no sound on the audio input" in refusal(comfy, ended(graph, "mix"), "features")


def test_mixed_coefficient_spaces(comfy, basel) -> None:
    for loader, fails in (("expression_model", "expression"), ("pose_model", "pose")):
        graph = up_to_motion()
        file = {"expression_model": "expression", "pose_model": "pose_diffusion"}[loader]
        graph[loader]["inputs"]["weights"] = f"basel/{file}.safetensors"
        said = refusal(comfy, ended(graph, "mix"), fails)
        assert "'bfm09'" in said and "'stylised'" in said and "one family" in said
    graph = up_to_motion()
    graph["animator"]["inputs"]["weights"] = "basel/animator.safetensors"
    given = {"animator": ["animator", 0], "portrait": ["portrait", 0], "motion": ["mix", 0]}
    graph["strip"] = node("GoHDMotionStrip", **given, frame=0, steps=2, strength=1.0)
    said = refusal(comfy, ended(graph, "strip", images=True), "strip")
    assert "'bfm09'" in said and "'stylised'" in said


def test_readers_of_two_families(comfy, basel) -> None:
    graph = up_to_motion()
    graph["estimator"]["inputs"]["weights"] = "basel/gaze_estimator.safetensors"
    assert "choose two of one kind" in refusal(comfy, ended(graph, "mix"), "portrait")


def test_frames_of_another_size(comfy) -> None:
    graph = full_graph()
    graph["behind"] = node("EmptyImage", width=40, height=30, batch_size=1, color=0)
    given = {"images": ["frames", 0], "portrait": ["portrait", 0], "background": ["behind", 0]}
    options = {"region": "ellipse", "colour": "none", "feather": 0.1, "growth": 0.1, "length": "face"}
    graph["paste"] = node("GoHDPasteBack", **given, **options)
    graph["video"]["inputs"]["images"] = ["paste", 0]
    said = refusal(comfy, graph, "paste")
    assert "40 x 30" in said and "128 x 128" in said


def test_a_picture_with_transparency_is_taken(comfy) -> None:
    graph = talking()
    graph["alpha"] = node("SolidMask", value=0.5, width=128, height=128)
    graph["joined"] = node("JoinImageWithAlpha", image=["image", 0], alpha=["alpha", 0])
    graph["talk"]["inputs"]["image"] = ["joined", 0]
    assert comfy.run(graph)["save"]["images"]


def test_nothing_to_mix(comfy) -> None:
    graph = up_to_motion()
    graph["mix"] = mix()
    assert "nothing to mix" in refusal(comfy, ended(graph, "mix"), "mix")


@pytest.mark.parametrize("content", [b"", b"not a motion", None], ids=["empty", "text", "other tensors"])
def test_a_motion_file_from_elsewhere(comfy, content) -> None:
    import torch
    from safetensors.torch import save_file

    path = comfy.base / "input" / "elsewhere.safetensors"
    if content is None:
        save_file({"weight": torch.zeros(3)}, path)
    else:
        path.write_bytes(content)
    graph = {"motion": node("GoHDLoadMotion", file=f"{path.name} [input]")}
    assert path.name in refusal(comfy, ended(graph, "motion"), "motion")
    path.unlink()


@pytest.mark.parametrize("prefix", ["../../motion", "/tmp/motion"])
def test_a_motion_saved_outside_the_folders(comfy, prefix) -> None:
    graph = up_to_motion()
    graph["keep"] = node("GoHDSaveMotion", motion=["mix", 0], filename_prefix=prefix)
    assert "leads out of" in refusal(comfy, graph, "keep")


def test_a_damaged_weights_file(comfy) -> None:
    path = comfy.base / "models" / "gohd" / "cut.safetensors"
    whole = comfy.base / "models" / "gohd" / "FaceAnimator_GoHD.safetensors"
    path.write_bytes(whole.read_bytes()[:5000])
    graph = full_graph()
    graph["animator"]["inputs"]["weights"] = path.name
    assert "cut off" in refusal(comfy, graph, "animator")
    path.unlink()


def test_the_page_says_why(comfy, tmp_path) -> None:
    """Before a run or in it, once: in the front end's own dialog, or in a notice of ours without one."""
    empty = talking()
    empty["sound"] = node("EmptyAudio", duration=0.0, sample_rate=44_100, channels=2)
    unread = up_to_motion()
    unread["path"] = node("GoHDExpressionPath", motion=["mix", 0], keys="0 soon")
    for name, graph, sentence in (
        ("run", empty, "audio input is empty"),
        ("before", unread, "Line 1 ('0 soon') can't be read"),
    ):
        file = tmp_path / f"{name}.json"
        file.write_text(json.dumps(graph))
        said = browse(comfy, "frontend.mjs", "refused", file, sentence)
        assert sum(said) == 1, f"{name}: {said}"
