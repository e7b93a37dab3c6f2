"""Writes a network as safetensors with its config and metadata in the header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gohd_core.checkpoints.config import config_to_json
from gohd_core.checkpoints.loading import read_checkpoint
from gohd_core.checkpoints.quantisation import quantise
from gohd_core.components import HEADER
from gohd_core.errors import BadInput
from gohd_core.files import atomic_write

FORMAT = 1


def save_network(
    path: str | Path,
    network: nn.Module,
    *,
    component: str,
    config: Any,
    space: str,
    info: Mapping[str, Any] | None = None,
    dtype: torch.dtype | None = None,
    eight_bits: bool = False,
) -> Path:
    """Writes weights, config and origin to one safetensors file; a failed write leaves no file.

    Args:
        dtype: stores floating-point tensors in this type, e.g. torch.float16 to halve the file;
            None keeps them as they are. Loading gives float32 again.
        eight_bits: stores matrices and kernels as int8 with a scale for each output channel.
    """
    from safetensors.torch import save

    path = Path(path)
    if path.suffix != ".safetensors":
        raise BadInput(f"Weights are written as .safetensors; {path.name} ends otherwise.")
    tensors = {}
    for key, value in network.state_dict().items():
        value = value.detach().cpu()
        tensors[key] = (value.to(dtype) if dtype and value.is_floating_point() else value).contiguous()
    if eight_bits:
        tensors = quantise(tensors)
    metadata = {
        "format": FORMAT,
        "component": component,
        "config": config_to_json(config),
        "space": space,
        "info": dict(info or {}),
    }
    content = save(tensors, metadata={HEADER: json.dumps(metadata, sort_keys=True)})
    return atomic_write(path, content)


def convert(source: str | Path, target: str | Path) -> Path:
    """Rewrites any file that GoHD recognises as safetensors with its config in the metadata."""
    loaded = read_checkpoint(source)
    info = {**loaded.info, "converted_from": Path(source).name}
    return save_network(
        target,
        loaded.network,
        component=loaded.component,
        config=loaded.config,
        space=loaded.space,
        info=info,
    )
