"""Output of the stylised renderer: a picture and everything that is known about it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Correspondence:
    """Triangle and barycentric point that every pixel shows."""

    triangle: np.ndarray
    """``[H, W]`` int32: 0 = background, else the triangle's index + 1."""
    barycentric: np.ndarray
    """``[H, W, 2]`` float32: perspective-correct weights of the first two corners."""
    depth: np.ndarray
    """``[H, W]`` float32: camera depth; the far plane on the background."""
    vertices: np.ndarray
    """``[V, 3]`` float32: pixel x, pixel y, camera depth of every vertex."""
    faces: np.ndarray
    """``[F, 3]`` int32."""
    material: np.ndarray
    """``[F]`` uint8: face-parsing class of each triangle (lips and nose count as skin)."""


@dataclass(frozen=True)
class RenderedFrame:
    """One picture with its ground truth, H = W = size."""

    image: np.ndarray
    """``[H, W, 3]`` uint8."""
    landmarks: np.ndarray
    """``[68, 2]`` float32 pixels (x right, y down, pixel centres at integers)."""
    landmarks_3d: np.ndarray
    """``[68, 3]`` float32, posed, in the camera's axes (model units, y up, z to the camera)."""
    irises: np.ndarray
    """``[2, 2]`` float32 pixels, subject's left eye (image right) first."""
    visible: np.ndarray
    """``[68]`` bool: landmark inside the picture and not hidden."""
    parsing: np.ndarray
    """``[H, W]`` uint8 in the 19 face-parsing classes; left is the subject's left."""
    correspondence: Correspondence | None = field(default=None, repr=False)
