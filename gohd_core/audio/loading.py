"""Reading sound from files: through PyAV, as far as a file goes, whatever length its header claims."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from gohd_core.audio.waveform import resample
from gohd_core.errors import BadInput, MissingDependency
from gohd_core.media import LONGEST_PAUSE, decode_frames, open_media, pyav, start_of, usable

logger = logging.getLogger(__name__)

HOLE_SECONDS = 0.03
"""A step in the time stamps of less than this is rounding or jitter, of more a hole or an overlap."""


def load_audio(path: str | os.PathLike[str]) -> tuple[np.ndarray, int]:
    """Read a sound file, or a video's first audio track: (float32 [C, N], samples a second).

    Samples lie where the file's time stamps put them: a track that starts later than the file is led in by
    silence, and holes (a recorder's pause, lost packets) are silent, so that all stays in step with the
    picture. A file that was cut off is read as far as it goes, with a warning. Without PyAV plain files are
    read by soundfile. Raises BadInput where there is no file, no sound, or no known format.
    """
    source = Path(path)
    if not source.is_file():
        raise BadInput(f"There is no audio file at {source}.")
    if source.stat().st_size == 0:
        raise BadInput(f"The audio file {source.name} is empty (0 bytes).")
    try:
        pyav()
    except MissingDependency as missing:
        return _load_plain(source, missing)
    links = _ogg_links(source)
    if len(links) > 1:
        return _join([_load_media(io.BytesIO(link), source.name) for link in links])
    try:
        return _load_media(source, source.name)
    except _NoContainer as reason:
        return _load_plain(source, reason)


def load_soundtrack(
    video: str | os.PathLike[str] | IO[bytes], start: float = 0.0, seconds: float = 0.0
) -> tuple[np.ndarray, int] | None:
    """Sound of the part of a video that is read, from its first picture on: as `load_audio`, None without.

    Args:
        start, seconds: the part, as `VideoReader.open` has it; 0 seconds go to the end.
    """
    name = Path(video).name if isinstance(video, str | os.PathLike) else "the video"
    with open_media(video, name) as container:
        if not usable(container.streams.audio):
            return None
        stream = usable(container.streams.video)[0]
        first = next(decode_frames(container, stream, name, tell=lambda _: None), None)
        late = 0.0 if first is None or first.time is None else float(first.time) - start_of(container)
    waveform, rate = load_audio(video) if isinstance(video, str | os.PathLike) else _load_media(video, name)
    begin = round((max(late, 0.0) + start) * rate)
    end = begin + round(seconds * rate) if seconds else waveform.shape[1]
    return (waveform[:, begin:end], rate) if begin < waveform.shape[1] else None


class _NoContainer(BadInput):
    """PyAV does not know the format."""


def _load_media(source: Path | IO[bytes], name: str) -> tuple[np.ndarray, int]:
    try:
        container = open_media(source, name, "sound")
    except BadInput as reason:
        raise _NoContainer(str(reason)) from reason
    with container:
        streams = usable(container.streams.audio)
        if not streams:
            raise BadInput(f"{name} has no audio track.")
        pieces = _pieces(decode_frames(container, streams[0], name))
        filmed = bool(usable(container.streams.video))
        try:
            return _laid_out(pieces, start_of(container), name, filmed)
        except pyav().error.FFmpegError as error:
            raise BadInput(
                f"The sound of {name} is damaged ({error.strerror}); convert it to WAV."
            ) from error


def _ogg_links(source: Path) -> list[bytes]:
    """The parts of a chained Ogg file, each a whole Ogg file; nothing for any other format.

    A part begins where a first page (flag 2) follows one that is none (RFC 3533, section 4).
    """
    with source.open("rb") as file:
        if file.read(4) != b"OggS":
            return []
        content = b"OggS" + file.read()
    starts, place, began = [0], 0, True
    while content[place : place + 4] == b"OggS" and len(content) >= place + 27:
        first = bool(content[place + 5] & 2)
        if first and not began:
            starts.append(place)
        began = first
        segments = content[place + 26]
        place += 27 + segments + sum(content[place + 27 : place + 27 + segments])
    return [content[start:stop] for start, stop in zip(starts, [*starts[1:], len(content)], strict=True)]


def _join(parts: list[tuple[np.ndarray, int]]) -> tuple[np.ndarray, int]:
    """Sounds one after the other, in the rate and the channels of the first."""
    first, rate = parts[0]
    fitted = [first]
    for samples, own in parts[1:]:
        if len(samples) != len(first):
            samples = np.repeat(samples.mean(0, keepdims=True), len(first), axis=0)
        fitted.append(resample(samples, own, rate).astype(np.float32))
    return np.concatenate(fitted, axis=1), rate


def _load_plain(source: Path, reason: Exception) -> tuple[np.ndarray, int]:
    """Reads a sound with libsndfile, block by block: its count of frames may be a guess."""
    import soundfile

    try:
        with soundfile.SoundFile(str(source)) as file:
            parts = list(file.blocks(1 << 16, dtype="float32", always_2d=True))
            rate = int(file.samplerate)
    except soundfile.LibsndfileError as failure:
        if isinstance(reason, MissingDependency):
            raise MissingDependency(
                f"{source.name} is no plain audio file and reading it needs PyAV: pip install av."
            ) from reason
        raise BadInput(f"{str(reason).rstrip('.')}; convert it to WAV.") from failure
    if not parts:
        raise BadInput(f"The audio file {source.name} holds no samples.")
    return np.ascontiguousarray(np.concatenate(parts).T), rate


def _pieces(frames: Iterator[Any]) -> Iterator[tuple[float | None, np.ndarray, int]]:
    """Decoded frames as (seconds or None, float32 [C, n], rate), all in the first one's layout and rate."""
    av = pyav()
    kind: Any = None
    resampler: Any = None
    first: Any = None
    for frame in frames:
        if not frame.samples:
            continue
        found = frame.format.name, frame.layout.name, frame.sample_rate
        first = first or frame
        rate = first.sample_rate
        if found != kind:
            if resampler is not None:
                yield from ((None, rest.to_ndarray(), rate) for rest in resampler.resample(None))
            kind = found
            resampler = av.AudioResampler(format="fltp", layout=first.layout, rate=rate)
        time = None if frame.time is None else float(frame.time)
        # Only a change of rate holds samples back; their times are close enough for what is asked of them.
        for piece in resampler.resample(frame):
            yield time, piece.to_ndarray(), rate
            time = None
    if resampler is not None:
        yield from ((None, rest.to_ndarray(), first.sample_rate) for rest in resampler.resample(None))


def _laid_out(
    pieces: Iterator[tuple[float | None, np.ndarray, int]], start: float, name: str, filmed: bool
) -> tuple[np.ndarray, int]:
    """One array of all pieces, each at its time; sound without pictures loses nothing to an overlap."""
    parts: list[np.ndarray] = []
    position, holes, rate = 0, 0, 0
    for time, samples, rate in pieces:
        due = position if time is None else round((time - start) * rate)
        missing = due - position
        if missing > LONGEST_PAUSE * rate:  # Of a damaged file; what comes after it follows at once.
            start, missing = start + missing / rate, 0
        if missing > HOLE_SECONDS * rate or (not parts and missing > 0):
            holes += missing if parts else 0
            parts.append(np.zeros((len(samples), missing), np.float32))
            position += missing
        elif filmed and missing < -HOLE_SECONDS * rate:
            samples = samples[:, min(-missing, samples.shape[1]) :]
        parts.append(samples)
        position += samples.shape[1]
    if not position:
        raise BadInput(f"The audio track of {name} holds no samples.")
    if holes:
        logger.info("%s: %.2f s of its sound are missing, and silent here.", name, holes / rate)
    return np.ascontiguousarray(np.concatenate(parts, axis=1), dtype=np.float32), rate
