"""Motion from driving videos: films, the face in them, its motion, how steady it is; names load lazily."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PUBLIC = {
    "ClipPlan": "clips",
    "DriveOptions": "retarget",
    "Driving": "result",
    "ExtractionReport": "result",
    "SmoothingConfig": "steadiness",
    "driven_motion": "retarget",
    "extract_by_meshes": "extraction",
    "extract_motion": "extraction",
    "extract_people": "extraction",
    "followed": "following",
    "motion_from_blendshapes": "blendshapes",
    "motion_jitter": "steadiness",
    "own_portrait": "following",
    "smooth_motion": "steadiness",
    "jitter": "steadiness",
    "face_locator": "locators",
    "write_clips": "clips",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
