"""A line of text in a corner of every frame."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from gohd_core.errors import BadInput

_HEIGHT = 1 / 24
"""Height of the letters as a share of the frame's."""
_LEAST = 10
_MARGIN = 0.5
"""Distance from the frame's edge, in letter heights."""


def draw_text(
    frames: Tensor, text: str, corner: str, opacity: float, value_range: tuple[float, float]
) -> Tensor:
    """White letters with a dark rim on new frames [b, 3, H, W].

    Raises: `BadInput` when the text does not fit across the frame.
    """
    ink, cover, left, top = _lettering(text, corner, *frames.shape[2:])
    low, high = value_range
    ink, cover = torch.from_numpy(ink).to(frames.device), torch.from_numpy(cover).to(frames.device)
    result = frames.clone()
    part = result[:, :, top : top + ink.shape[0], left : left + ink.shape[1]]
    part += (low + ink * (high - low) - part) * (cover * opacity)
    return result


@lru_cache(maxsize=4)
def _lettering(text: str, corner: str, height: int, width: int) -> tuple[np.ndarray, np.ndarray, int, int]:
    """Ink 0..1 and cover 0..1 of the text's rectangle, and its left and top in the frame."""
    from PIL import Image, ImageDraw, ImageFont

    size = max(_LEAST, round(height * _HEIGHT))
    try:
        font = ImageFont.load_default(size)
    except TypeError:
        # Pillow before 10.1 has one size only.
        font = ImageFont.load_default()
    rim = max(1, size // 12)
    x0, y0, x1, y1 = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((0, 0), text, font, stroke_width=rim)
    across, down, margin = int(x1 - x0) + 2, int(y1 - y0) + 2, round(size * _MARGIN)
    if across + margin > width or down + margin > height:
        raise BadInput(
            f"The visible mark {text[:40]!r} does not fit into {width} x {height}; give a shorter one."
        )
    layers = []
    for stroke in (0, rim):
        layer = Image.new("L", (across, down))
        ImageDraw.Draw(layer).text((1 - x0, 1 - y0), text, 255, font, stroke_width=stroke)
        layers.append(np.asarray(layer, np.float32) / 255)
    left = width - margin - across if "right" in corner else margin
    top = height - margin - down if "bottom" in corner else margin
    return layers[0], layers[1], left, top
