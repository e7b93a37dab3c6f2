"""Separates lids and brows from the mouth in a measured expression basis."""

from __future__ import annotations

import torch
from torch import Tensor

from gohd_core.constants import N_EXPRESSION
from gohd_core.landmarks68 import EYES_AND_BROWS, JAW_AND_MOUTH

_RIDGE = 1e-3
"""Movements that neither group of landmarks shows stay with the mouth's source."""


def eye_projection(basis: Tensor) -> Tensor:
    """[64, 64]: of a change of expression, the part that moves eyes and brows and leaves the mouth.

    In a measured basis nearly every coefficient moves both. So the change x that is applied is the one
    whose landmarks come nearest to the target: eye landmarks as in the change d, mouth landmarks
    still, x = argmin |E (x - d)|^2 + |M x|^2 + ridge |x|^2, with E and M the rows of the expression basis
    [68,3,64] at those landmarks.
    """
    basis = basis.double()
    eye = basis[list(EYES_AND_BROWS)].reshape(-1, N_EXPRESSION)  # [N,3,64] -> [3N,64]
    mouth = basis[list(JAW_AND_MOUTH)].reshape(-1, N_EXPRESSION)  # [N,3,64] -> [3N,64]
    wanted, still = eye.T @ eye, mouth.T @ mouth
    ridge = _RIDGE * torch.eye(N_EXPRESSION, dtype=torch.float64, device="cpu") * wanted.diagonal().mean()
    return torch.linalg.solve(wanted + still + ridge, wanted).float()
