"""Weights: recognise any official or own file, load it safely, write it as safetensors.

Names are imported on first use: what fetches files needs the standard library alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PUBLIC = {
    "BUILTIN": "loading",
    "Layout": "layout",
    "Loaded": "loading",
    "convert": "writing",
    "load_network": "loading",
    "read_checkpoint": "loading",
    "save_network": "writing",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
