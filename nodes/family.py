"""Families of networks: their runtime objects, files, and the sentence where one is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gohd_core.components import BUILTIN, ROLES
from gohd_core.errors import BadCheckpoint

from . import host, weight_files
from .sockets import combo

OFFICIAL = "official"
FAMILIES = [BUILTIN, OFFICIAL]

_PARTS = {item.name: item for item in ROLES.values()}
"""Component -> its facts, of all that make a family."""
_FAMILY = (
    "`builtin`: the weights that ship with the pack, for any face. `official`: the authors' files, under "
    "their released names, in models/gohd."
)


def family_field() -> Any:
    """The widget that chooses a family."""
    return combo("weights", _FAMILY, FAMILIES, default=BUILTIN)


def load(component: str, path: str, precision: str = "float32") -> host.Managed:
    """Loads one component's runtime object for ComfyUI to manage; path: of a file, or "builtin".

    ComfyUI runs nodes in inference mode, whose tensors know no version counter; weights are plain.
    """
    import torch

    import gohd_core

    options = {"dtype": getattr(torch, precision)} if component == "animator" else {}
    with torch.inference_mode(False):
        return host.Managed(getattr(gohd_core, _PARTS[component].loader)(path, **options))


def load_family(weights: str, precision: str = "float32") -> dict[str, host.Managed | host.Absent]:
    """All six components, built-in or official; a missing optional file is an error when used."""
    problem = family_problem(weights)
    if problem is not None:
        raise BadCheckpoint(problem)
    return {
        part: host.Absent(_problem(weights, part))
        if path is None
        else load(part, BUILTIN if weights == BUILTIN else str(path), precision)
        for part, path in _files(weights).items()
    }


def family_problem(weights: str | None) -> str | None:
    """Why a choice of that widget can't be loaded, in one sentence, or None; None also while it is wired."""
    if weights is None:
        return None
    if weights not in FAMILIES:
        return f"There is no family of weights {weights!r}; choose one of {', '.join(FAMILIES)}."
    lacking = (part for part, path in _files(weights).items() if path is None and _PARTS[part].file.needed)
    return next((_problem(weights, part) for part in lacking), None)


def family_fingerprint(weights: str | None) -> str:
    """Changes when one of the family's files does; while it is wired, and not known yet, of either family."""
    families = FAMILIES if weights is None else [weights]
    return " ".join(host.fingerprint(path) for name in families for path in _files(name).values())


def _files(weights: str) -> dict[str, Path | None]:
    """Path of each component of a family, None where it is missing."""
    if weights == BUILTIN:
        return {part: weight_files.file(BUILTIN, part) for part in _PARTS}
    from gohd_core.checkpoints.sources import find_released

    found = find_released(host.weight_folders())
    return {part: found.get(item.file.name) for part, item in _PARTS.items()}


def _problem(weights: str, part: str) -> str | None:
    """One sentence on a component that a family lacks."""
    return weight_files.problem(BUILTIN if weights == BUILTIN else _PARTS[part].file.name, part)


def models_of(family: dict[str, host.Managed | host.Absent]) -> Any:
    """A family as `gohd_core.pipeline` takes it, loaded onto the device."""
    from gohd_core.models import Models

    there = {part: model for part, model in family.items() if isinstance(model, host.Managed)}
    loaded = zip(there, host.ready(*there.values()), strict=True)
    return Models(**{_PARTS[part].role: model for part, model in loaded})
