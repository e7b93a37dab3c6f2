"""Reads a weights file, safely: the only place in GoHD that calls torch.load."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch

from gohd_core.components import HEADER
from gohd_core.errors import BadCheckpoint
from gohd_core.files import read_safetensors


def read_file(path: str | Path) -> tuple[Any, dict[str, Any] | None]:
    """Reads a checkpoint onto the CPU.

    Returns: the content (a dictionary, nested as the file has it), and our own metadata where the
    file is one of ours, else None.
    Raises `BadCheckpoint` when the file is absent, cut off, or holds anything but plain tensors.
    """
    path = Path(path)
    if not path.is_file():
        raise BadCheckpoint(f"There is no weights file at {path}; check the path or download it first.")
    if path.stat().st_size == 0:
        raise BadCheckpoint(f"{path} is empty; download it again.")
    if path.suffix == ".safetensors":
        said = {"what": "weights file", "remedy": "download it again", "error": BadCheckpoint}
        return read_safetensors(path, HEADER, **said)
    return _read_torch(path), None


def _read_torch(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if zipfile.is_zipfile(path) or _starts_like_a_pickle(path):
            raise BadCheckpoint(
                f"{path} holds something other than plain tensors, or is damaged, and was not loaded: "
                "loading it could run code; use the file as its authors released it."
            ) from error
        raise BadCheckpoint(f"{path} is not a weights file; download it again.") from error
    except (RuntimeError, EOFError, OSError, KeyError, ValueError, IndexError) as error:
        raise BadCheckpoint(f"{path} is cut off or damaged and can't be read; download it again.") from error


def _starts_like_a_pickle(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(1) == b"\x80"
