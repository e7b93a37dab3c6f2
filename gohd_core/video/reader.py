"""Frames with their times, one after another: from a video file, a batch of images or any iterator."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gohd_core.constants import FPS
from gohd_core.errors import BadInput, MissingDependency
from gohd_core.images import Image, rgb_images

RATES = (1, 240)
"""Frame rates that a driving video may have."""


@dataclass(frozen=True)
class Film:
    """Frames that are read when they are needed, and not kept.

    Attributes:
        play: gives (seconds from the start, uint8 RGB [H, W, 3]) frame by frame; from the start again
            each time it is called, unless `once`.
        fps: mean frames a second; times may be uneven.
        count: how many frames there are about, 0 where that is not known.
        once: the frames come from an iterator and can be played once only.
    """

    play: Callable[[], Iterator[tuple[float, Image]]]
    fps: Fraction
    count: int = 0
    once: bool = False

    @classmethod
    def of_images(cls, images: Any, fps: Fraction | int | float = FPS) -> Film:
        """A batch [T, H, W, C] (or any form of `rgb_images`); each frame is made uint8 when it is played."""
        rate = _rate(fps)
        count = len(images) if not hasattr(images, "shape") or len(images.shape) == 4 else 1

        def play() -> Iterator[tuple[float, Image]]:
            frames = images if count > 1 or hasattr(images, "__len__") else [images]
            for k, frame in enumerate(frames):
                yield float(k / rate), rgb_images(frame, "frame")[0]

        if count == 0:
            raise BadInput("There are no frames in the batch; give at least one.")
        return cls(play, rate, count)

    @classmethod
    def of_frames(cls, frames: Iterable[Any], fps: Fraction | int | float = FPS) -> Film:
        """An iterator of frames, one image each; it is used up when it is played."""
        rate = _rate(fps)

        def play() -> Iterator[tuple[float, Image]]:
            for k, frame in enumerate(frames):
                yield float(k / rate), rgb_images(frame, "frame")[0]

        return cls(play, rate, once=iter(frames) is frames)

    @classmethod
    def open(cls, source: str | Path | io.BytesIO, *, start: float = 0.0, seconds: float = 0.0) -> Film:
        """A video file, of any rate, even or uneven; a phone's turn of the picture is heeded.

        Args:
            start, seconds: the part that is played; 0 seconds go to the end.
        Raises: `BadInput` for no file, no picture track or a damaged file; `MissingDependency`.
        """
        if start < 0 or seconds < 0:
            raise BadInput(f"The part of the video ({start:g} s, {seconds:g} s) can't be negative.")
        name = Path(source).name if isinstance(source, str | Path) else "the video"
        with _opened(source, name) as container:
            stream = container.streams.video[0]
            rate = _rate(stream.average_rate or stream.guessed_rate or FPS)
            count = stream.frames or round(float((container.duration or 0) / 1_000_000 * rate))
        if start or seconds:
            left = max(count - round(start * rate), 0)
            count = min(left, round(seconds * rate)) if seconds else left
        return cls(lambda: _decoded(source, name, rate, start, seconds), rate, count)

    def at(self, fps: Fraction | int | float, count: int | None = None) -> Iterator[Image]:
        """The picture nearest to k / fps seconds, k = 0, 1 ...: all, or `count` with the last one held."""
        index, before = 0, None
        for time, image in self.play():
            while before is not None and index != count and index / float(fps) <= (before[0] + time) / 2:
                yield before[1]
                index += 1
            before = (time, image)
        if before is None:
            raise BadInput("The film has no frames in the part that was asked for.")
        last = round((before[0] + 1 / float(self.fps)) * float(fps)) if count is None else count
        for _ in range(index, last):
            yield before[1]

    def batches(self, fps: Fraction | int | float) -> Iterator[Tensor]:
        """The pictures of `at` one by one, [1, 3, H, W] in -1..1, as `render.paste_back` takes them."""
        for image in self.at(fps):
            yield torch.from_numpy(image).permute(2, 0, 1)[None].float() / 127.5 - 1


def _rate(fps: Fraction | int | float) -> Fraction:
    if not RATES[0] <= fps <= RATES[1]:
        raise BadInput(f"The frame rate is {float(fps):g}; give one from {RATES[0]} to {RATES[1]}.")
    return Fraction(fps).limit_denominator(100_000)


def _opened(source: Any, name: str) -> Any:
    try:
        import av
    except ImportError as error:
        raise MissingDependency("Videos are read with PyAV; install it with: pip install av") from error
    if isinstance(source, io.BytesIO):
        source.seek(0)
    elif not Path(source).is_file():
        raise BadInput(f"There is no video at {source}; check the path.")
    try:
        container = av.open(str(source) if isinstance(source, Path) else source)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise BadInput(f"{name} can't be read as a video ({error}).") from error
    if not container.streams.video:
        container.close()
        raise BadInput(f"{name} has no picture track.")
    return container


def _decoded(
    source: Any, name: str, rate: Fraction, start: float, seconds: float
) -> Iterator[tuple[float, Image]]:
    import av

    with _opened(source, name) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        first: float | None = None
        try:
            for k, frame in enumerate(container.decode(stream)):
                time = float(k / rate) if frame.time is None else float(frame.time)
                first = time if first is None else first
                time -= first + start
                if seconds and time >= seconds - 1e-6:
                    return
                if time > -1e-6:
                    yield max(time, 0.0), _upright(frame)
        except av.error.FFmpegError as error:
            raise BadInput(f"{name} is damaged and can't be read to its end ({error}).") from error


def _upright(frame: Any) -> Image:
    turns = round(getattr(frame, "rotation", 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), turns))
