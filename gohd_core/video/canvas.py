"""Frames as H.264 takes them, 8 bits in yuv420p: only the region that changes is converted."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from gohd_core.video.bands import Band, Region, whole_of
from gohd_core.video.colour import Colour, Converter

_REACH = 4
"""Pixels on either side that a place of a frame's chroma takes its value from, at most; even."""


class Canvas:
    """A picture that is kept from frame to frame, and of which one region is written over.

    Its frames are those of whole pictures, bit for bit. Odd sizes become even: the last row or column is
    repeated.

    Args:
        still: [3,H,W] in [-1, 1], the picture outside the region.
        region: what may be written over.
        colour: of the frames.
    """

    def __init__(self, still: Tensor, region: Region, colour: Colour) -> None:
        self.height, self.width = (side + side % 2 for side in still.shape[1:])
        sides = list(zip(region, (self.height, self.width), strict=True))
        self._region = tuple(_even(part, _REACH, side) for part, side in sides)
        rows, columns = part = tuple(_even(part, 2 * _REACH, side) for part, side in sides)
        self._top, self._left = rows.start, columns.start
        self._ends = still.shape[1] - rows.start, still.shape[2] - columns.start
        self._converter, self._rgb = Converter(colour), _rgb_frame(rows, columns)
        self._pixels = _planes(self._rgb)[0].reshape(self._rgb.height, self._rgb.width, 3)
        self._whole = None
        if part != (slice(0, self.height), slice(0, self.width)):
            around = Canvas(still, whole_of(still), colour)
            around.write(Band(whole_of(still), still))
            self._whole = around.frame()
            self._pixels[:] = around._pixels[part]

    def write(self, band: Band) -> None:
        """Writes a band of the next frame, [3,h,w] in [-1, 1]."""
        rows, columns = band.region
        part = self._pixels[rows.start - self._top : rows.stop - self._top]
        write_levels(band.pixels, part[:, columns.start - self._left : columns.stop - self._left])

    def frame(self) -> Any:
        """The frame that has been written: a PyAV frame, which the next call may write over."""
        bottom, right = self._ends
        self._pixels[bottom:] = self._pixels[bottom - 1 : bottom]
        self._pixels[:, right:] = self._pixels[:, right - 1 : right]
        made = self._converter.convert(self._rgb)
        if self._whole is None:
            return made
        for plane, into, new in zip(range(3), _planes(self._whole), _planes(made), strict=True):
            step = 2 if plane else 1  # chroma has half as many rows and columns
            rows, columns = (slice(part.start // step, part.stop // step) for part in self._region)
            top, left = rows.start - self._top // step, columns.start - self._left // step
            size = rows.stop - rows.start, columns.stop - columns.start
            into[rows, columns] = new[top : top + size[0], left : left + size[1]]
        return self._whole


def write_levels(frame: Tensor, picture: np.ndarray) -> None:
    """Writes values [3,h,w] in [-1, 1] as levels 0..255 into a picture [h,w,3].

    On a CPU by OpenCV, plane by plane: 4.7 times as fast as by definition (`benchmarks/kernels.py`).
    """
    if frame.device.type == "cpu":
        planes = [
            cv2.addWeighted(plane, 127.5, plane, 0, 127.5, dtype=cv2.CV_8U) for plane in frame.float().numpy()
        ]
    else:
        planes = list(levels_plain(frame).cpu().numpy())
    cv2.merge(planes, picture)


def levels_plain(frame: Tensor) -> Tensor:
    """The levels 0..255 of values in [-1, 1] by their definition, uint8."""
    return (frame.float() + 1).mul_(127.5).clamp_(0, 255).round_().to(torch.uint8)


def _even(part: slice, reach: int, side: int) -> slice:
    """A span that begins and ends at even pixels, grown by so many on both sides within the picture."""
    start, stop = part.start - part.start % 2, part.stop + part.stop % 2
    return slice(max(start - reach, 0), min(stop + reach, side))


def _rgb_frame(rows: slice, columns: slice) -> Any:
    import av

    return av.VideoFrame(columns.stop - columns.start, rows.stop - rows.start, "rgb24")


def _planes(frame: Any) -> list[np.ndarray]:
    """The bytes [h,w] of a PyAV frame's planes: its own memory."""
    channels = 3 if frame.format.name == "rgb24" else 1
    return [
        np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : channels * plane.width]
        for plane in frame.planes
    ]
