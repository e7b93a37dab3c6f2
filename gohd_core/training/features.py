"""Frozen networks that losses look through (VGG-19, expression, gaze, parsing, lips, identity), by name.

A loss that needs one is used when its weights are given; without them the config must switch the
loss off in words (`losses.perceptual: off`), and the run's log says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from gohd_core.errors import BadInput
from gohd_core.training.config import is_on


@dataclass(frozen=True)
class FeatureConfig:
    """Which network a loss looks through: a name in `FEATURES`, and the file of its weights.

    weights: a path, "builtin" for those in the pack's assets, or null for none.
    """

    network: str
    weights: str | None = None


@dataclass(frozen=True)
class FeatureKind:
    """One kind of feature network.

    Attributes:
        what: its name for people, with the file that holds its weights.
        load: path or "builtin" -> a module that maps images [B, 3, H, W] in [-1, 1] (for lip
            reading [B, T, 3, H, W]) to a tuple of feature tensors.
    """

    what: str
    load: Callable[[str], nn.Module]


FEATURES: dict[str, FeatureKind] = {}
"""The known kinds; `register` adds one."""


def register(name: str, what: str) -> Callable[[Callable[[str], nn.Module]], Callable[[str], nn.Module]]:
    """Makes a loader known under a name, so that configs can use it."""

    def add(load: Callable[[str], nn.Module]) -> Callable[[str], nn.Module]:
        FEATURES[name] = FeatureKind(what, load)
        return load

    return add


def load_features(losses: Any, features: Any) -> tuple[nn.ModuleDict, list[str]]:
    """The networks that the losses of a config need, and sentences about the losses that are off.

    Args:
        losses: a dataclass of weights (`config.Weight`), by loss name.
        features: a dataclass of `FeatureConfig`, by the names of the losses that look through them.

    Returns: the networks by loss name, for `Task.frozen`; notes for `Task.notes`.
    Raises `BadInput` when a loss is on and its network has no weights.
    """
    networks, notes = nn.ModuleDict(), []
    for field in dataclasses.fields(features):
        name, feature = field.name, getattr(features, field.name)
        if feature.network not in FEATURES:
            raise BadInput(
                f"features.{name}.network is {feature.network!r}, which does not exist; "
                f"use one of {', '.join(sorted(FEATURES))}."
            )
        kind = FEATURES[feature.network]
        if is_on(getattr(losses, name)):
            if feature.weights is None:
                raise BadInput(
                    f"The {name} loss looks through {kind.what}: give features.{name}.weights=FILE, "
                    f"or switch it off with losses.{name}=off."
                )
            networks[name] = kind.load(feature.weights).eval().requires_grad_(False)
        else:
            notes.append(f"The {name} loss is off, so {kind.what} is not used.")
    notes += [
        f"The {field.name} loss is off."
        for field in dataclasses.fields(losses)
        if not hasattr(features, field.name) and not is_on(getattr(losses, field.name))
    ]
    return networks, notes
