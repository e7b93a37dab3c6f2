"""The shipped workflows against the schemas, without ComfyUI: ids, links, widgets, notes, pictures."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
API = sorted((ROOT / "workflows" / "api").glob("*.json"))
UI = sorted((ROOT / "workflows").glob("*.json"))
CORE = {
    "LoadImage": ["IMAGE", "MASK"],
    "LoadAudio": ["AUDIO"],
    "LoadVideo": ["VIDEO"],
    "CreateVideo": ["VIDEO"],
    "SaveVideo": ["VIDEO"],
    "SaveImage": [],
    "PreviewImage": [],
    "ImageStitch": ["IMAGE"],
    "EmptyAudio": ["AUDIO"],
    "AudioConcat": ["AUDIO"],
    "ImageScaleBy": ["IMAGE"],
    "ImageCompositeMasked": ["IMAGE"],
    "UpscaleModelLoader": ["UPSCALE_MODEL"],
    "ImageUpscaleWithModel": ["IMAGE"],
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


TITLE = 30
"""Pixels of a node's title, above its place."""


def boxes(workflow: dict) -> dict[int, tuple[float, float, float, float]]:
    """Left, top, right and bottom of each node, title included, by the sizes that the front end computed."""
    return {
        node["id"]: (
            *(node["pos"][0], node["pos"][1] - TITLE),
            *(node["pos"][0] + node["size"][0], node["pos"][1] + node["size"][1]),
        )
        for node in workflow["nodes"]
    }


@pytest.mark.parametrize("path", UI, ids=lambda path: path.stem)
def test_no_node_lies_over_another(path) -> None:
    """`frontend.mjs build` wrote the sizes that nodes compute; tests/comfy asks the front end anew."""
    placed = list(boxes(json.loads(path.read_text())).items())
    for k, (one, a) in enumerate(placed):
        for other, b in placed[k + 1 :]:
            apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            assert apart, f"node {one} lies over node {other}"


@pytest.mark.parametrize("path", UI, ids=lambda path: path.stem)
def test_wires_go_from_left_to_right_and_around_nodes(path) -> None:
    """A wire lies between two columns, or on the straight lines between reroutes, which meet no node."""
    workflow = json.loads(path.read_text())
    placed = boxes(workflow)
    places = {each["id"]: each for each in workflow["extra"].get("reroutes", [])}
    through = {each["id"]: each["parentId"] for each in workflow["extra"].get("linkExtensions", [])}
    for link, source, _, target, _, _ in workflow["links"]:
        chain, last = [], through.get(link)
        while last is not None:
            chain.insert(0, places[last]["pos"])
            last = places[last].get("parentId")
        ends = [placed[source][2], *(x for x, _ in chain), placed[target][0]]
        assert ends == sorted(ends), f"wire {link} goes back"
        lines = list(pairwise(chain))
        assert all(abs(a[1] - b[1]) < 1 for a, b in lines), f"wire {link} has a slanted part"
        for left, top, right, bottom in placed.values():
            for (x, y), (to, _) in lines:
                assert not (top < y < bottom and x < right and left < to), f"wire {link} crosses a node"
            for x0, x1 in ((ends[0], ends[1]), (ends[-2], ends[-1])):
                assert not (x0 < left and right < x1), f"wire {link} goes over a column"


@pytest.mark.parametrize("path", UI, ids=lambda path: path.stem)
def test_a_workflow_begins_with_a_photograph_and_says_whose_its_nodes_are(path) -> None:
    workflow = json.loads(path.read_text())
    notes = ("MarkdownNote",)
    nodes = [node for node in workflow["nodes"] if node["type"] not in notes]
    first = min(nodes, key=lambda node: (node["pos"][0], node["pos"][1]))
    begins = {"LoadImage": "gohd_astronaut.jpg", "LoadVideo": "gohd_speaker.mp4"}
    assert first["widgets_values"][0] == begins[first["type"]]
    for node in nodes:
        own = node["type"].startswith("GoHD")
        assert node["properties"]["cnr_id"] == ("gohd" if own else "comfy-core")
        assert node["properties"]["ver"]
        if node["type"] == "UpscaleModelLoader":
            (model,) = node["properties"]["models"]
            assert model["name"] == node["widgets_values"][0] and model["directory"] == "upscale_models"


def called_in_app_mode(node: dict, widget: str) -> str:
    """A widget's label, or else its name."""
    (found,) = [item for item in node["inputs"] if item.get("widget", {}).get("name") == widget]
    return found.get("label", widget)


@pytest.mark.parametrize("path", UI, ids=lambda path: path.stem)
def test_app_mode_shows_a_few_inputs_that_are_there(path) -> None:
    workflow = json.loads(path.read_text())
    shown, nodes = workflow["extra"]["linearData"], {node["id"]: node for node in workflow["nodes"]}
    assert workflow["extra"]["linearMode"] is True and 2 <= len(shown["inputs"]) <= 5
    for number, widget, *_ in shown["inputs"]:
        named = [each["widget"]["name"] for each in nodes[number]["inputs"] if "widget" in each]
        assert widget in named, f"{nodes[number]['type']} has no {widget}"
    assert shown["outputs"] and all("Save" in nodes[k]["type"] for k in shown["outputs"])

    called = [called_in_app_mode(nodes[number], widget) for number, widget, *_ in shown["inputs"]]
    assert len(set(called)) == len(called), "two that have one name are not told apart"
