"""The 257 numbers of the official coefficient extractor, by name."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gohd_core.errors import BadInput

SIZES = {"identity": 80, "expression": 64, "texture": 80, "angle": 3, "light": 27, "translation": 3}
"""Columns of each group, in the official order; 257 in all."""


@dataclass(frozen=True)
class Coefficients:
    """Groups of 3DMM coefficients, each [B, n]; an extractor that lacks a group leaves it at zero.

    Attributes:
        identity: i of eq. 10, [B, 80].
        expression: e of eq. 10, [B, 64].
        texture: [B, 80].
        angle: Euler angles x, y, z in radians, [B, 3].
        light: spherical-harmonic light, [B, 27].
        translation: [B, 3] in model units.
    """

    identity: Tensor
    expression: Tensor
    texture: Tensor
    angle: Tensor
    light: Tensor
    translation: Tensor

    @classmethod
    def from_columns(cls, columns: Tensor) -> Coefficients:
        """Splits [B, 257]; columns after them (the detector's picture size and crop) are ignored."""
        total = sum(SIZES.values())
        if columns.shape[-1] < total:
            raise BadInput(f"The coefficients have {columns.shape[-1]} columns; at least {total} are wanted.")
        return cls(*columns[..., :total].split(list(SIZES.values()), -1))

    def columns(self) -> Tensor:
        """All groups side by side, [B, 257]."""
        return torch.cat([getattr(self, name) for name in SIZES], -1)

    @property
    def pose(self) -> Tensor:
        """Head pose p: angles, then translation, [B, 6]."""
        return torch.cat([self.angle, self.translation], -1)
