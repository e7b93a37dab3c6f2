"""Curves of motion: smoothstep, and angles that go the nearer way round."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

TURN = 2 * torch.pi

Values = TypeVar("Values", Tensor, np.ndarray)


def smoothstep(low: float, high: float, x: Values) -> Values:
    """0 up to `low`, 1 from `high` on, a cubic between (GLSL's), of a tensor or an array."""
    share = ((x - low) / (high - low)).clip(0, 1)
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
