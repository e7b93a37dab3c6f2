"""Weights: recognise any official or own file, load it safely, write it as safetensors."""

from gohd_core.checkpoints.layout import Layout
from gohd_core.checkpoints.loading import BUILTIN, Loaded, load_network, read_checkpoint
from gohd_core.checkpoints.writing import convert, save_network

__all__ = [
    "BUILTIN",
    "Layout",
    "Loaded",
    "convert",
    "load_network",
    "read_checkpoint",
    "save_network",
]
