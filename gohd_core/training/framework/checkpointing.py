"""Checkpoints of a run: one safetensors file each, written whole or not at all, without pickle."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gohd_core.errors import BadCheckpoint
from gohd_core.files import atomic_write

_KEY = "run"
_NAME = re.compile(r"step_(\d+)\.safetensors")


def save_tree(path: str | Path, tree: Any) -> None:
    """Writes nested dicts, lists and tuples of tensors, arrays and plain values to one file, atomically."""
    from safetensors.torch import save

    tensors: dict[str, Tensor] = {}
    skeleton = _flatten(tree, tensors)
    atomic_write(path, save(tensors, metadata={_KEY: json.dumps(skeleton)}))


def load_tree(path: str | Path) -> Any:
    """Loads what `save_tree` wrote, with tensors on the CPU; `BadCheckpoint` for a file that is not whole."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt", device="cpu") as file:
            skeleton = json.loads((file.metadata() or {})[_KEY])
            return _restore(skeleton, file.get_tensor)
    except (SafetensorError, OSError, KeyError, json.JSONDecodeError) as error:
        raise BadCheckpoint(
            f"{path} is not a whole training checkpoint ({error}); delete it to resume from the one before."
        ) from error


class Checkpoints:
    """The checkpoints of one run in a folder, `step_00001000.safetensors` and so on; the last few stay."""

    def __init__(self, folder: str | Path, keep: int) -> None:
        self.folder, self.keep = Path(folder), keep

    def paths(self) -> list[Path]:
        """Whole checkpoints, oldest first."""
        found = self.folder.glob("step_*.safetensors") if self.folder.is_dir() else ()
        return sorted((p for p in found if _NAME.fullmatch(p.name)), key=_step)

    def save(self, step: int, tree: Any) -> Path:
        """Writes a checkpoint, then deletes those beyond the last `keep` and leftovers of killed runs."""
        path = self.folder / f"step_{step:08d}.safetensors"
        save_tree(path, tree)
        for old in [*self.paths()[: -self.keep], *self.folder.glob("*.part")]:
            old.unlink(missing_ok=True)
        return path

    def load_latest(self) -> tuple[Path, Any] | None:
        """The newest checkpoint and its content, or None when there is none."""
        paths = self.paths()
        return (paths[-1], load_tree(paths[-1])) if paths else None


def _step(path: Path) -> int:
    match = _NAME.fullmatch(path.name)
    return int(match.group(1)) if match else -1


def rng_state(device: torch.device) -> dict[str, Any]:
    """The state of every random generator that training code may use in this process."""
    return {
        "python": random.getstate(),
        "numpy": np.random.get_state(),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
    }


def set_rng_state(state: Mapping[str, Any], device: torch.device) -> None:
    """Puts every generator back to a state that `rng_state` gave."""
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])
    torch.set_rng_state(state["torch"])
    if device.type == "cuda" and state["cuda"] is not None:
        torch.cuda.set_rng_state(state["cuda"], device)


def _flatten(node: Any, tensors: dict[str, Tensor]) -> list[Any]:
    """A JSON skeleton [kind, content] of a tree; tensors go to `tensors` under running numbers."""
    if isinstance(node, np.ndarray):
        return ["array", _store(torch.from_numpy(node.astype(np.int64)), tensors), str(node.dtype)]
    if isinstance(node, Tensor):
        return ["tensor", _store(node, tensors)]
    if isinstance(node, Mapping):
        return ["dict", [[key, _flatten(value, tensors)] for key, value in node.items()]]
    if isinstance(node, (list, tuple)):
        kind = "list" if isinstance(node, list) else "tuple"
        if all(isinstance(item, (int, float, str)) for item in node):
            return [f"plain_{kind}", list(node)]
        return [kind, [_flatten(item, tensors) for item in node]]
    return ["value", node]


def _store(tensor: Tensor, tensors: dict[str, Tensor]) -> str:
    name = str(len(tensors))
    tensors[name] = tensor.detach().cpu().contiguous().clone()
    return name


def _restore(node: list[Any], tensor: Any) -> Any:
    kind, content = node[0], node[1]
    if kind == "tensor":
        return tensor(content)
    if kind == "array":
        return tensor(content).numpy().astype(node[2])
    if kind == "dict":
        return {key: _restore(value, tensor) for key, value in content}
    if kind in ("plain_list", "plain_tuple"):
        return content if kind == "plain_list" else tuple(content)
    if kind in ("list", "tuple"):
        items = [_restore(item, tensor) for item in content]
        return items if kind == "list" else tuple(items)
    return content
