"""Lag between lips and sound of a video, from its mesh readings and predicted expressions."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gohd_core.audio import audio_features
from gohd_core.constants import FPS, N_EXPRESSION, STYLISED
from gohd_core.driving.result import Driving
from gohd_core.errors import BadInput, MissingDependency
from gohd_core.expression import ExpressionPredictor
from gohd_core.files import atomic_path
from gohd_core.measures.lag import CHANCE, KNOWN, LARGEST, SHORTEST, LipLag, find_lag, find_part_lags

BIAS = -0.03
"""Frames by which lips that are in step are found late, in the mean of twelve videos of `gohd talk` (standard
error .02): `benchmarks/sync.py`."""
NOTICED = 2.0
"""Frames from which on people notice that lips and sound are apart: 80 ms."""
LEAST_SEEN = 0.7
"""Share of the frames in which the lips must be seen."""
SILENT = 1e-3
"""Root mean square of a sound, full scale 1, below which there is none."""


@dataclass(frozen=True)
class InStep:
    """Result of a lag measurement.

    Attributes:
        milliseconds: by how much the lips come after the sound; negative where they come before it.
        confidence: 0..1, from .5 on it is known.
        problem: why nothing can be told, or "".
        changes: (seconds, milliseconds) from which on the lag is another; empty where it stays the same.
    """

    milliseconds: float = 0.0
    confidence: float = 0.0
    problem: str = ""
    changes: tuple[tuple[float, float], ...] = ()

    @property
    def known(self) -> bool:
        """Whether there is one lag, sure enough to act upon."""
        return not self.problem and not self.changes and self.confidence >= KNOWN

    @property
    def noticed(self) -> bool:
        """Whether it is known, and so large that people notice, or changes as much."""
        return bool(self.changes) or (self.known and abs(self.milliseconds) >= NOTICED / FPS * 1000)

    def __str__(self) -> str:
        if self.problem:
            return self.problem
        if self.changes:
            places = ", ".join(f"{lag:+.0f} ms from {second:.0f} s on" for second, lag in self.changes[:5])
            more = f", and {len(self.changes) - 5} more" if len(self.changes) > 5 else ""
            return f"The lag of the lips changes ({places}{more}): no one shift puts the sound right."
        sure = f"confidence {self.confidence:.2f}"
        if not self.known:
            return (
                f"Lips and sound agree nowhere for sure ({sure}): no speech, or not of the face that is seen."
            )
        if not self.noticed:
            return f"Lips and sound are in step ({self.milliseconds:+.0f} ms, {sure})."
        way = "after" if self.milliseconds > 0 else "before"
        return f"The lips come {abs(self.milliseconds):.0f} ms {way} the sound ({sure})."


def lip_lag(driving: Driving, sound: tuple[Any, int] | None, predictor: ExpressionPredictor) -> InStep:
    """The lag between the lips of a video that was read by meshes and its sound.

    Args:
        sound: (waveform, sample rate) from the video's first frame on, or None where it has none.
        predictor: of the stylised space.
    Raises: `BadInput` for a predictor of another space, or a motion that was read otherwise.
    """
    if predictor.space != STYLISED:
        raise BadInput("Lips and sound are held together by the built-in expression weights; load those.")
    if driving.lips is None:
        raise BadInput(
            "Lips of drawn heads are not measured; only those of people's faces, with the face networks that "
            "`gohd download faces` fetches."
        )
    if sound is None:
        return InStep(problem="The video has no sound.")
    waveform = np.atleast_2d(np.asarray(sound[0], np.float32))
    count = min(len(driving.lips), round(waveform.shape[1] / sound[1] * FPS))
    least = max(SHORTEST, 2 * CHANCE + LARGEST)
    if count < least:
        return InStep(problem=f"The video is too short; {least / FPS:.0f} seconds are needed.")
    waveform = waveform[:, : round(count / FPS * sound[1])]
    if float(np.sqrt((waveform.mean(0) ** 2).mean())) < SILENT:
        return InStep(problem="The video is silent.")
    seen = driving.motion.expression.valid[:count].float().mean().item()
    if seen < LEAST_SEEN:
        return InStep(problem=f"The face is seen in {seen:.0%} of the frames only, too few to tell.")
    lips = driving.lips[:count].double().numpy()
    heard = _heard(waveform, sound[1], predictor)[:count]
    signals = heard, lips[: len(heard), 0], lips[: len(heard), 1]
    found = find_lag(*signals)
    return InStep(_milliseconds(found), found.confidence, changes=_changes(find_part_lags(*signals)))


def lag_warning(
    driving: Driving, sound: tuple[Any, int] | None, predictor: ExpressionPredictor, name: str
) -> str | None:
    """A sentence where lips and sound of a driving video are so far apart that people notice, else None.

    What is driven by both would be as far apart. Heads whose lips are not measured get none; args: `lip_lag`.
    """
    if driving.lips is None or predictor.space != STYLISED:
        return None
    found = lip_lag(driving, sound, predictor)
    return f"{name} is out of step: {found}" if found.noticed else None


def _heard(waveform: np.ndarray, rate: int, predictor: ExpressionPredictor) -> np.ndarray:
    """Expressions [T,64] that a sound makes the predictor think of."""
    features = audio_features(waveform, rate)
    rest = torch.zeros(N_EXPRESSION, dtype=torch.float32, device="cpu")
    return predictor.predict(features, rest)[0].double().numpy()


def _milliseconds(lag: LipLag) -> float:
    return (lag.frames - BIAS) / FPS * 1000


def _changes(parts: list[tuple[int, LipLag]]) -> tuple[tuple[float, float], ...]:
    """Where parts' lags become others by more than people notice, as (seconds, milliseconds)."""
    kept: list[tuple[int, LipLag]] = []
    for first, lag in parts:
        if not kept or abs(lag.frames - kept[-1][1].frames) > NOTICED:
            kept.append((first, lag))
    return tuple((first / FPS, _milliseconds(lag)) for first, lag in kept) if len(kept) > 1 else ()


def delay(sound: np.ndarray, samples: int) -> np.ndarray:
    """A sound [C,N] so many samples later (earlier where negative), as long as before."""
    late, early = max(samples, 0), max(-samples, 0)
    return np.pad(sound, ((0, 0), (late, early)))[:, early : early + sound.shape[1]]


def shift_sound(video: str | Path, target: str | Path, milliseconds: float) -> Path:
    """Writes a video whose sound comes so much later (earlier where negative); pictures are copied.

    Raises: `BadInput` where the video has no sound or can't be read.
    """
    try:
        import av
    except ImportError as error:
        raise MissingDependency("Videos are read with PyAV; install it with: pip install av") from error
    from gohd_core.audio import load_audio

    waveform, rate = load_audio(video)
    sound = np.atleast_2d(np.asarray(waveform, np.float32))[:2]
    sound = delay(sound, round(milliseconds / 1000 * rate))
    with (
        atomic_path(Path(target)) as part,
        av.open(str(video)) as source,
        av.open(str(part), "w", format="mp4") as sink,
    ):
        pictures = source.streams.video[0]
        copy = sink.add_stream_from_template(pictures)
        voice = sink.add_stream("aac", rate=rate, layout="mono" if len(sound) == 1 else "stereo")
        for packet in source.demux(pictures):
            if packet.dts is not None:
                packet.stream = copy
                sink.mux(packet)
        for start in range(0, sound.shape[1], 1024):
            block = np.ascontiguousarray(sound[:, start : start + 1024])
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=voice.layout.name)
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            sink.mux(voice.encode(frame))
        sink.mux(voice.encode(None))
    return Path(target)
