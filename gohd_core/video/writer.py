"""Writes frames and sound as one MP4 (H.264 and AAC), as a stream: memory does not grow with length."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from gohd_core.audio.waveform import check_waveform, to_stereo
from gohd_core.errors import BadInput, raise_if_stopped
from gohd_core.files import atomic_path
from gohd_core.media import pyav
from gohd_core.video.bands import bands_of
from gohd_core.video.canvas import Canvas, write_levels
from gohd_core.video.colour import Colour, is_hd, tag

logger = logging.getLogger(__name__)

_TIME_BASE = 90_000
_MAX_SIDE = 16_384
_FAST = {"preset": "superfast", "x264-params": "mbtree=1:rc-lookahead=5:bframes=0:weightp=0"}
"""libx264's options from 720p on. Two talking portraits of 1432 px take 26 and 17 ms of processor time a
frame, "veryfast" 43 and 27, at a PSNR 0.4 dB higher and 0.2 dB lower; files are 1.3 times as large. Smaller
pictures would lose up to 1 dB."""
_SOUND_BLOCK = 1024
"""Samples handed to the encoder at once: one AAC frame."""
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_CHANNELS = {1: "mono", 2: "stereo"}


def frames_to_bytes(frames: Tensor) -> np.ndarray:
    """`[b, 3, H, W]` in [-1, 1] -> `[b, H, W, 3]` uint8: a fixed (x + 1) / 2, clamped and rounded.

    The official script stretches each clip by its own extremes, so that its colours depend on what
    else is in the clip; a fixed mapping keeps the portrait's colours.
    """
    if frames.ndim != 4 or frames.shape[1] != 3:
        raise BadInput(f"Frames have the shape [b, 3, H, W]; these have {list(frames.shape)}.")
    count, _, height, width = frames.shape
    pixels = np.empty((count, height, width, 3), np.uint8)
    if not pixels.size:
        return pixels
    for frame, picture in zip(frames.detach(), pixels, strict=True):
        write_levels(frame, picture)
    return pixels


def render_video(
    path: str | Path,
    frames: Iterable[Tensor],
    *,
    fps: Fraction | int | float = 25,
    audio: tuple[Any, int] | None = None,
    crf: int = 18,
    progress: Callable[[int, int], None] | None = None,
    total: int | None = None,
    should_stop: Callable[[], bool] | None = None,
    colour: Colour | None = None,
) -> Path:
    """Encodes batches of frames `[b, 3, H, W]` in [-1, 1] as they come, with the sound beside them.

    The file appears under its name only when it is whole; a failed or interrupted run leaves none.

    Args:
        audio: (waveform `[C, N]` or `[N]` with full scale 1, samples a second); more than two
            channels are mixed to two (`audio.waveform.to_stereo`).
        crf: constant rate factor of H.264, 0 (lossless) to 51; 18 looks like the source.
        progress: called with (frames written, `total` or 0).
        colour: `VideoReader.colour` of the video that the frames come from; it is kept. Where it is None or
            incomplete: BT.709 from 720p on, else BT.601. The file says which.

    Raises: `BadInput` for no frames, frames of changing size, or a path that can't be written;
    `Interrupted` when `should_stop` says so; `MissingDependency` without PyAV.
    """
    av = pyav()
    path = Path(path)
    if path.suffix.lower() != ".mp4":
        raise BadInput(f"Videos are written as .mp4; {path.name} ends otherwise.")
    rate = Fraction(fps).limit_denominator(100_000)
    options = {"movflags": "+faststart"}
    with atomic_path(path) as part, av.open(str(part), "w", format="mp4", options=options) as container:
        _write(container, frames, rate, audio, crf, progress, total or 0, should_stop, colour)
    return path


def _write(
    container: Any,
    frames: Iterable[Tensor],
    rate: Fraction,
    audio: tuple[Any, int] | None,
    crf: int,
    progress: Callable[[int, int], None] | None,
    total: int,
    should_stop: Callable[[], bool] | None,
    colour: Colour | None,
) -> None:
    stream = bands_of(frames)
    if stream is None:
        raise BadInput("There are no frames to make a video of.")
    height, width = stream.still.shape[1:]
    colour = Colour.usual(height, width) if colour is None else colour.written(height, width)
    video = _video_stream(container, height, width, rate, crf)
    tag(video, colour)
    canvas = Canvas(stream.still, stream.region, colour)
    sound = _Sound(container, audio) if audio is not None else None
    for written, bands in enumerate(stream.frames):
        raise_if_stopped(should_stop, "Stopped while writing the video; no file was left behind.")
        for band in bands:
            canvas.write(band)
        frame = canvas.frame()
        frame.time_base = Fraction(1, _TIME_BASE)
        frame.pts = round(written / rate * _TIME_BASE)
        container.mux(video.encode(frame))
        if sound is not None:
            sound.write_until(float((written + 1) / rate))
        if progress is not None:
            progress(written + 1, total)
    container.mux(video.encode())
    if sound is not None:
        sound.finish()


def _video_stream(container: Any, height: int, width: int, rate: Fraction, crf: int) -> Any:
    if max(height, width) > _MAX_SIDE:
        raise BadInput(
            f"The pictures are {width} x {height} and H.264 goes up to {_MAX_SIDE} a side; take a smaller "
            "picture, or the face crop alone."
        )
    stream = container.add_stream("libx264", rate=rate)
    stream.width, stream.height = width + width % 2, height + height % 2
    if (stream.width, stream.height) != (width, height):
        logger.info("H.264 wants even sizes: the last row or column of %dx%d is repeated.", width, height)
    stream.pix_fmt = "yuv420p"
    stream.time_base = Fraction(1, _TIME_BASE)
    stream.options = {"crf": str(crf), **(_FAST if is_hd(height, width) else {"preset": "faster"})}
    return stream


class _Sound:
    """Encodes a waveform beside the pictures, never far ahead of them."""

    def __init__(self, container: Any, audio: tuple[Any, int]) -> None:
        waveform, self.rate = check_waveform(*audio)
        self.samples = to_stereo(waveform).astype(np.float32)
        self.layout = _CHANNELS[len(self.samples)]
        self.container, self.done = container, 0
        target = self.rate if self.rate in _AAC_RATES else 48_000
        self.stream = container.add_stream("aac", rate=target)
        self.stream.layout = self.layout
        self.stream.bit_rate = 192_000 if target >= 32_000 else 96_000

    def write_until(self, seconds: float) -> None:
        import av

        end = min(round(seconds * self.rate), self.samples.shape[1])
        while self.done < end:
            block = np.ascontiguousarray(self.samples[:, self.done : self.done + _SOUND_BLOCK])
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=self.layout)
            frame.sample_rate, frame.pts = self.rate, self.done
            frame.time_base = Fraction(1, self.rate)
            self.container.mux(self.stream.encode(frame))
            self.done += block.shape[1]

    def finish(self) -> None:
        self.write_until(self.samples.shape[1] / self.rate)
        self.container.mux(self.stream.encode())
