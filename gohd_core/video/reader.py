"""Frames with their times, one after another: from a video file, a batch of images or any iterator."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch

from gohd_core.constants import FPS
from gohd_core.errors import BadInput
from gohd_core.images import Image, rgb_images
from gohd_core.media import decode_frames, open_media, packets, usable
from gohd_core.video.bands import Band, BandedFrames, rows_in_bands, whole_of
from gohd_core.video.colour import Colour, to_rgb

logger = logging.getLogger(__name__)

RATES = (1, 240)
"""Frame rates that a caller may give; a file has what it has."""
_PIXEL_SHAPES = (0.125, 8.0)
"""Width over height of pixels that is believed."""
_ALIKE = 0.02
"""Rates that differ by less than this share are the same, measured by time stamps of a millisecond."""
Crop = tuple[int, int, int, int]
"""Left, top, width and height in pixels of the upright picture as it is stored, its pixels' shape apart."""


@dataclass(frozen=True)
class VideoReader:
    """Frames that are read when they are needed, and not kept.

    Attributes:
        play: gives (seconds from the start, uint8 RGB [H, W, 3]) frame by frame; from the start again
            each time it is called, unless `once`.
        fps: mean frames a second; times may be uneven.
        count: how many frames there are about, 0 where that is not known.
        once: the frames come from an iterator and can be played once only.
        colour: how a file's numbers are to be understood, so that it can be written as it was; else None.
        size: height and width of a file's pictures; (0, 0) where they are not known before they are played.
    """

    play: Callable[[], Iterator[tuple[float, Image]]]
    fps: Fraction
    count: int = 0
    once: bool = False
    colour: Colour | None = None
    size: tuple[int, int] = (0, 0)

    @classmethod
    def of_images(cls, images: Any, fps: Fraction | int | float = FPS) -> VideoReader:
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
    def of_frames(cls, frames: Iterable[Any], fps: Fraction | int | float = FPS) -> VideoReader:
        """An iterator of frames, one image each; it is used up when it is played."""
        rate = _rate(fps)

        def play() -> Iterator[tuple[float, Image]]:
            for k, frame in enumerate(frames):
                yield float(k / rate), rgb_images(frame, "frame")[0]

        return cls(play, rate, once=iter(frames) is frames)

    @classmethod
    def open(
        cls,
        source: str | Path | IO[bytes],
        *,
        start: float = 0.0,
        seconds: float = 0.0,
        crop: Crop | None = None,
    ) -> VideoReader:
        """A video file, of any rate, even or uneven, as a player shows it.

        A phone's turn or mirror of the picture is heeded, and pixels that are not square are made so. Where
        the time stamps jump, time goes on; damaged frames are left out, and a film that was cut off is read
        as far as it goes, with a warning.

        Args:
            start, seconds: the part that is played; 0 seconds go to the end.
            crop: the part of the picture, before its pixels are made square.
        Raises: `BadInput` for no file, no picture track or nothing that can be read; `MissingDependency`.
        """
        if not (math.isfinite(start) and math.isfinite(seconds)) or start < 0 or seconds < 0:
            raise BadInput(f"The part of the video ({start:g} s, {seconds:g} s) is no time from 0 on.")
        name = Path(source).name if isinstance(source, str | Path) else "the video"
        with _open(source, name) as container:
            stream = usable(container.streams.video)[0]
            shape = float(stream.sample_aspect_ratio or 1)
            rate, count = _rate_and_count(container, stream)
        if not _PIXEL_SHAPES[0] <= shape <= _PIXEL_SHAPES[1]:
            shape = 1.0
        with _open(source, name) as container:
            stream = usable(container.streams.video)[0]
            first = next(decode_frames(container, stream, name, tell=lambda _: None), None)
            if first is None and stream.codec_context.name == "webp":
                raise BadInput(f"{name} is an animated WebP, which can't be read; save it as .mp4 or .gif.")
            if first is None:
                raise BadInput(f"{name} is damaged: no picture of it can be read.")
            colour, size = Colour.of(first), shown_picture(first, crop, shape).shape[:2]
        if start or seconds:
            left = max(count - round(start * rate), 0)
            count = min(left, round(seconds * rate)) if seconds else left
        told: set[str] = set()

        def tell(warning: str) -> None:
            if warning not in told:
                told.add(warning)
                logger.warning(warning)

        def play() -> Iterator[tuple[float, Image]]:
            for time, frame in _frames_with_times(source, name, rate, start, seconds, tell):
                yield time, _fit(shown_picture(frame, crop, shape), size)

        return cls(play, rate, count, colour=colour, size=size)

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

    def batches(self, fps: Fraction | int | float) -> BandedFrames:
        """The pictures of `at` one by one, [1, 3, H, W] in -1..1, as `render.paste_back` takes them.

        Raises: `BadInput`, as they are drawn, where their size changes.
        """
        images = self.at(fps)
        first = next(images)
        height, width = first.shape[:2]
        still = torch.zeros((), dtype=torch.float32, device="cpu").expand(3, height, width)
        frames = (_bands(image, (height, width)) for image in chain([first], images))
        return BandedFrames(still, whole_of(still), frames)


