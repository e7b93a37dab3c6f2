"""Losses of a mouth network: coefficients, the lips' gap, and how both move."""

from __future__ import annotations

import torch
from torch import Tensor

WEIGHTS = (3.0, 1.5, 1.0, 1.5, 0.8, 0.8)
"""Of jaw_open, lip_pucker, lip_spread, lip_press, upper_lip_raise, lower_lip_drop."""
CLOSED, CLOSED_WEIGHT = 1.0, 3.0
"""Lips less than this many aligned pixels apart are closed, and count so much more."""
SQUARES, GAP, PARTED, CORRELATION, SPEED, SPREAD = 6.0, 0.15, 0.8, 0.4, 0.5, 1.5
FLOOR = 1e-3
"""Added to products of sums of squares before their root: a mouth at rest goes with nothing."""
VARIANCE_FLOOR = 1e-5


def mouth_terms(truth: Tensor, predicted: Tensor, opening: Tensor) -> dict[str, Tensor]:
    """Weighted terms whose sum is the loss.

    Absolute and squared errors of the coefficients (one keeps closures crisp, the other goes with the middle
    of what may be), of their speed, of their deviation over the batch; of the gap, closed lips counting more;
    how far lips stay apart that are to be closed; and 1 - correlation of gap and jaw in each sequence.

    Args:
        truth, predicted: coefficients [B, T, 6].
        opening: aligned pixels that each coefficient parts the inner lips by, [6].
    """
    weights = _weights(truth)
    error = predicted - truth
    gap, made = truth @ opening, predicted @ opening
    closed = gap < CLOSED
    deviations = [(x.flatten(0, 1).var(0) + VARIANCE_FLOOR).sqrt() for x in (truth, predicted)]
    agreement = _correlation(made, gap).mean() + _correlation(predicted[..., 0], truth[..., 0]).mean()
    return {
        "coefficients": distance(truth, predicted),
        "squares": SQUARES * (weights * error.square()).sum(-1).mean(),
        "gap": GAP * (torch.where(closed, CLOSED_WEIGHT, 1.0) * (gap - made).abs()).mean(),
        "parted": PARTED * torch.where(closed, (made - gap).relu(), 0.0).mean(),
        "correlation": CORRELATION * (2 - agreement),
        "speed": SPEED * (weights * error.diff(dim=1).abs()).sum(-1).mean(),
        "spread": SPREAD * (deviations[0] - deviations[1]).abs().sum(),
    }


def distance(truth: Tensor, predicted: Tensor) -> Tensor:
    """Weighted mean absolute error of coefficients [B, T, 6]."""
    return (_weights(truth) * (predicted - truth).abs()).sum(-1).mean()


def _weights(like: Tensor) -> Tensor:
    return torch.tensor(WEIGHTS, dtype=like.dtype, device=like.device)


def _correlation(first: Tensor, second: Tensor) -> Tensor:
    """Pearson's correlation [B] of sequences [B, T]."""
    a, b = (x - x.mean(1, keepdim=True) for x in (first, second))
    return (a * b).sum(1) / torch.sqrt((a * a).sum(1) * (b * b).sum(1) + FLOOR)
