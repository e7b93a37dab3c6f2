"""Small animators with random weights, and their tensors in the official layout."""

from __future__ import annotations

import torch

from gohd_core.animator import Animator, AnimatorConfig, AnimatorNetwork
from gohd_core.animator.official import LAYOUTS
from gohd_core.constants import BFM09, STYLISED
from gohd_core.motion import Expression, Gaze, Motion, Pose

SMALL = AnimatorConfig(
    size=64,
    encoder_size=64,
    channels=(24, 20, 20, 16, 12),
    identity_dim=40,
    n_directions=6,
    descriptor_dim=16,
    flow_size=64,
    modulate_from=32,
)
BUILTIN = AnimatorConfig(
    size=64,
    encoder_size=32,
    channels=(24, 20, 16, 12),
    identity_dim=40,
    n_directions=6,
    descriptor_dim=16,
    flow_size=16,
    decoder="composite",
    motion="frame",
    head_channels=8,
    surroundings=True,
)


def network(config: AnimatorConfig = SMALL, seed: int = 0) -> AnimatorNetwork:
    """A network with random weights, biases included, whose flows move things visibly."""
    torch.manual_seed(seed)
    net = AnimatorNetwork(config)
    with torch.no_grad():
        for name, value in net.named_parameters():
            if name.endswith("bias") and "modulation" not in name:
                value.normal_(0, 0.1)
            if ".flows." in name and name.endswith("weight") and value.ndim == 2 and len(value) == 3:
                value.mul_(0.3)
    return net.eval()


def animator(config: AnimatorConfig = SMALL, seed: int = 0, **options) -> Animator:
    """An animator around such a network."""
    space = STYLISED if config.motion == "frame" else BFM09
    return Animator(network(config, seed), config, space, **options)


def official_state(net: AnimatorNetwork) -> dict[str, torch.Tensor]:
    """Its tensors under the official names and in the official shapes."""
    state = {}
    for key, value in net.state_dict().items():
        name = LAYOUTS[0].official_name(key)
        value = value.detach().clone()
        if name.endswith(".conv.weight") and ".sft." not in name and name.startswith("dec.to_flows"):
            value = value[None, :, :, None, None]
        elif name.endswith(".conv.weight") and value.ndim == 4:
            value = value[None]
        elif name.endswith(".bias") and (
            "activate" in name or "net_app" in name or name.startswith(("dec.to_rgbs", "dec.to_flows"))
        ):
            value = value if "modulation" in name else value[None, :, None, None]
        state[name] = value
    return state


def windows(frames: int, seed: int = 1) -> torch.Tensor:
    """Smooth random windows [T,72,27]."""
    generator = torch.Generator().manual_seed(seed)
    steps = torch.randn(frames, 72, 27, generator=generator)
    return 0.2 * steps.cumsum(-1)


def image(size: int, batch: int = 1, seed: int = 2) -> torch.Tensor:
    """A random picture with some structure, in [-1, 1]."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(batch, 3, 8, 8, generator=generator) * 2 - 1
    return torch.nn.functional.interpolate(coarse, size=(size, size), mode="bilinear")


def motion(frames: int, space: str = BFM09, seed: int = 3, fps: float = 25) -> Motion:
    """Random motion that differs from frame to frame."""
    generator = torch.Generator().manual_seed(seed)
    values = [torch.randn(frames, width, generator=generator) * 0.2 for width in (6, 64, 2)]
    return Motion(
        pose=Pose(values[0], space, fps),
        expression=Expression(values[1], space, fps),
        gaze=Gaze(values[2], space, fps),
    )
