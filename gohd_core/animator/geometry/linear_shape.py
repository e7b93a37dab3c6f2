"""Points of a morphable face: a mean, what heads differ by, and what expressions do, all linear (eq. 10)."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn

MODES = 20
"""Directions in which heads' rings differ most."""
MOVING = (0, 1, 3, 4, 5, 6, 7, 8, 10, 11, 13, 14, 15, 16)
"""Columns of the expression that move points in the stylised world's data: of mouth, lids and brows."""
MIRRORED_MOVING = (0, 1, 2, 3, 4, 5, 7, 6, 9, 8, 10, 12, 11, 13)
"""The same columns in a mirror, as places in `MOVING`."""


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
        self.mean.copy_(mean.flatten())
        self.modes.copy_(modes.flatten(1))
        self.expression.copy_(expression[list(MOVING)].flatten(1))

    def neutral(self, shares: Tensor) -> Tensor:
        """Without expression, from shares of the modes [B,MODES] -> [B,...,3]."""
        return (self.mean + shares @ self.modes).unflatten(1, self.shape)

    def moved(self, neutral: Tensor, moving: Tensor) -> Tensor:
        """With an expression, from its columns that move points [B,14]; neutral [1 or B,...,3]."""
        return neutral + (moving @ self.expression).unflatten(1, self.shape)


def squares(middle: Tensor, side: int, size: int) -> tuple[Tensor, Tensor]:
    """Columns and rows [B,n,w,w] of the squares around points [B,n,2], within the picture."""
    first = (middle.detach().round().long() - side // 2).clamp(0, size - side)
    line = torch.arange(side, device=first.device, dtype=torch.long)
    column, row = (first[..., k, None] + line for k in (0, 1))
    return column[:, :, None].expand(-1, -1, side, -1), row[..., None].expand(-1, -1, -1, side)
