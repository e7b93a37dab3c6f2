"""Finds one network's tensors inside a weights file, whatever they are wrapped in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gohd_core.checkpoints.reading import read_file
from gohd_core.errors import BadCheckpoint
from gohd_core.face.reading.gaze_estimator import IMAGENET_MEAN, IMAGENET_STD


def load_part(network: nn.Module, path: str, what: str) -> nn.Module:
    """Fills a network from a file that holds its keys under any common prefix, among others.

    Keys that the network does not have (a classifier, say) are left aside. Raises `BadCheckpoint`
    when a key is missing or has another shape.
    """
    content, _ = read_file(path)
    wanted = network.state_dict()
    needed = [key for key in wanted if not key.endswith("num_batches_tracked")]
    for state in _state_dicts(content):
        prefix = _prefix(state, needed)
        if prefix is None:
            continue
        found = {key: state.get(prefix + key, wanted[key]) for key in wanted}
        wrong = [key for key in needed if found[key].shape != wanted[key].shape]
        if wrong:
            raise BadCheckpoint(
                f"{prefix}{wrong[0]} in {path} has shape {list(found[wrong[0]].shape)} where {what} has "
                f"{list(wanted[wrong[0]].shape)}; use another file."
            )
        network.load_state_dict(found)
        return network
    raise BadCheckpoint(f"{path} does not hold {what} (it has no {needed[0]}, {needed[-1]}, ...).")


def _state_dicts(content: Any) -> list[Mapping[str, Tensor]]:
    """The flat dictionaries of tensors in a file's content, outermost first."""
    if not isinstance(content, Mapping):
        return []
    tensors = {key: value for key, value in content.items() if isinstance(value, Tensor)}
    nested = [found for value in content.values() for found in _state_dicts(value)]
    return ([tensors] if tensors else []) + nested


def _prefix(state: Mapping[str, Tensor], needed: list[str]) -> str | None:
    """Common prefix of the needed keys in a state dict."""
    for key in state:
        if key.endswith(needed[0]):
            prefix = key[: len(key) - len(needed[0])]
            if all(prefix + other in state for other in needed):
                return prefix
    return None


def register_imagenet(network: nn.Module) -> None:
    """Gives a network the buffers `mean` and `std` [3,1,1] of ImageNet's colours, which no file holds."""
    for name, values in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
        colours = torch.tensor(values, dtype=torch.float32, device="cpu")[:, None, None]
        network.register_buffer(name, colours, persistent=False)
