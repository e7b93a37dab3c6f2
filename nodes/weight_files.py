"""Weights by the names in dropdowns: choices, their paths, and the sentence where a file is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gohd_core.components import BUILTIN, COMPONENTS, FACE_MODEL, HEADER, RELEASED
from gohd_core.errors import BadCheckpoint, BadInput
from gohd_core.files import read_header

from . import host

_HELD = {Path(item.file.name).stem: item.name for item in COMPONENTS.values()}
_HELD[Path(FACE_MODEL.name).stem] = FACE_MODEL.purpose
"""Components of the released files, or conversions of them, by their names without the ending."""


def names(component: str) -> list[str]:
    """`builtin` and the files that may hold this component, for a dropdown.

    Released files are offered where they belong, our own files by their header, others everywhere.
    """
    found = host.weight_files()
    return [BUILTIN, *sorted(name for name in found if _component(name) in (component, None))]


def path(name: str, component: str) -> str:
    """A dropdown's choice as a path, or "builtin"; `BadCheckpoint` says where a missing file belongs."""
    said = problem(name, component)
    if said is not None:
        raise BadCheckpoint(said)
    return BUILTIN if name == BUILTIN else str(host.weight_location(name))


def problem(name: str | None, component: str) -> str | None:
    """One sentence on why a choice can't be loaded, or None."""
    if name is None:
        return None
    if name == BUILTIN:
        return _builtin_problem(component)
    return None if host.weight_location(name) is not None else missing_sentence(name)


def missing_sentence(name: str) -> str:
    """Advice: where a file belongs, and how to get it."""
    place = host.weight_folders()[0] / name
    known = next((item for item in RELEASED if item.name == Path(name).name), None)
    how = "choose another one or put it there"
    if known is not None and known.url:
        how = (
            f"run `gohd download {known.name}` or get it at {known.url} (the {known.purpose}; see WEIGHTS.md "
            "for its terms)"
        )
    elif known is not None:
        how = f"its makers supply it (the {known.purpose}; see WEIGHTS.md)"
    return f"There is no weights file {place}; {how}."


def fingerprint(name: str | None, component: str) -> str:
    """Changes when the file of a choice does; any that is offered while it is wired, and not known yet."""
    choices = names(component) if name is None else [name]
    return " ".join(host.fingerprint(file(choice, component)) for choice in choices)


def file(name: str, component: str) -> Path | None:
    """Path of a dropdown's choice, or None."""
    if name != BUILTIN:
        return host.weight_location(name)
    from gohd_core.checkpoints.loading import builtin_path

    return None if _builtin_problem(component) else builtin_path(component)


def morphable_model(space: str) -> Any:
    """The space's morphable model; the Basel one is the user's own file."""
    from gohd_core.constants import BFM09
    from gohd_core.face import MorphableModel

    if space != BFM09:
        return MorphableModel.stylised_landmarks()
    place = host.weight_location(FACE_MODEL.name)
    if place is None:
        raise BadInput(missing_sentence(FACE_MODEL.name))
    return MorphableModel.from_file(place).landmarks_only()


def _component(name: str) -> str | None:
    """Component in a file of the weights folder, as far as its name or its header tells."""
    stem = Path(name).stem
    if stem in _HELD:
        return _HELD[stem]
    place = host.weight_location(name)
    if place is None or place.suffix != ".safetensors":
        return None
    try:
        return (read_header(place, HEADER) or {}).get("component")
    except BadInput:
        return None


def _builtin_problem(component: str) -> str | None:
    from gohd_core.checkpoints.loading import builtin_path

    try:
        builtin_path(component)
    except BadCheckpoint as missing:
        return str(missing)
    return None
