"""Vertex colours under spherical-harmonic light, as the coefficient extractor's model has them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gohd_core.errors import BadInput
from gohd_core.face.morphable import MorphableModel

AMBIENT = 0.8
"""Added to the constant term of each channel: zero coefficients are a dim even light."""


def texture(model: MorphableModel, coefficients: Tensor) -> Tensor:
    """Vertex colours without light, [..., 80] -> [..., V, 3] in 0..1."""
    if model.texture is None:
        raise BadInput("This morphable model has no texture; load BFM_model_front.mat.")
    basis = model.texture.basis.to(coefficients)
    flat = coefficients @ basis.flatten(0, 1).T
    return (model.texture.mean.to(coefficients) + flat.unflatten(-1, basis.shape[:2])) / 255


def harmonics(normals: Tensor) -> Tensor:
    """Nine spherical harmonics up to degree 2 of unit normals, [..., 3] -> [..., 9].

    The weights of each degree are those that the official coefficients were fitted with.
    """
    x, y, z = normals.unbind(-1)
    one = math.sqrt(math.pi) / 2
    linear = math.sqrt(math.pi)
    quadratic = math.sqrt(15 * math.pi / 8)
    return torch.stack(
        [
            torch.full_like(x, one),
            -linear * y,
            linear * z,
            -linear * x,
            quadratic * x * y,
            -quadratic * y * z,
            quadratic / (2 * math.sqrt(3)) * (3 * z**2 - 1),
            -quadratic * x * z,
            quadratic / 2 * (x**2 - y**2),
        ],
        -1,
    )


def shade(colours: Tensor, normals: Tensor, light: Tensor) -> Tensor:
    """Colours [..., V, 3] under light gamma [..., 27] at rotated unit normals [..., V, 3]."""
    gamma = light.unflatten(-1, (3, 9))
    gamma = torch.cat([gamma[..., :1] + AMBIENT, gamma[..., 1:]], -1)
    return colours * (harmonics(normals) @ gamma.mT)
