"""Motion to the descriptor windows that the networks take; the one place where gaze is reordered."""

from __future__ import annotations

import torch
from torch import Tensor

from gohd_core.constants import FPS, N_DESCRIPTOR, N_GAZE
from gohd_core.errors import BadInput
from gohd_core.motion import Motion


def to_network_order(descriptors: Tensor) -> Tensor:
    """[..., expression | pose | pitch, yaw] -> [..., expression | pose | horizontal, vertical].

    The official files call the two (pitch, yaw) but hold (horizontal, vertical); the built-in network
    follows them. Swapping two columns is its own inverse.
    """
    if descriptors.shape[-1] != N_DESCRIPTOR:
        raise BadInput(
            f"A motion descriptor has {N_DESCRIPTOR} values (expression 64, pose 6, gaze 2); "
            f"got {descriptors.shape[-1]}."
        )
    return torch.cat([descriptors[..., :-N_GAZE], descriptors[..., -N_GAZE:].flip(-1)], dim=-1)


def network_descriptors(motion: Motion) -> Tensor:
    """All descriptors of a motion in the networks' order, [T, 72] float32."""
    return to_network_order(motion.descriptors().float())


def windows_at(descriptors: Tensor, frames: range, window: int, fps: float = FPS) -> Tensor:
    """Windows around some frames, each `window` steps of 1/25 s long, centred; the ends repeat.

    At 25 fps these are the neighbouring frames themselves; at other rates they are interpolated, so
    that a window always spans the time that the weights were trained with.

    Args:
        descriptors: [T, C].
        frames: which frames.
        window: steps in a window (odd).
        fps: frame rate of `descriptors`.

    Returns:
        [len(frames), C, window].
    """
    radius = window // 2
    steps = torch.arange(-radius, radius + 1, dtype=torch.float64, device="cpu") * (float(fps) / FPS)
    at = torch.tensor(list(frames), dtype=torch.float64, device="cpu")[:, None] + steps
    at = at.clamp(0, len(descriptors) - 1)
    low = at.floor().long()
    share = (at - low).to(descriptors.dtype)[..., None]
    values = descriptors[low]
    if share.any():
        high = (low + 1).clamp(max=len(descriptors) - 1)
        values = torch.lerp(values, descriptors[high], share)
    return values.transpose(1, 2)  # [b,W,C] -> [b,C,W]
