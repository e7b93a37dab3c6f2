"""Reads the invisible mark off a video or picture file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from gohd_core.errors import BadInput
from gohd_core.images import read_picture, rgb_images
from gohd_core.media import decode_frames, open_media, start_of, usable
from gohd_core.render.watermark import KEY, WatermarkDetection, read_frames
from gohd_core.video.reader import Crop, shown_picture

PICTURES = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".avif")
_PLACES = 8
"""Places of a video that are examined, evenly spread."""
_RUN = 6
"""Frames in a row at each."""


def read_watermark(
    source: str | Path | IO[bytes],
    key: str = KEY,
    *,
    start: float = 0.0,
    seconds: float = 0.0,
    crop: Crop | None = None,
) -> WatermarkDetection:
    """Looks for GoHD's invisible mark in a file, or an open video file; see `watermark.WatermarkDetection`.

    A video is looked at in a few places only, so that a long one takes no longer.

    Args:
        start, seconds, crop: the part of a video, as `VideoReader.open` takes it.
    Raises: `BadInput` when the file can't be read; `MissingDependency` for a video without PyAV.
    """
    if isinstance(source, str | Path):
        source = Path(source)
        if not source.is_file():
            raise BadInput(f"There is no file at {source}; check the path.")
        if source.suffix.lower() in PICTURES:
            return read_frames(rgb_images(read_picture(source)), key)
    return read_frames(_sampled(source, start, seconds, crop), key)


def _sampled(
    source: Path | IO[bytes], start: float, seconds: float, crop: Crop | None
) -> Iterator[np.ndarray]:
    name = source.name if isinstance(source, Path) else "the video"
    with open_media(source, name) as container:
        if not usable(container.streams.video):
            raise BadInput(f"{name} holds no pictures.")
        for frame in _places(container, name, start, seconds):
            yield shown_picture(frame, crop, 1.0)


def _places(container: Any, name: str, start: float, seconds: float) -> Iterator[Any]:
    stream = usable(container.streams.video)[0]
    begin = start_of(container)
    length = float((stream.duration or 0) * (stream.time_base or 0)) or (container.duration or 0) / 1_000_000
    end = min(length, start + seconds) if seconds else length
    seen: set[int] = set()
    for place in range(_PLACES if length else 1):
        at = start + max(end - start, 0.0) * place / _PLACES
        if at:
            container.seek(int((begin + at) / stream.time_base), stream=stream)
        taken = 0
        for frame in decode_frames(container, stream, name, tell=lambda _: None):
            time = start if frame.time is None else float(frame.time) - begin
            if seconds and time >= start + seconds - 1e-6:
                break
            # A seek lands on the key frame before.
            if time < start - 1e-6:
                continue
            if frame.pts not in seen:
                seen.add(frame.pts)
                yield frame
            taken += 1
            if taken == _RUN:
                break
