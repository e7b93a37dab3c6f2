"""Reads the invisible mark off a video or picture file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from gohd_core.errors import BadInput, MissingDependency
from gohd_core.render.watermark import KEY, Reading, read_frames

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
_PLACES, _RUN = 8, 6
"""Looked at: so many places of a video, evenly spread, and so many frames in a row at each."""


def read_watermark(source: str | Path | IO[bytes], key: str = KEY) -> Reading:
    """Looks for GoHD's invisible mark in a file, or an open video file; see `watermark.Reading`.

    A video is looked at in a few places only, so that a long one takes no longer.
    Raises: `BadInput` when the file can't be read; `MissingDependency` for a video without PyAV.
    """
    if not isinstance(source, str | Path):
        return read_frames(_sampled(source), key)
    path = Path(source)
    if not path.is_file():
        raise BadInput(f"There is no file at {path}; check the path.")
    if path.suffix.lower() in PICTURES:
        from PIL import Image, UnidentifiedImageError

        try:
            with Image.open(path) as picture:
                return read_frames([np.array(picture.convert("RGB"))], key)
        except (UnidentifiedImageError, OSError) as error:
            raise BadInput(f"{path} can't be read as a picture ({error}).") from error
    return read_frames(_sampled(path), key)


def _sampled(source: Path | IO[bytes]) -> Iterator[np.ndarray]:
    try:
        import av
    except ImportError as error:
        raise MissingDependency("Videos are read with PyAV; install it with: pip install av") from error
    try:
        with av.open(str(source) if isinstance(source, Path) else source) as container:
            if not container.streams.video:
                raise BadInput(f"{source} holds no pictures.")
            yield from _places(container)
    except av.FFmpegError as error:
        raise BadInput(f"{source} can't be read as a video ({error}); it may be damaged.") from error


def _places(container: Any) -> Iterator[np.ndarray]:
    stream = container.streams.video[0]
    length = (stream.duration or 0) * (stream.time_base or 0)
    seen: set[int] = set()
    for place in range(_PLACES if length else 1):
        if place:
            container.seek(int(length * place / _PLACES / stream.time_base), stream=stream)
        for taken, frame in enumerate(container.decode(stream)):
            if frame.pts not in seen:
                seen.add(frame.pts)
                yield frame.to_ndarray(format="rgb24")
            if taken + 1 == _RUN:
                break
