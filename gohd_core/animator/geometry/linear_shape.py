"""Linear morphable points: mean, identity modes and expression basis of some points of a face (eq. 10)."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn

MODES = 20
"""Principal components of heads' contours."""
MOVING = (0, 1, 3, 4, 5, 6, 7, 8, 10, 11, 13, 14, 15, 16)
"""Columns of the expression that move points in the stylised world's data: of mouth, lids and brows."""
MIRRORED_MOVING = (0, 1, 2, 3, 4, 5, 7, 6, 9, 8, 10, 12, 11, 13)
"""Permutation of `MOVING` under left-right reflection."""


class FacePoints(nn.Module):
    """Points [...,3] in the head, model units; the model travels with the weights."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = (*shape, 3)
        count = prod(self.shape)
        self.register_buffer("mean", torch.zeros(count, dtype=torch.float32, device="cpu"))
        self.register_buffer("modes", torch.zeros(MODES, count, dtype=torch.float32, device="cpu"))
        self.register_buffer("expression", torch.zeros(len(MOVING), count, dtype=torch.float32, device="cpu"))

    def set_model(self, mean: Tensor, modes: Tensor, expression: Tensor) -> None:
        """mean [...,3], modes [MODES,...,3] a standard deviation each, expression [64,...,3]."""
        self.mean.copy_(mean.flatten())  # [3N]
        self.modes.copy_(modes.flatten(1))  # [20,3N]
        self.expression.copy_(expression[list(MOVING)].flatten(1))  # [14,3N]

    def neutral(self, weights: Tensor) -> Tensor:
        """Without expression, from weights of the modes [B,MODES] -> [B,...,3]."""
        return (self.mean + weights @ self.modes).unflatten(1, self.shape)  # [B,3N] -> [B,...,3]

    def deform(self, neutral: Tensor, moving: Tensor) -> Tensor:
        """With an expression, from its columns that move points [B,14]; neutral [1 or B,...,3]."""
        return neutral + (moving @ self.expression).unflatten(1, self.shape)  # [B,3N] -> [B,...,3]
