"""Help pages and translations: one page a node, complete, with the tables that the schemas say."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from gohd_core.choices import MOODS

ROOT = Path(__file__).resolve().parents[2]
DOCS, LOCALES = ROOT / "web" / "docs", ROOT / "locales"
LANGUAGES = ("en", "zh", "ja", "ko", "zh-TW", "fr", "es", "ru")
SCRIPTS = {**dict.fromkeys(("zh", "ja", "ko", "zh-TW"), 0x2E80), "ru": 0x400}
"""Languages with letters of their own, and where in Unicode those begin."""
FRENCH = ("à", "au", "ce", "cette", "d", "de", "du", "en", "et", "l", "la", "le", "les", "par", "pour", "un")
SPANISH = ("a", "al", "con", "de", "del", "el", "en", "la", "las", "los", "para", "por", "que", "un")
LATIN = {"fr": {*FRENCH, "des", "une"}, "es": {*SPANISH, "desde", "o", "una"}}
"""Little words of the others: one of them is in all but the shortest text."""
TABLES = "## Inputs"
"""From here on a page is made from the schema; what stands above is written by hand."""

NODE_IDS = sorted(json.loads(Path(__file__).with_name("schemas.json").read_text()))


def tables(schema) -> str:
    """The tables of a node's inputs and outputs, in Markdown."""
    lines = [TABLES, "", "| input | type | default | what it does |", "|---|---|---|---|"]
    for item in schema.inputs:
        default = getattr(item, "default", "")
        default = "" if default == "" or "\n" in str(default) else f"`{default}`"
        kind = item.get_io_type().replace(",", " or ") + (" (optional)" if item.optional else "")
        lines.append(f"| `{item.id}` | {kind} | {default} | {item.tooltip} |")
    lines += ["", "## Outputs", "", "| output | type | what it is |", "|---|---|---|"]
    lines += [f"| `{item.id}` | {item.io_type} | {item.tooltip} |" for item in schema.outputs]
    return "\n".join(lines) + "\n"


def english(schema) -> dict:
    """A node's entry in nodeDefs.json."""
    inputs = {item.id: {"name": item.id, "tooltip": item.tooltip} for item in schema.inputs}
    if schema.node_id == "GoHDConversation":
        inputs |= grown(inputs["voice_3"]["tooltip"])
    if schema.node_id == "GoHDTalkingPortrait":  # the same within its choice
        inputs["mood_mood_amount"] = inputs["mood_amount"]
    return {
        "display_name": schema.display_name,
        "description": schema.description,
        "inputs": inputs,
        "outputs": {
            str(k): {"name": item.id, "tooltip": item.tooltip} for k, item in enumerate(schema.outputs)
        },
    }


def grown(third: str) -> dict:
    """Inputs that grow, by the keys that the front end looks their tooltips up with."""
    numbers = ("third", "fourth", "fifth", "sixth", "seventh", "eighth")
    return {
        f"more_voices_voice_{k}": {"name": f"voice_{k}", "tooltip": third.replace("third", number)}
        for k, number in enumerate(numbers, 3)
    }


def is_written_in(language: str, text: str) -> bool:
    """By its letters, or by its little words where it is long enough to have some."""
    if language in SCRIPTS:
        return any(ord(letter) > SCRIPTS[language] for letter in text)
    words = re.findall(r"[^\W\d_]+", text.lower())
    return len(words) < 8 or bool(LATIN[language] & set(words))


def limits(item) -> set[str]:
    """The numbers between which a widget's value lies; nothing for a seed or an index."""
    high = getattr(item, "max", None)
    return set() if high is None or high >= 100_000 else {f"{item.min:g}", f"{high:g}"}


