"""A line of text in a corner of every frame."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from gohd_core.errors import BadInput
from gohd_core.video.bands import Region

_HEIGHT = 1 / 24
"""Height of the letters as a share of the frame's."""
_LEAST = 10
_MARGIN = 0.5
"""Distance from the frame's edge, in letter heights."""


class Lettering:
    """White letters with a dark rim in a corner of frames of one size (height, width).

    Raises: `BadInput` when the text does not fit across the frame.
    """

    def __init__(
        self,
        text: str,
        corner: str,
        opacity: float,
        size: tuple[int, int],
        value_range: tuple[float, float],
    ) -> None:
        ink, cover, self._left, self._top = _lettering(text, corner, *size)
        low, high = value_range
        self._colour = low + torch.from_numpy(ink) * (high - low)
        self._opacity = torch.from_numpy(cover) * opacity

    def drawn(self, pixels: Tensor, region: Region) -> Tensor:
        """New pixels [...,h,w] of a region of frames; the same ones where the text is elsewhere."""
        inside, there = zip(
            *(
                _overlap(part, start, length)
                for part, start, length in zip(
                    region, (self._top, self._left), self._opacity.shape, strict=True
                )
            ),
            strict=True,
        )
        if not self._opacity[there].numel():
            return pixels
        result = pixels.clone()
        colour, opacity = (each[there].to(pixels.device) for each in (self._colour, self._opacity))
        part = result[(..., *inside)]
        part += (colour - part) * opacity
        return result


def _overlap(part: slice, start: int, length: int) -> tuple[slice, slice]:
    """Intersection of a span with one that begins at `start`: as slices of the one, and of the other."""
    first = max(part.start, start)
    last = max(min(part.stop, start + length), first)
    return slice(first - part.start, last - part.start), slice(first - start, last - start)


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
