"""Families of networks: which runtime objects there are, where their files lie, and what is missing."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from . import host
from .sockets import field

OFFICIAL = "official"
FAMILIES = [host.BUILTIN, OFFICIAL]

_LOADERS = {
    "animator": "load_animator",
    "pose_diffusion": "load_pose_model",
    "gaze_diffusion": "load_gaze_model",
    "expression": "load_expression_model",
    "extractor": "load_extractor",
    "gaze_estimator": "load_gaze_estimator",
}
_RELEASED = {
    "animator": "FaceAnimator_GoHD.pt",
    "pose_diffusion": "audio2pose.pt",
    "gaze_diffusion": "audio2gaze.pt",
    "expression": "audio2exp.pth",
    "extractor": "epoch_20.pth",
    "gaze_estimator": "L2CSNet_gaze360.pkl",
}
_OPTIONAL = ("gaze_diffusion",)
_FAMILY = (
    "`builtin`: the weights that ship with the pack, for drawn heads. `official`: the authors' files, under "
    "their released names, in models/gohd."
)


def family_field() -> Any:
    """The widget that chooses a family."""
    return field(io.Combo, "weights", _FAMILY, options=FAMILIES, default=host.BUILTIN)


def load(component: str, path: str, precision: str = "float32") -> host.Managed:
    """Loads one component's runtime object for ComfyUI to manage.

    ComfyUI runs nodes in inference mode, whose tensors know no version counter; weights are plain.
    """
    import torch

    import gohd_core

    options = {"dtype": getattr(torch, precision)} if component == "animator" else {}
    with torch.inference_mode(False):
        return host.Managed(getattr(gohd_core, _LOADERS[component])(path, **options))


def load_family(weights: str, precision: str = "float32") -> dict[str, host.Managed | host.Absent]:
    """All six components, built-in or official; an optional file that is missing is told when used."""
    paths: dict[str, str] = {}
    if weights == OFFICIAL:
        from gohd_core.checkpoints.released import find_released

        found = find_released(host.weight_folders())
        paths = {part: str(found[name]) for part, name in _RELEASED.items() if name in found}
    family: dict[str, host.Managed | host.Absent] = {}
    for part, name in _RELEASED.items():
        choice = host.BUILTIN if weights == host.BUILTIN else name
        problem = None if part in paths else host.weight_problem(choice, part)
        if problem is not None and part in _OPTIONAL:
            family[part] = host.Absent(problem)
        else:
            family[part] = load(part, paths.get(part) or host.weight_path(choice, part), precision)
    return family


def family_problem(weights: str | None) -> str | None:
    """Why a choice of that widget can't be loaded, in one sentence, or None; None also while it is wired."""
    if weights is None:
        return None
    if weights not in FAMILIES:
        return f"There is no family of weights {weights!r}; choose one of {', '.join(FAMILIES)}."
    if weights == host.BUILTIN:
        needed = (part for part in _RELEASED if part not in _OPTIONAL)
        return next(filter(None, (host.weight_problem(host.BUILTIN, part) for part in needed)), None)
    from gohd_core.checkpoints.released import find_released

    found = find_released(host.weight_folders())
    lacking = [n for part, n in _RELEASED.items() if part not in _OPTIONAL and n not in found]
    return host.missing_sentence(lacking[0]) if lacking else None


def family_fingerprint(weights: str) -> str:
    """Changes when one of the family's files does."""
    names = [host.BUILTIN] if weights == host.BUILTIN else list(_RELEASED.values())
    return " ".join(map(host.weight_fingerprint, names))


def models_of(family: dict[str, host.Managed | host.Absent]) -> Any:
    """A family as `gohd_core.pipeline` takes it, loaded onto the device."""
    from gohd_core.pipeline import Models

    there = {part: model for part, model in family.items() if isinstance(model, host.Managed)}
    loaded = dict(zip(there, host.ready(*there.values()), strict=True))
    return Models(
        animator=loaded["animator"],
        pose=loaded["pose_diffusion"],
        expression=loaded["expression"],
        extractor=loaded["extractor"],
        gaze_estimator=loaded["gaze_estimator"],
        gaze=loaded.get("gaze_diffusion"),
    )
