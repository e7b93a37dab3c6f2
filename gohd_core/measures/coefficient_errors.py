"""Errors of coefficients read from held-out pictures: error, slope and fit, value by value."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gohd_core.constants import STYLISED

POSE_NAMES = ("pitch", "yaw", "roll", "x", "y", "z")
DEGREES = ("pitch", "yaw", "roll", "gaze_pitch", "gaze_yaw")
STILL = 1e-3
"""A coefficient that varies by less than this in the data is left out of the figures."""


def coefficient_names(space: str) -> dict[str, tuple[str, ...]]:
    """Names of the coefficients of each group in a space."""
    expression = tuple(f"expression_{k}" for k in range(64))
    if space == STYLISED:
        from gohd_core.stylised.head.expressions import EXPRESSION_NAMES

        expression = EXPRESSION_NAMES
    return {"expression": expression, "pose": POSE_NAMES, "gaze": ("gaze_pitch", "gaze_yaw")}


def reading_figures(
    read: Mapping[str, Tensor], truth: Mapping[str, Tensor], names: Mapping[str, tuple[str, ...]]
) -> dict[str, float]:
    """Figures over N held-out pictures.

    Args:
        read, truth: group -> [N, n]; "landmarks" [N, 68, 2] in -1..1.
        names: names of the values of a group; groups without names get one figure each.
    Returns: "error/..." mean absolute error (degrees for angles, share of half the picture for
        landmarks); "r2/..." explained variance; "slope/..." of the reading against the truth.
    """
    figures: dict[str, float] = {}
    for group, true in truth.items():
        found = read[group]
        if group == "landmarks":
            figures["error/landmarks"] = float((found - true).norm(dim=-1).mean())
        elif group not in names:
            figures[f"error/{group}"] = float((found - true).abs().mean())
            figures[f"r2/{group}"] = explained_variance(found, true)
        else:
            for column, name in enumerate(names[group]):
                a, b = found[:, column], true[:, column]
                if b.std() < STILL:
                    continue
                error = (a - b).abs().mean()
                figures[f"error/{name}"] = float(torch.rad2deg(error) if name in DEGREES else error)
                figures[f"r2/{name}"] = explained_variance(a, b)
                figures[f"slope/{name}"] = slope(a, b)
    return figures


def explained_variance(read: Tensor, truth: Tensor) -> float:
    """Share of the truth's variance that the reading explains; 1 is perfect."""
    rest = (read - truth).square().sum()
    return float(1 - rest / (truth - truth.mean(0)).square().sum().clamp_min(1e-12))


def slope(read: Tensor, truth: Tensor) -> float:
    """Slope of the reading against the truth, by least squares; 1 keeps the amplitude."""
    centred = truth - truth.mean()
    return float((centred * read).sum() / centred.square().sum().clamp_min(1e-12))
