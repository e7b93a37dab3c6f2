"""What the animator's training begins with: fresh or earlier weights, and what the data tells beforehand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from gohd_core.animator.network import AnimatorNetwork
from gohd_core.animator.rings import MODES
from gohd_core.checkpoints.loading import load_network
from gohd_core.constants import STYLISED
from gohd_core.errors import BadInput
from gohd_core.stylised.feature_rings import feature_rings
from gohd_core.training.animator_config import AnimatorTraining
from gohd_core.training.animator_examples import descriptors
from gohd_core.training.data import read_each

_STATISTICS_CLIPS = 400
"""Clips whose descriptors give the mean and spread that the built-in motion network uses."""
_LEAST_SPREAD = 0.05
_GROWN = ("teeth", "face_parts")
"""Parts that weights to begin with may lack; they begin anew."""


def network_to_train(config: AnimatorTraining) -> AnimatorNetwork:
    """A fresh network, or that of `config.start`, which may lack the parts named in `_GROWN`."""
    network = _begun(config)
    if network.rings is not None and config.data.space == STYLISED:
        model = feature_rings()
        modes = np.einsum("pritk,mk->mprit", model.identity, model.modes(MODES))
        parts = (model.mean, modes, np.moveaxis(model.expression, -1, 0), model.lashes)
        network.rings.rings.set_model(*(torch.from_numpy(part.astype(np.float32)) for part in parts))
    return network


def _begun(config: AnimatorTraining) -> AnimatorNetwork:
    if config.start is None:
        return AnimatorNetwork(config.network)
    loaded = load_network(config.start, "animator")
    ours = config.network
    if loaded.config == ours:
        return loaded.network.train().requires_grad_(True)
    grown = replace(loaded.config, **{name: getattr(ours, name) for name in _GROWN if getattr(ours, name)})
    if grown != ours:
        raise BadInput(
            f"The animator in {config.start} has another architecture than this config; use the config "
            "that it was trained with."
        )
    network = AnimatorNetwork(ours)
    network.load_state_dict(network.state_dict() | loaded.network.state_dict())
    return network


def descriptor_statistics(config: AnimatorTraining) -> tuple[Tensor, Tensor]:
    """Mean and spread [72] of the training clips' descriptors; columns that never vary get 0."""
    rows = list(read_each(config.data, "train", descriptors, _STATISTICS_CLIPS))
    values = np.concatenate(rows)
    spread = values.std(0)
    spread = np.where(spread > 1e-4, np.maximum(spread, _LEAST_SPREAD), 0)
    return torch.from_numpy(values.mean(0)), torch.from_numpy(spread.astype(np.float32))