def _bands(image: Image, size: tuple[int, int]) -> Iterator[Band]:
    """A picture's bands, in -1..1: one is made, marked and written while it is in the cache."""
    if image.shape[:2] != size:
        raise BadInput(
            f"Frames change size from {size[1]} x {size[0]} to {image.shape[1]} x {image.shape[0]}; a video "
            "has one size."
        )
    for rows in rows_in_bands(slice(0, size[0])):
        values = np.divide(image[rows].transpose(2, 0, 1), np.float32(127.5), order="C", dtype=np.float32)
        values -= 1
        yield Band((rows, slice(0, size[1])), torch.from_numpy(values))


def _rate(fps: Fraction | int | float) -> Fraction:
    if not RATES[0] <= fps <= RATES[1]:
        raise BadInput(f"The frame rate is {float(fps):g}; give one from {RATES[0]} to {RATES[1]}.")
    return Fraction(fps).limit_denominator(100_000)


def _open(source: Any, name: str) -> Any:
    container = open_media(source, name)
    if not usable(container.streams.video):
        container.close()
        raise BadInput(f"{name} has no picture track.")
    return container


def _rate_and_count(container: Any, stream: Any) -> tuple[Fraction, int]:
    """Mean frames a second, and how many there are.

    MP4 counts its frames. What others claim can be anything (browsers' recordings say 1000 a second, AVI
    counts empty ones), so that they are counted; only where it is much the same the claim, which is exact,
    is taken.
    """
    claimed = Fraction(stream.average_rate) if stream.average_rate else None
    if "mp4" in container.format.name and claimed and stream.frames and RATES[0] <= claimed <= RATES[1]:
        return claimed.limit_denominator(100_000), stream.frames
    times = [
        packet.pts * packet.time_base
        for packet in packets(container)
        if packet.stream.index == stream.index and packet.size and packet.pts is not None
    ]
    spread = max(times) - min(times) if times else 0
    if not spread:
        return Fraction(claimed or FPS).limit_denominator(100_000), stream.frames or max(len(times), 1)
    rate = Fraction(len(times) - 1) / spread
    alike = claimed and abs(float(claimed / rate) - 1) < _ALIKE
    return (claimed if alike else rate).limit_denominator(100_000), len(times)


def _frames_with_times(
    source: Any, name: str, rate: Fraction, start: float, seconds: float, tell: Callable[[str], None]
) -> Iterator[tuple[float, Any]]:
    """Decoded frames of the part that is played, with their seconds from its start."""
    with _open(source, name) as container:
        stream = usable(container.streams.video)[0]
        stream.thread_type = "AUTO"
        first: float | None = None
        for k, frame in enumerate(decode_frames(container, stream, name, tell=tell)):
            time = float(k / rate) if frame.time is None else float(frame.time)
            first = time if first is None else first
            time -= first + start
            if seconds and time >= seconds - 1e-6:
                return
            if time > -1e-6:
                yield max(time, 0.0), frame


def shown_picture(frame: Any, crop: Crop | None, shape: float) -> Image:
    """A decoded frame for display: upright, cropped, with square pixels."""
    image, turned = _upright(to_rgb(frame), _display_matrix(frame))
    if crop is not None:
        left, top, width, height = crop
        image = image[max(top, 0) : top + height, max(left, 0) : left + width]
        if not image.size:
            raise BadInput(f"The crop {crop} (left, top, width, height) lies outside the video's picture.")
    height, width = image.shape[:2]
    shape = 1 / shape if turned else shape
    size = (height, round(width * shape)) if shape > 1 else (round(height / shape), width)
    return _fit(np.ascontiguousarray(image), size)


def _display_matrix(frame: Any) -> tuple[int, int, int, int]:
    """(a, b, c, d) of the file: a pixel at (x, y) is shown at (a x + c y, b x + d y)."""
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV 18 does not know the EXIF that FFmpeg 8 attaches; its angle lacks mirroring.
        angle = math.radians(frame.rotation)
        a, b = round(math.cos(angle)), round(-math.sin(angle))
        return a, b, -b, a
    if matrix is None:
        return 1, 0, 0, 1
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].tolist()
    return a, b, c, d


def _upright(image: Image, matrix: tuple[int, int, int, int]) -> tuple[Image, bool]:
    """The picture turned and mirrored as the matrix says; and whether x and y changed places."""
    a, b, c, d = matrix
    turned = abs(b) + abs(c) > abs(a) + abs(d)
    across, down = (c, b) if turned else (a, d)
    image = image.swapaxes(0, 1) if turned else image
    image = image[:, ::-1] if across < 0 else image
    return (image[::-1] if down < 0 else image), turned


def _fit(image: Image, size: tuple[int, int]) -> Image:
    if image.shape[:2] == size:
        return image
    from PIL import Image as Pictures

    return np.array(Pictures.fromarray(image).resize(size[::-1], Pictures.Resampling.BICUBIC))
