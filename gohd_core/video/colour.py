"""Colours of video: which matrix, range, primaries and transfer make RGB of YUV, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

BT709, UNSPECIFIED, BT601 = 1, 2, 6
"""Of ITU-T H.273 (and ffmpeg): matrices, and, the first two, primaries and transfers too."""
_RGB = 0
_SWSCALE = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9}
"""Matrix of H.273 -> swscale's number for it; others are not written."""
_LIMITED, _FULL = 1, 2


@dataclass(frozen=True)
class Colour:
    """Colour description of a video; numbers of ITU-T H.273.

    Attributes:
        matrix, primaries, transfer: 1 is BT.709, 2 unspecified, 5 or 6 BT.601 (matrix), 9 BT.2020.
        full: whether luma goes from 0 to 255, not from 16 to 235.
    """

    matrix: int
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    full: bool = False

    @classmethod
    def usual(cls, height: int, width: int) -> Colour:
        """Players' guess for an untagged video of that size: BT.709 from 720p on, else BT.601."""
        return cls(BT709, BT709, BT709) if is_hd(height, width) else cls(BT601, BT709, BT709)

    @classmethod
    def of(cls, frame: Any) -> Colour:
        """The colour description of a decoded PyAV frame."""
        full = frame.format.name.startswith("yuvj") or int(frame.color_range) == _FULL
        told = (
            int(frame.colorspace),
            int(getattr(frame, "color_primaries", 2)),
            int(getattr(frame, "color_trc", 2)),
        )
        return cls(*told, full)

    def written(self, height: int, width: int) -> Colour:
        """The same with a matrix that can be written; an untagged video is written as the usual one."""
        if self.matrix in _SWSCALE:
            return self
        usual = Colour.usual(height, width)
        primaries = usual.primaries if self.primaries in (0, UNSPECIFIED) else self.primaries
        transfer = usual.transfer if self.transfer in (0, UNSPECIFIED) else self.transfer
        return Colour(usual.matrix, primaries, transfer, self.full and self.matrix != _RGB)


def is_hd(height: int, width: int) -> bool:
    """Whether a video counts as high definition."""
    return height >= 720 or width >= 1280


def to_rgb(frame: Any) -> np.ndarray:
    """A decoded frame as uint8 [H, W, 3] RGB, by its own matrix and range."""
    if int(frame.colorspace) == UNSPECIFIED and not frame.format.is_rgb and is_hd(frame.height, frame.width):
        frame.colorspace = BT709
    return frame.to_ndarray(format="rgb24")


def tag(stream: Any, colour: Colour) -> None:
    """Writes into an encoder's stream how its numbers are to be understood."""
    context = stream.codec_context
    context.colorspace, context.color_primaries = colour.matrix, colour.primaries
    context.color_trc, context.color_range = colour.transfer, _FULL if colour.full else _LIMITED


class Converter:
    """Makes PyAV frames in yuv420p, of one matrix and range, of RGB pictures."""

    def __init__(self, colour: Colour) -> None:
        from av.video.reformatter import VideoReformatter

        self.colour = colour
        self._reformatter = VideoReformatter()

    def convert(self, frame: Any) -> Any:
        """A PyAV frame in rgb24 as a new one."""
        colour_range = _FULL if self.colour.full else _LIMITED
        made = self._reformatter.reformat(
            frame,
            format="yuv420p",
            dst_colorspace=_SWSCALE[self.colour.matrix],
            dst_color_range=colour_range,
        )
        made.colorspace, made.color_range = self.colour.matrix, colour_range
        return made
