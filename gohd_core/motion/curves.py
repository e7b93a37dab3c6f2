"""Curves of motion: smoothstep easing between 0 and 1, and angles that go the nearer way round."""

from __future__ import annotations

import torch
from torch import Tensor

TURN = 2 * torch.pi


def smoothstep(share: Tensor) -> Tensor:
    """From 0 to 1, flat at both ends: 3 s^2 - 2 s^3 for s in 0..1."""
    return share * share * (3 - 2 * share)


def nearest_turn(values: Tensor, angles: int, to: Tensor | float = 0.0) -> Tensor:
    """The first `angles` columns of [..., C], radians, moved by whole turns until they are nearest `to`."""
    turned = values.clone()
    turned[..., :angles] -= torch.round((values - to)[..., :angles] / TURN) * TURN
    return turned


def unwrap(values: Tensor, angles: int | None = None) -> Tensor:
    """Removes jumps of whole turns between neighbouring frames of [T, C]; of the first `angles` columns."""
    columns = values[:, :angles]
    turns = torch.round(columns.diff(dim=0) / TURN).cumsum(dim=0)
    even = values.clone()
    even[1:, :angles] -= turns * TURN
    return even
