"""Samplers of the reverse process, by name: each turns noise into x_0 with a noise predictor."""

from __future__ import annotations

from gohd_core.errors import BadInput
from gohd_core.pose.samplers.base import Noise, Predict, Sampler
from gohd_core.pose.samplers.ddim import DDIM
from gohd_core.pose.samplers.ddpm import DDPM
from gohd_core.pose.samplers.dpmpp import DPMpp2M

SAMPLERS: dict[str, Sampler] = {"ddpm": DDPM(), "ddim": DDIM(), "dpmpp_2m": DPMpp2M()}


def sampler_named(name: str) -> Sampler:
    """The sampler of that name; `BadInput` names the others."""
    if name not in SAMPLERS:
        raise BadInput(f"There is no sampler {name!r}; use one of {', '.join(SAMPLERS)}.")
    return SAMPLERS[name]


__all__ = ["SAMPLERS", "Noise", "Predict", "Sampler", "sampler_named"]
