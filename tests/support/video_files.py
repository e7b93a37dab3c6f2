"""Small video files in the shapes in which cameras, browsers and editors write them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

CORNERS = {"top left": (220, 40, 40), "top right": (40, 200, 40), "bottom left": (40, 60, 220)}
"""Colours of three quarters of the picture; the fourth is grey: every turn and mirror of it differs."""


def corners(height: int = 64, width: int = 96) -> np.ndarray:
    """The picture with three colours in its corners."""
    picture = np.full((height, width, 3), 120, np.uint8)
    picture[: height // 2, : width // 2] = CORNERS["top left"]
    picture[: height // 2, width // 2 :] = CORNERS["top right"]
    picture[height // 2 :, : width // 2] = CORNERS["bottom left"]
    return picture


def write_film(
    path: Path,
    pictures: list[np.ndarray],
    *,
    rate: int | Fraction = 25,
    codec: str = "libx264",
    times: Callable[[int], float] | None = None,
    pixel_shape: Fraction | None = None,
    sound: np.ndarray | None = None,
    options: dict[str, str] | None = None,
    reordered: int = 0,
    pixels: str = "yuv420p",
) -> Path:
    """A file of those pictures; `times` says when each is shown, in seconds; sound [1, N] is at 16 kHz.

    reordered: how many frames in a row are stored behind one that is shown after them (B-frames).
    """
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixels
        stream.options = {"crf": "4", "bf": str(reordered)} if codec == "libx264" else {}
        stream.codec_context.time_base = Fraction(1, 90_000)
        if pixel_shape is not None:
            stream.codec_context.sample_aspect_ratio = pixel_shape
        heard = None if sound is None else container.add_stream("aac", rate=16_000, layout="mono")
        for k, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.time_base = Fraction(1, 90_000)
            frame.pts = round((times(k) if times else float(k / Fraction(rate))) * 90_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        for start in range(0, 0 if sound is None else sound.shape[1], 1024):
            block = np.ascontiguousarray(sound[:, start : start + 1024])
            frame = av.AudioFrame.from_ndarray(block, "fltp", "mono")
            frame.sample_rate, frame.pts = 16_000, start
            container.mux(heard.encode(frame))
        if heard is not None:
            container.mux(heard.encode(None))
    return path


def set_matrix(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """Writes the display matrix of an MP4's picture track: (x, y) is shown at (a x + c y, b x + d y)."""
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 40
    one = 1 << 16
    content[place : place + 36] = struct.pack(">9i", a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    return path
