"""Linear least squares within limits, for many targets at once."""

from __future__ import annotations

import torch
from torch import Tensor

_RIDGE = 0.02
"""Of the mean diagonal of the normal equations: what the targets do not tell stays small."""
_SWEEPS = 60


def bounded_least_squares(matrix: Tensor, targets: Tensor, limits: tuple[Tensor, Tensor]) -> Tensor:
    """Solutions [T,m] of `matrix` [n,m] for `targets` [T,n] within `limits` ([m], [m]), with a ridge.

    Coordinate descent on the normal equations, from the clamped solution without limits.
    """
    normal = matrix.T @ matrix
    count = len(normal)
    ridge = _RIDGE * normal.diagonal().mean()
    normal = normal + ridge * torch.eye(count, dtype=normal.dtype, device=normal.device)
    right = targets @ matrix  # [T,m]
    low, high = limits
    found = torch.linalg.solve(normal, right.T).T.clamp(low, high)
    for _ in range(_SWEEPS):
        for k in range(count):
            rest = right[:, k] - found @ normal[:, k] + found[:, k] * normal[k, k]
            found[:, k] = (rest / normal[k, k]).clamp(low[k], high[k])
    return found
