"""Loads one network from any file that can hold it, official or ours, and refuses what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gohd_core.checkpoints.config import config_from_json
from gohd_core.checkpoints.layout import Layout
from gohd_core.checkpoints.quantisation import dequantise
from gohd_core.checkpoints.reading import read_file
from gohd_core.components import BUILTIN, COMPONENTS, Component, component
from gohd_core.constants import BFM09
from gohd_core.devices import checked_device
from gohd_core.errors import BadCheckpoint

_NAMES_SHOWN = 6
_RECOGNISED = 0.5
"""Share of a layout's fingerprint from which on a file is taken for it, and its missing keys are named."""


@dataclass(frozen=True)
class Loaded:
    """A network with its weights and the metadata of its file."""

    component: str
    network: nn.Module
    config: Any
    space: str
    info: Mapping[str, Any]


def assets_folder() -> Path:
    """The folder of the built-in weights and samples: in a wheel inside the package, else beside it."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "assets"
    return inside if inside.is_dir() else package.parent / "assets"


def builtin_path(name: str) -> Path:
    """Path of a component's built-in weights; `BadCheckpoint` when this copy has none."""
    path = assets_folder() / f"{name}.safetensors"
    if not path.is_file():
        raise BadCheckpoint(
            f"This copy of GoHD has no built-in weights for {name!r} (looked for {path}); "
            "give the path of a weights file."
        )
    return path


def load_network(
    source: str | Path,
    name: str | tuple[str, ...],
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Loaded:
    """Loads the network `name` from a path or, for "builtin", from the pack's assets.

    Of several names the file may hold any; "builtin" is the first one's.

    Raises `BadCheckpoint` with one sentence when the file holds another component, is damaged, lacks
    keys or has too many, has tensors of wrong shapes, or values that are not finite.
    """
    device = checked_device(device)
    names = (name,) if isinstance(name, str) else name
    path = builtin_path(names[0]) if str(source) == BUILTIN else Path(source)
    loaded = read_checkpoint(path)
    if loaded.component not in names:
        raise BadCheckpoint(
            f"{path} holds {loaded.component!r} weights, but {names[0]!r} weights are wanted here; "
            "choose another file."
        )
    network = loaded.network.to(device=device, dtype=dtype).train(False).requires_grad_(False)
    return replace(loaded, network=network)


def read_checkpoint(path: str | Path) -> Loaded:
    """Reads a file of any known layout, checks every tensor, and fills a float32 network."""
    path = Path(path)
    content, metadata = read_file(path)
    if metadata is not None:
        return _ours(path, content, metadata)
    return _official(path, content)


def _ours(path: Path, tensors: dict[str, Tensor], metadata: Mapping[str, Any]) -> Loaded:
    absent = [key for key in ("component", "config", "space") if key not in metadata]
    if absent or metadata["component"] not in COMPONENTS:
        raise BadCheckpoint(
            f"The metadata of {path} is not what this version of GoHD reads "
            f"({', '.join(absent) or metadata['component']}); update GoHD or use another file."
        )
    kind = component(metadata["component"])
    config = config_from_json(kind.config, metadata["config"], str(path))
    network = build(kind, config)
    ours = network.state_dict()
    tensors = dequantise(tensors)
    tensors = {key if key in ours else kind.renamed(key): value for key, value in tensors.items()}
    _check_keys(path, kind.name, sorted(ours.keys() - tensors.keys()), sorted(tensors.keys() - ours.keys()))
    _fill(path, network, tensors, {key: key for key in ours})
    return Loaded(kind.name, network, config, metadata["space"], metadata.get("info", {}))


def _official(path: Path, content: Any) -> Loaded:
    kind, layout, state = _recognise(path, content)
    file_name = kind.file.name
    try:
        config = layout.infer_config(state)
    except KeyError as error:
        _check_keys(path, file_name, [str(error.args[0])], [])
    except (IndexError, ValueError) as error:
        raise BadCheckpoint(
            f"{path} looks like {file_name}, but its architecture can't be told from what it "
            f"holds ({error}); download it again."
        ) from error
    network = build(kind, config)
    ours = network.state_dict()
    _check_keys(path, file_name, *layout.differences(state, ours))
    names = {key: layout.official_name(key) for key in ours}
    _fill(path, network, layout.translate(state, ours), names)
    return Loaded(kind.name, network, config, BFM09, {"origin": file_name})


def build(kind: Component, config: Any) -> nn.Module:
    """A fresh float32 network on the CPU, without touching the caller's random state."""
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        return kind.network(config).float()


def _recognise(path: Path, content: Any) -> tuple[Component, Layout, dict[str, Tensor]]:
    best: tuple[float, Component, Layout, dict[str, Tensor]] | None = None
    for kind in COMPONENTS.values():
        for layout in kind.layouts:
            state = layout.find(content)
            if state is None:
                continue
            likeness = layout.similarity(state)
            if best is None or likeness > best[0]:
                best = (likeness, kind, layout, state)
    if best is None or best[0] < _RECOGNISED:
        keys = [str(key) for key in content][:3] if isinstance(content, Mapping) else []
        raise BadCheckpoint(
            f"{path} is none of the files that GoHD knows (it begins with "
            f"{', '.join(keys) or type(content).__name__}); see `gohd doctor` for their names."
        )
    return best[1:]


def _check_keys(path: Path, what: str, missing: list[str], unexpected: list[str]) -> None:
    parts = []
    if missing:
        parts.append(f"lacks {_some(missing)}")
    if unexpected:
        parts.append(f"has {_some(unexpected)}, which do not belong")
    if parts:
        raise BadCheckpoint(
            f"{path} looks like {what} but {' and '.join(parts)}; download it again or use another file."
        )


def _fill(path: Path, network: nn.Module, tensors: Mapping[str, Tensor], names: Mapping[str, str]) -> None:
    # PyTorch computes nothing with numbers of 8 bits.
    tensors = {
        key: value.float() if value.is_floating_point() and value.element_size() == 1 else value
        for key, value in tensors.items()
    }
    bad = [names[key] for key, value in tensors.items() if not torch.isfinite(value).all()]
    if bad:
        raise BadCheckpoint(f"{path} has values that are not finite (in {_some(bad)}); download it again.")
    for key, wanted in network.state_dict().items():
        if tensors[key].shape != wanted.shape:
            raise BadCheckpoint(
                f"{names[key]} in {path} has shape {list(tensors[key].shape)} where "
                f"{list(wanted.shape)} is expected; download it again or use another file."
            )
    network.load_state_dict(tensors, strict=True)


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMES_SHOWN])
    return f"{shown} and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else shown
