"""Weights: recognise any official or own file, load it safely, write it as safetensors.

Names are imported on first use: what fetches files needs the standard library alone.
"""

from __future__ import annotations

from gohd_core.lazy import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "BUILTIN": "loading",
        "Layout": "layout",
        "Loaded": "loading",
        "convert": "writing",
        "load_network": "loading",
        "read_checkpoint": "loading",
        "save_network": "writing",
    },
)
