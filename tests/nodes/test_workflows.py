"""The shipped workflows against the schemas, without ComfyUI: ids, links, widgets, notes, pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
API = sorted((ROOT / "workflows" / "api").glob("*.json"))
UI = sorted((ROOT / "workflows").glob("*.json"))
CORE = {
    "CreateVideo": ["VIDEO"],
    "SaveVideo": ["VIDEO"],
    "SaveImage": [],
    "PreviewImage": [],
    "ImageStitch": ["IMAGE"],
    "ImageScaleBy": ["IMAGE"],
    "SolidMask": ["MASK"],
    "MaskComposite": ["MASK"],
    "GetVideoComponents": ["IMAGE", "AUDIO", "FLOAT"],
    "MarkdownNote": [],
}
"""Core nodes that are used, and what they give."""


def test_every_workflow_has_both_forms_and_a_thumbnail() -> None:
    """Made by the workflow itself: scripts/make_workflow_pictures.py."""
    assert [path.name for path in API] == [path.name for path in UI] and len(API) >= 7
    pictures = sorted((ROOT / "workflows").glob("*.jpg"))
    assert [path.stem for path in pictures] == [path.stem for path in UI]
    assert all(1_000 < path.stat().st_size <= 60_000 for path in pictures)
    listed = (ROOT / "workflows" / "README.md").read_text()
    assert all(f"`{path.stem}`" in listed for path in UI)


@pytest.mark.parametrize("path", API, ids=lambda path: path.stem)
def test_links_and_values_fit_the_schemas(nodes, path) -> None:
    workflow = json.loads(path.read_text())
    schemas = {name: cls.define_schema() for name, cls in nodes.items()}
    for key, node in workflow.items():
        schema = schemas.get(node["class_type"])
        assert schema or node["class_type"] in CORE, node["class_type"]
        if schema is None:
            continue
        inputs = {item.id: item for item in schema.inputs}
        assert set(node["inputs"]) <= set(inputs), f"{path.name}, node {key}"
        lacking = {name for name, item in inputs.items() if not item.optional} - set(node["inputs"])
        assert not lacking, f"{path.name}, node {key} lacks {lacking}"
        for name, value in node["inputs"].items():
            kinds = inputs[name].get_io_type().split(",")
            if isinstance(value, list):
                source = workflow[value[0]]["class_type"]
                given = (
                    schemas[source].outputs[value[1]].io_type if source in schemas else CORE[source][value[1]]
                )
                assert given in kinds, f"{path.name}: {source} -> {node['class_type']}.{name}"
            elif kinds == ["COMBO"]:
                assert value in inputs[name].options
            elif kinds[0] in ("INT", "FLOAT"):
                assert inputs[name].min <= value <= inputs[name].max


@pytest.mark.parametrize("path", UI, ids=lambda path: path.stem)
def test_ui_workflows_have_a_note_in_every_group(path) -> None:
    workflow = json.loads(path.read_text())
    notes = [node for node in workflow["nodes"] if node["type"] == "MarkdownNote"]
    assert len(notes) == len(workflow["groups"]) >= 2
    assert all(node["widgets_values"][0] for node in notes)
    used = {node["type"] for node in workflow["nodes"]}
    assert all(name.startswith("GoHD") or name in CORE for name in used)


@pytest.mark.parametrize("path", API, ids=lambda path: path.stem)
def test_the_frame_rate_is_wired_through(path) -> None:
    for node in json.loads(path.read_text()).values():
        if node["class_type"] == "CreateVideo":
            assert isinstance(node["inputs"]["fps"], list)
