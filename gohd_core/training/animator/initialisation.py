"""Initialisation of the animator's training: fresh or earlier weights, and statistics of the data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from gohd_core.animator.geometry.linear_shape import MODES
from gohd_core.animator.geometry.shape_encoder import ShapeEncoder
from gohd_core.animator.network import AnimatorNetwork
from gohd_core.checkpoints.loading import load_network
from gohd_core.constants import STYLISED
from gohd_core.errors import BadInput
from gohd_core.stylised.ground_truth.face_sheet import SheetModel, sheet_model
from gohd_core.stylised.ground_truth.feature_rings import FeatureRings, feature_rings
from gohd_core.training.animator.config import AnimatorTraining
from gohd_core.training.animator.examples import descriptors
from gohd_core.training.framework.data import read_each

_STATISTICS_CLIPS = 400
"""Clips whose descriptors give the mean and spread that the built-in motion network uses."""
_LEAST_SPREAD = 0.05
_OPTIONAL_PARTS = ("teeth", "face_parts")
"""Parts that initial weights may lack; they are initialised at random."""


def network_to_train(config: AnimatorTraining) -> AnimatorNetwork:
    """A fresh network, or that of `config.start`, which may lack the parts named in `_OPTIONAL_PARTS`."""
    network = _initial_network(config)
    if network.shape is not None and config.data.space == STYLISED:
        set_shapes(network.shape)
    return network


def set_shapes(encoder: ShapeEncoder) -> None:
    """Gives a reader the stylised world's morphable face."""
    rings, mesh = feature_rings(), sheet_model()
    modes = rings.modes(MODES).T

    def linear_model(model: SheetModel | FeatureRings) -> tuple[Tensor, Tensor, Tensor]:
        parts = (model.mean, np.moveaxis(model.identity @ modes, -1, 0), np.moveaxis(model.expression, -1, 0))
        return tuple(torch.from_numpy(np.ascontiguousarray(part, np.float32)) for part in parts)

    encoder.contours.set_model(*linear_model(rings))
    encoder.contours.lashes.copy_(torch.from_numpy(rings.lashes))
    encoder.mesh.set_model(*linear_model(mesh))


def _initial_network(config: AnimatorTraining) -> AnimatorNetwork:
    if config.start is None:
        return AnimatorNetwork(config.network)
    loaded = load_network(config.start, "animator")
    ours = config.network
    if loaded.config == ours:
        return loaded.network.train().requires_grad_(True)
    extended = replace(
        loaded.config, **{name: getattr(ours, name) for name in _OPTIONAL_PARTS if getattr(ours, name)}
    )
    if extended != ours:
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
