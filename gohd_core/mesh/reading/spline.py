"""A smooth map of space from pairs of points: the biharmonic spline in three dimensions."""

from __future__ import annotations

import torch
from torch import Tensor


class Spline:
    """Maps points as controls are mapped to targets: an affine map and a kernel r (Bookstein 1989, in 3-D).

    Args:
        controls: [N,3], in general position.
        targets: [N,3].
        smoothing: how far targets may be missed; 0 interpolates.
    """

    def __init__(self, controls: Tensor, targets: Tensor, smoothing: float = 0.0) -> None:
        count = len(controls)
        kernel = torch.cdist(controls, controls)
        eye = torch.eye(count, device=controls.device, dtype=controls.dtype)
        affine = _with_ones(controls)
        # The kernel r is conditionally negative definite: smoothing is taken off its diagonal.
        system = torch.cat(
            [
                torch.cat([kernel - smoothing * eye, affine], 1),
                torch.cat([affine.T, affine.new_zeros(4, 4)], 1),
            ]
        )
        solved = torch.linalg.solve(system, torch.cat([targets, targets.new_zeros(4, 3)]))
        self.controls, self.weights, self.affine = controls, solved[:count], solved[count:]

    def __call__(self, points: Tensor) -> Tensor:
        """[...,3] -> [...,3]."""
        flat = points.reshape(-1, 3)
        bent = torch.cdist(flat, self.controls) @ self.weights
        return (bent + _with_ones(flat) @ self.affine).reshape(points.shape)

    def moved(self, points: Tensor, shifts: Tensor) -> Tensor:
        """Maps shifts [M,...,3] of points [...,3]: the mapped end less the mapped start."""
        found = torch.zeros_like(shifts)
        moving = shifts.abs().amax(-1) > 1e-6
        ends = (points + shifts)[moving]
        starts = self(points).expand_as(shifts)[moving]
        found[moving] = self(ends) - starts
        return found


def _with_ones(points: Tensor) -> Tensor:
    return torch.cat([torch.ones_like(points[:, :1]), points], 1)
