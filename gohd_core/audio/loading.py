"""Reading sound from files: plain audio through soundfile, everything else through PyAV."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from gohd_core.errors import BadInput, MissingDependency


def load_audio(path: str | os.PathLike[str]) -> tuple[np.ndarray, int]:
    """Read a sound file, or a video's first audio track: (float32 [C, N], samples a second).

    WAV, FLAC, OGG and MP3 are read by soundfile; M4A, MP4, WebM and the like by PyAV, where a
    track that starts later than the file does is led in by silence, so that it stays in step
    with the picture. Raises BadInput where there is no file, no sound, or no known format.
    """
    source = Path(path)
    if not source.is_file():
        raise BadInput(f"There is no audio file at {source}.")
    if source.stat().st_size == 0:
        raise BadInput(f"The audio file {source.name} is empty (0 bytes).")
    import soundfile

    try:
        samples, rate = soundfile.read(str(source), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as reason:
        return _load_with_av(source, reason)
    if len(samples) == 0:
        raise BadInput(f"The audio file {source.name} holds no samples.")
    return np.ascontiguousarray(samples.T), int(rate)


def _load_with_av(source: Path, reason: Exception) -> tuple[np.ndarray, int]:
    try:
        import av
    except ImportError as missing:
        raise MissingDependency(
            f"{source.name} is no plain audio file and reading it needs PyAV: pip install av."
        ) from missing

    parts: list[np.ndarray] = []
    start = 0.0
    rate = 0
    try:
        with av.open(str(source)) as container:
            if not container.streams.audio:
                raise BadInput(f"{source.name} has no audio track.")
            stream = container.streams.audio[0]
            rate = int(stream.codec_context.sample_rate)
            channels = int(stream.codec_context.channels)
            planar = av.AudioResampler(format="fltp", rate=rate)
            for frame in container.decode(stream):
                if not parts and frame.time is not None:
                    start = float(frame.time) - (container.start_time or 0) / av.time_base
                parts.extend(piece.to_ndarray() for piece in planar.resample(frame))
            parts.extend(piece.to_ndarray() for piece in planar.resample(None))
    except av.error.FFmpegError as failure:
        raise BadInput(
            f"{source.name} can't be read as sound: {reason} / {failure}; convert it to WAV."
        ) from failure
    if not parts:
        raise BadInput(f"The audio track of {source.name} holds no samples.")
    lead = np.zeros((channels, max(0, round(start * rate))), np.float32)
    samples = np.concatenate([lead, *parts], axis=1)
    return np.ascontiguousarray(samples, dtype=np.float32), rate
