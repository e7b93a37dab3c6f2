"""The line of lashes along the edge of a lowered lid, as a texture along and down from it."""

from __future__ import annotations

import cv2
import numpy as np

from gohd_core.mesh.closed_lid import LashLine
from gohd_core.mesh.photometry import blur, smoothstep

LASH_REACH, LASH_ENDS = 0.20, 1.5
"""How far above and below the edge the texture reaches, in eye widths, and how far to either side, in halves
of that."""
_FINE = 4
"""Texels of a pixel along and down in which single lashes are drawn."""


def lash_texture(lash: LashLine, outer: int, width: float, sigma: float) -> np.ndarray:
    """Opacity [h,w] of a lowered lid's lashes, from the image's left and from above its edge.

    outer: 1 where the outer corner is at the image's right, -1 where at the left. `width` of the eye and
    `sigma` of the picture's blur in pixels.
    """
    columns, rows = max(48, round(1.5 * LASH_ENDS * width)), max(16, round(3 * width * LASH_REACH))
    along = (np.arange(columns) + 0.5) * (2 * LASH_ENDS / columns) - LASH_ENDS
    down = ((np.arange(rows) + 0.5) * (2 / rows) - 1)[:, None] * LASH_REACH
    outwards = outer * along
    place, depth, strength = lash.course.T
    down = down - np.interp(outwards, 2 * place, depth)
    # Thickest outwards of the middle, it thins out to both ends.
    thick = lash.thickness * (0.75 + 0.30 * np.clip(outwards, -1, 1)) * (1 - 0.5 * along**2).clip(0.4)
    thick = thick + 0.8 * sigma / width
    line = np.exp(-((np.where(down > 0, down, -1.3 * down) / thick) ** 2))
    beyond = np.interp(outwards, 2 * place, strength) * smoothstep(LASH_ENDS, 0.9, outwards)
    line = line * smoothstep(-1.06, -0.70, outwards) * np.maximum(beyond, smoothstep(1.06, 0.90, outwards))
    line = line * (0.8 + 0.15 * lash.contrast)
    if lash.contrast > 0.3:
        strokes = blur(_strokes((rows, columns), outer), max(0.5, 1.5 * sigma))
        line = np.maximum(line, strokes * lash.contrast)
    return line.astype(np.float32)


def _strokes(shape: tuple[int, int], outer: int) -> np.ndarray:
    """Single lashes [h,w] that hang from the middle row, swept outwards."""
    rows, columns = shape
    canvas = np.zeros((rows * _FINE, columns * _FINE), np.uint8)
    draws = np.random.default_rng(3 + outer)
    scale = np.array([columns * _FINE / (2 * LASH_ENDS), rows * _FINE / 2])
    for place in np.linspace(-0.93, 0.93, 34):
        x = place + draws.uniform(-0.02, 0.02)
        long = 0.20 * (0.55 + 0.45 * outer * x) * draws.uniform(0.6, 1.1) * (1 - x * x) ** 0.3
        lean = 0.55 * x + 0.25 * outer
        steps = np.linspace(0, 1, 5)
        path = np.stack([x + long * lean * steps**1.4 + LASH_ENDS, 1 + long * (steps - 0.22 * steps**2)], -1)
        for a, b, s in zip(path[:-1] * scale, path[1:] * scale, steps[1:], strict=True):
            shade, thick = int(draws.uniform(120, 200) * (1.1 - 0.7 * s)), max(1, round(_FINE * (1.4 - s)))
            ends = (tuple(np.round(p * 16).astype(int).tolist()) for p in (a, b))
            cv2.line(canvas, *ends, shade, thick, cv2.LINE_AA, 4)
    return cv2.resize(canvas, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
