"""Reprojection error of the stylised face model, which separates photographs from stylised heads.

The built-in extractor was trained on drawn heads alone. There the landmarks that it finds and those
that its coefficients make through the morphable model agree; on a real face they come apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gohd_core.face.geometry.morphable import MorphableModel

if TYPE_CHECKING:
    from gohd_core.face.reading.coefficients import Coefficients


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
