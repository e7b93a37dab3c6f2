"""The networks that a checkpoint can hold, found by name and imported on first use."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from torch import nn

from gohd_core.checkpoints.layout import Layout
from gohd_core.errors import BadInput

_MODULES = {
    "animator": "gohd_core.animator.official",
    "pose_diffusion": "gohd_core.pose.official",
    "gaze_diffusion": "gohd_core.pose.official_gaze",
    "expression": "gohd_core.expression.official",
    "extractor": "gohd_core.face.official_extractor",
    "gaze_estimator": "gohd_core.face.official_gaze_estimator",
    "face_parsing": "gohd_core.face.official_face_parsing",
    "lip_sync": "gohd_core.expression.official_lip_sync",
}
"""Where each network's class, config and official layouts are, beside the network."""

NAMES = tuple(_MODULES)


@dataclass(frozen=True)
class Component:
    """One kind of network: its class, the dataclass of its config, and its official layouts."""

    name: str
    network: type[nn.Module]
    config: type
    layouts: tuple[Layout, ...]


def component(name: str) -> Component:
    """The component of that name; `BadInput` when there is none."""
    if name not in NAMES:
        raise BadInput(f"There is no component {name!r}; use one of {', '.join(NAMES)}.")
    module = import_module(_MODULES[name])
    return Component(name, module.NETWORK, module.CONFIG, module.LAYOUTS)