@pytest.mark.parametrize("name", NODE_IDS)
def test_every_node_has_a_page_with_the_tables_of_its_schema(schemas, name) -> None:
    """Set GOHD_WRITE_SNAPSHOT=1 to write the tables anew."""
    page = DOCS / f"{name}.md"
    by_hand, _, made = page.read_text().partition(TABLES)
    if os.environ.get("GOHD_WRITE_SNAPSHOT"):
        page.write_text(by_hand + tables(schemas[name]))
        made = page.read_text().partition(TABLES)[2]
    assert by_hand.startswith(f"# {schemas[name].display_name}\n") and len(by_hand.split()) >= 30
    assert TABLES + made == tables(schemas[name])


def test_there_is_no_page_without_a_node() -> None:
    assert sorted(page.stem for page in DOCS.glob("*.md")) == NODE_IDS


@pytest.mark.parametrize("name", NODE_IDS)
def test_every_page_shows_its_node(name) -> None:
    """Made by scripts/make_help_pictures.py in a running ComfyUI."""
    picture = DOCS / "pictures" / f"{name}.webp"
    assert f"](pictures/{name}.webp)" in (DOCS / f"{name}.md").read_text()
    assert 1_000 < picture.stat().st_size < 100_000


def test_english_is_what_the_schemas_say(schemas) -> None:
    path = LOCALES / "en" / "nodeDefs.json"
    wanted = {name: english(schema) for name, schema in sorted(schemas.items())}
    if os.environ.get("GOHD_WRITE_SNAPSHOT"):
        path.write_text(json.dumps(wanted, indent=1, ensure_ascii=False) + "\n")
    assert json.loads(path.read_text()) == wanted


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_translations_are_complete(schemas, language) -> None:
    translated = json.loads((LOCALES / language / "nodeDefs.json").read_text())
    source = {name: english(schema) for name, schema in schemas.items()}
    assert sorted(translated) == sorted(source)
    titles = [node["display_name"] for node in translated.values()]
    assert len(set(titles)) == len(titles), "nodes are told apart by their titles"
    for name, node in source.items():
        there = translated[name]
        assert there["display_name"] and there["description"] != node["description"], name
        for side in ("inputs", "outputs"):
            assert list(there[side]) == list(node[side]), f"{name}.{side}"
            for key, entry in node[side].items():
                found = there[side][key]
                assert found["name"], f"{name}.{side}.{key} has no name in {language}"
                assert found["tooltip"] and found["tooltip"] != entry["tooltip"], f"{name}.{side}.{key}"
                assert is_written_in(language, found["tooltip"]), f"{name}.{side}.{key}: {found['tooltip']}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_tooltips_of_numbers_name_their_limits(schemas, language) -> None:
    told = json.loads((LOCALES / language / "nodeDefs.json").read_text())
    for name, schema in schemas.items():
        for item in schema.inputs:
            tooltip = told[name]["inputs"][item.id]["tooltip"]
            assert limits(item) <= set(re.findall(r"-?\d+(?:\.\d+)?", tooltip)), f"{name}.{item.id}"


def test_texts_of_the_pads_are_in_every_language() -> None:
    """The keys that web/js uses, and no others, with the same gaps to fill."""
    said = {path.name: json.loads((path / "main.json").read_text())["gohd"] for path in LOCALES.iterdir()}
    assert sorted(said) == sorted(LANGUAGES)
    scripts = "\n".join(path.read_text() for path in (ROOT / "web" / "js").glob("*.js"))
    presets = json.loads((ROOT / "web" / "js" / "face_presets.json").read_text())
    made = {f"preset_{name}" for name in presets} | {f"mood_{name}" for name in MOODS if name != "neutral"}
    keys = set(said["en"])
    used = {key for key in keys if re.search(rf'"{key}"', scripts)} | made
    asked = set(re.findall(r'word\("(\w+)"', scripts)) | set(re.findall(r'"(\w+_title)"', scripts)) | made
    assert used == keys and asked <= keys
    for language, texts in said.items():
        assert list(texts) == list(said["en"]), language
        for key, text in texts.items():
            gaps = re.findall(r"{\w+}", said["en"][key])
            assert text.strip() and re.findall(r"{\w+}", text) == gaps, f"{language}: {key}"
            if language in SCRIPTS:
                assert is_written_in(language, text), f"{language}: {key}"
