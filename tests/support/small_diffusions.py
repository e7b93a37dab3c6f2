"""Small diffusion models with weights that leave nothing at zero."""

from __future__ import annotations

import torch

from gohd_core.constants import STYLISED
from gohd_core.pose import DenoisingNetwork, DiffusionConfig, PoseDiffusion

SMALL = {
    "width": 16,
    "blocks": 3,
    "heads": 2,
    "kernels": 5,
    "step_code": 16,
    "step_width": 16,
    "condition": 12,
    "training_steps": 40,
    "nearest_view": 3.0,
    "farthest_view": 8.0,
}


def small_config(**changes: object) -> DiffusionConfig:
    """A config of a few thousand weights; `changes` replace its fields."""
    return DiffusionConfig(**{**SMALL, **changes})


def small_model(seed: int = 0, **changes: object) -> PoseDiffusion:
    """A model with that config whose output layer is random too."""
    torch.manual_seed(seed)
    config = small_config(**changes)
    network = DenoisingNetwork(config).eval().requires_grad_(False)
    for denoiser in filter(None, (network.conditional, network.unconditional)):
        denoiser.output_projection.weight.normal_(std=0.1)
        denoiser.output_projection.bias.normal_(std=0.1)
        for name, value in denoiser.named_parameters():
            if name.endswith("amplitudes"):
                value.normal_(std=2.0)
    return PoseDiffusion(network, config, STYLISED)


def condition(frames: int, seed: int = 1, width: int = 12) -> torch.Tensor:
    """A random audio condition `[T, 12]`."""
    return torch.randn(frames, width, generator=torch.Generator().manual_seed(seed))
