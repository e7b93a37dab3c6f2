"""Reprojection error of the stylised face model, which separates photographs from stylised heads.

The built-in extractor was trained on drawn heads alone. There the landmarks that it finds and those
that its coefficients make through the morphable model agree; on a real face they come apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gohd_core.constants import STYLISED
from gohd_core.face.geometry.morphable import MorphableModel

if TYPE_CHECKING:
    from gohd_core.face.portrait import Portrait
    from gohd_core.face.reading.coefficients import Coefficients

LIMIT = 0.028
"""Mean distance in half pictures; above it a picture is taken for a photograph. See MODEL_CARD.md."""

SENTENCE = (
    "This portrait looks like a photograph, but the networks that read faces are not there, and without them "
    "the built-in weights know drawn heads only: the result will be poor. Run `gohd download faces`."
)


@torch.inference_mode()
def reprojection_error(coefficients: Coefficients, landmarks: Tensor, size: int) -> Tensor:
    """Mean distance of landmarks to those that the coefficients project to, in half pictures, [B].

    Args:
        coefficients: in the stylised space.
        landmarks: [B, 68, 2] in pixels of square pictures, whose side is `size`.
    """
    model = MorphableModel.stylised_landmarks()
    made = model.landmarks_2d(coefficients.identity, coefficients.expression, coefficients.pose, size)
    return torch.linalg.vector_norm(made - landmarks, dim=-1).mean(-1) / (size / 2)


def photograph_warning(portrait: Portrait, space: str) -> str | None:
    """A sentence where a photograph was read without its face mesh, by the built-in weights; else None."""
    by_network = space == STYLISED and portrait.mesh is None
    suspect = by_network and portrait.reprojection_error is not None and portrait.reprojection_error > LIMIT
    return SENTENCE if suspect else None
