"""The blueprints that ship, against the schemas, without ComfyUI: ids, links, widgets, in core's own form."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLUEPRINTS = sorted((ROOT / "subgraphs").glob("*.json"))
CORE = {
    "GetVideoComponents": (["IMAGE", "AUDIO", "FLOAT"], {"video": "VIDEO"}),
    "CreateVideo": (["VIDEO"], {"images": "IMAGE", "audio": "AUDIO", "fps": "FLOAT"}),
    "ImageScaleBy": (["IMAGE"], {"image": "IMAGE", "upscale_method": "COMBO", "scale_by": "FLOAT"}),
}
"""Core nodes that are used: what they give and take."""
INPUT, OUTPUT = -10, -20


def sides(nodes, kind: str) -> tuple[list[str], dict[str, list[str]]]:
    """Types of a node's outputs, and of each of its inputs."""
    if kind in CORE:
        given, taken = CORE[kind]
        return given, {name: [each] for name, each in taken.items()}
    schema = nodes[kind].define_schema()
    return [item.io_type for item in schema.outputs], {
        item.id: item.get_io_type().split(",") for item in schema.inputs
    }


def test_the_four_ship_with_their_sources() -> None:
    wanted = ["Eye contact", "Lips from sound, head from video", "Paste back and upscale", "Talking portrait"]
    assert [path.stem for path in BLUEPRINTS] == wanted
    assert sorted(path.name for path in (ROOT / "subgraphs" / "api").glob("*.json")) == [
        path.name for path in BLUEPRINTS
    ]


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
def test_a_blueprint_is_one_node_with_a_definition(path) -> None:
    whole = json.loads(path.read_text())
    (outer,), (inner,) = whole["nodes"], whole["definitions"]["subgraphs"]
    assert outer["type"] == inner["id"] and UUID(inner["id"])
    assert outer["title"] == inner["name"] == path.stem
    assert "/" in inner["category"] and len(inner["description"]) > 60
    source = json.loads((path.parent / "api" / path.name).read_text())
    assert inner["description"] == source["description"]
    names = [item["name"] for item in inner["inputs"]]
    assert [item["name"] for item in outer["inputs"]] == names and len(set(names)) == len(names)
    assert [item["name"] for item in outer["outputs"]] == [item["name"] for item in inner["outputs"]]
    promoted = [item["name"] for item in outer["inputs"] if "widget" in item]
    assert len(outer["properties"]["proxyWidgets"]) == len(promoted) >= 3


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
def test_all_its_links_lead_from_and_to_what_fits(nodes, path) -> None:
    (inner,) = json.loads(path.read_text())["definitions"]["subgraphs"]
    inside = {node["id"]: node for node in inner["nodes"]}
    assert {node["properties"]["cnr_id"] for node in inside.values()} <= {"gohd", "comfy-core"}
    links = {link["id"]: link for link in inner["links"]}
    assert len(links) == len(inner["links"])
    wired = set()
    for link in links.values():
        if link["origin_id"] == INPUT:
            given = inner["inputs"][link["origin_slot"]]
            assert link["id"] in given["linkIds"]
            kind = given["type"]
        else:
            kind = sides(nodes, inside[link["origin_id"]]["type"])[0][link["origin_slot"]]
        if link["target_id"] == OUTPUT:
            taken = inner["outputs"][link["target_slot"]]
            assert link["id"] in taken["linkIds"] and taken["type"] == kind
            continue
        target = inside[link["target_id"]]
        slot = target["inputs"][link["target_slot"]]
        assert slot["link"] == link["id"]
        assert kind == link["type"] or link["type"] in slot["type"].split(",")
        assert kind in sides(nodes, target["type"])[1][slot["name"]]
        wired.add((target["id"], slot["name"]))
    for node in inside.values():
        needed = sides(nodes, node["type"])[1]
        if node["type"].startswith("GoHD"):
            schema = nodes[node["type"]].define_schema()
            needed = [item.id for item in schema.inputs if not item.optional and not hasattr(item, "default")]
        with_widget = {slot["name"] for slot in node["inputs"] if "widget" in slot}
        assert all((node["id"], name) in wired or name in with_widget for name in needed), node["type"]


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
def test_its_widgets_hold_values_that_the_schemas_allow(nodes, path) -> None:
    (inner,) = json.loads(path.read_text())["definitions"]["subgraphs"]
    for node in inner["nodes"]:
        if not node["type"].startswith("GoHD"):
            continue
        values = list(node["widgets_values"])
        for item in nodes[node["type"]].define_schema().inputs:
            kind = item.get_io_type()
            if kind not in ("INT", "FLOAT", "COMBO", "STRING", "BOOLEAN"):
                continue
            value = values.pop(0)
            if kind == "COMBO":
                assert value in item.options, f"{node['type']}.{item.id}"
            elif kind in ("INT", "FLOAT"):
                assert item.min <= value <= item.max, f"{node['type']}.{item.id}"
                if getattr(item, "control_after_generate", False):
                    assert values.pop(0) == "fixed"
        assert not values, node["type"]
