"""Schemas that users see and workflows rely on: ids, the order of widgets, tooltips, categories."""

from __future__ import annotations

import inspect
import json
import os
import re
from pathlib import Path

SNAPSHOT = Path(__file__).with_name("schemas.json")


def described(schema) -> dict:
    """All of a schema that a saved workflow depends on, in order."""
    return {
        "display_name": schema.display_name,
        "category": schema.category,
        "inputs": [
            {"id": item.id, "type": item.get_io_type(), "optional": item.optional, **item.widget_options()}
            for item in schema.inputs
        ],
        "outputs": [{"id": item.id, "type": item.io_type} for item in schema.outputs],
    }


def test_no_id_was_renamed_and_no_widget_moved(schemas) -> None:
    """Set GOHD_WRITE_SNAPSHOT=1 to accept additions; removals and moves are never right."""
    found = {name: described(schema) for name, schema in sorted(schemas.items())}
    if os.environ.get("GOHD_WRITE_SNAPSHOT"):
        SNAPSHOT.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    kept = json.loads(SNAPSHOT.read_text())
    for name, node in kept.items():
        assert name in found, f"{name} is gone: workflows that use it break"
        for side in ("inputs", "outputs"):
            old, new = ([item["id"] for item in a[side]] for a in (node, found[name]))
            assert new[: len(old)] == old, f"{side} of {name} were moved; append new ones at the end"
    assert found == kept, "schemas changed: look at the difference, then write the snapshot anew"


def test_ids_say_whose_they_are_and_are_literal(nodes) -> None:
    for name, cls in nodes.items():
        assert name.startswith("GoHD") and re.fullmatch(r"\w+", name)
        source = Path(inspect.getsourcefile(cls)).read_text()
        assert f'node_id="{name}"' in source


def test_everything_has_a_tooltip_that_says_something(schemas) -> None:
    for name, schema in schemas.items():
        assert len(schema.description) > 30, name
        assert schema.search_aliases, name
        for item in (*schema.inputs, *schema.outputs):
            assert item.tooltip and len(item.tooltip) >= 12, f"{name}.{item.id}"
            assert item.tooltip.rstrip("0123456789;").endswith((".", "...")), f"{name}.{item.id}"


UNITS = (
    r"second|degree|pixel|[Ff]actor|[Ff]rames|0 |LUFS|from [01]|steps|H\.264|pictures|Strength|seed|"
    "[Hh]ow much|percent|Range: "
)


def test_numbers_say_their_unit_or_range(schemas) -> None:
    for name, schema in schemas.items():
        for item in schema.inputs:
            if item.get_io_type() in ("INT", "FLOAT"):
                assert re.search(UNITS, item.tooltip), f"{name}.{item.id}: {item.tooltip}"
                assert item.min < item.max and item.min <= item.default <= item.max


def test_outputs_and_inputs_of_one_name_have_one_type(schemas) -> None:
    """So that equal names connect."""
    kinds: dict[str, set[str]] = {}
    for schema in schemas.values():
        for item in schema.outputs:
            kinds.setdefault(item.id, set()).add(item.io_type)
    clashes = {name: types for name, types in kinds.items() if len(types) > 1}
    assert not clashes


def test_every_socket_that_is_wanted_is_given_by_some_node(schemas) -> None:
    given = {item.io_type for schema in schemas.values() for item in schema.outputs}
    wanted = {
        kind
        for schema in schemas.values()
        for item in schema.inputs
        for kind in item.get_io_type().split(",")
        if kind.startswith("GOHD")
    }
    assert wanted <= given


def test_execute_takes_exactly_the_inputs_of_the_schema(nodes, schemas) -> None:
    for name, schema in schemas.items():
        parameters = inspect.signature(nodes[name].execute.__wrapped__).parameters
        named = {key for key, p in parameters.items() if p.kind is not p.VAR_KEYWORD} - {"cls"}
        ids = {item.id for item in schema.inputs}
        takes_more = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        assert named - {"precision"} <= ids, name
        assert takes_more or ids <= named, name


def test_dropdowns_offer_their_default(schemas) -> None:
    for name, schema in schemas.items():
        for item in schema.inputs:
            if item.get_io_type() == "COMBO" and hasattr(item, "default"):
                assert item.default in item.options, f"{name}.{item.id}"
