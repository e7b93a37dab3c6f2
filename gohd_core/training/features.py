"""Frozen networks of feature losses (VGG-19, expression, gaze, parsing, lip reading, identity), by name.

A loss that needs one is used when its weights are given; without them the config must switch the
loss off in words (`losses.perceptual: off`), and the run's log says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from torch import nn

from gohd_core.errors import BadInput
from gohd_core.training.framework.config import is_on


@dataclass(frozen=True)
class FeatureConfig:
    """Feature network of a loss: a name in `FEATURES`, and the file of its weights.

    weights: a path, "builtin" for those in the pack's assets, or null for none.
    """

    network: str
    weights: str | None = None


@dataclass(frozen=True)
class FeatureKind:
    """One kind of feature network.

    Attributes:
        what: its name for people, with the file that holds its weights.
        loader: "module:function" of a function from a path (or "builtin") to a module that maps
            images [B, 3, H, W] in [-1, 1] to a tuple of feature tensors; lip reading maps grey
            mouths [B, T, H, W] in [0, 1] to ([B, T, D],).
    """

    what: str
    loader: str

    def load(self, weights: str) -> nn.Module:
        """The network with its weights, frozen, in evaluation mode."""
        module, _, function = self.loader.partition(":")
        return getattr(import_module(module), function)(weights).eval().requires_grad_(False)


_HERE = "gohd_core.training.feature_networks"

FEATURES: Mapping[str, FeatureKind] = {
    "vgg19": FeatureKind("VGG-19 (torchvision's vgg19-dcbb9e9d.pth)", f"{_HERE}.vgg:load_vgg19"),
    "emotion_resnet50": FeatureKind(
        "the ResNet-50 expression recognition network (EMOCA's or DECA's ResNet-50)",
        f"{_HERE}.resnet50:load_emotion",
    ),
    "gaze_estimator": FeatureKind(
        "the gaze estimator (L2CSNet_gaze360.pkl, or the built-in one)", f"{_HERE}.ours:load_gaze"
    ),
    "face_parsing": FeatureKind(
        "the face parsing network (79999_iter.pth, or one trained here)", f"{_HERE}.ours:load_parsing"
    ),
    "lip_reading": FeatureKind(
        "the lip reading network's front end (Ma et al. 2022)", f"{_HERE}.lip_reading:load_lip_reading"
    ),
    "arcface": FeatureKind(
        "the face recognition network (ArcFace iResNet-50)", f"{_HERE}.arcface:load_arcface"
    ),
}
"""The networks that configs can name."""


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
            networks[name] = kind.load(feature.weights)
        else:
            notes.append(f"The {name} loss is off, so {kind.what} is not used.")
    notes += [
        f"The {field.name} loss is off."
        for field in dataclasses.fields(losses)
        if not hasattr(features, field.name) and not is_on(getattr(losses, field.name))
    ]
    return networks, notes
