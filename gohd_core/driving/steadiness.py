"""Jitter of motion, and smoothing against it (the paper's own limitation: slight jitter)."""

from __future__ import annotations

from collections.abc import Sequence as Places
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from gohd_core.choices import STEADYING, TRACKS
from gohd_core.errors import BadInput
from gohd_core.motion import Motion, Sequence, smoothing, unwrap
from gohd_core.motion.editing import smoothed

Track = TypeVar("Track", bound=Sequence)

_NOISE = 6**0.5
"""Second differences of white noise are this much larger than the noise."""


@dataclass(frozen=True)
class SmoothingConfig:
    """Smoothing of a motion.

    Attributes:
        method: "none"; "mean", the official mean over 5 frames (the pose alone, there); or one of
            `choices.SMOOTHING`. All work on unwrapped angles and lag behind nothing.
        seconds: see `editing.smoothed`; "mean" has its own.
        parts: the smoothed parts. Expressions are left alone by default: closures of the lips and blinks
            last a few frames.
    """

    method: str = "savitzky-golay"
    seconds: float = 0.2
    parts: tuple[str, ...] = ("pose", "gaze")

    def __post_init__(self) -> None:
        if self.method not in STEADYING:
            raise BadInput(f"{self.method!r} is no way to smooth; use one of {', '.join(STEADYING)}.")
        unknown = [part for part in self.parts if part not in TRACKS]
        if unknown:
            raise BadInput(f"There is no part {unknown[0]!r} to smooth; use some of {', '.join(TRACKS)}.")


OFFICIAL = SmoothingConfig("mean", 0.2, ("pose",))
"""Smoothing of the official script for driving poses, without its feedback."""


def smooth_motion(motion: Motion, how: SmoothingConfig, starts: Places[int] = ()) -> Motion:
    """The motion with its parts smoothed.

    starts: frames at which shots begin after a cut: nothing is smoothed across them.
    """
    if how.method == "none":
        return motion
    return Motion(
        **{
            name: _smooth_track(getattr(motion, name), how, starts)
            if name in how.parts
            else getattr(motion, name)
            for name in TRACKS
        }
    )


def _smooth_track(track: Track, how: SmoothingConfig, starts: Places[int]) -> Track:
    if how.method != "mean":
        return smoothed(track, how.seconds, how.method, starts)
    shots = track.unwrapped.tensor_split(list(starts))
    return replace(track, values=torch.cat([smoothing.mean(shot) for shot in shots]))


def jitter(values: Tensor | np.ndarray, starts: Places[int] = ()) -> float:
    """Jitter of a track [T, C], in its own unit: the noise that its second differences would come from.

    For white noise of deviation s on top of slow motion it is s; smooth motion itself counts little
    (a swing of amplitude a and f Hz as much as a (2 pi f / fps)^2 / sqrt(12)). Root mean square over
    time and columns; 0 for fewer than three frames.

    starts: frames at which shots begin after a cut: a jump there is no jitter.
    """
    shots = np.split(np.asarray(values, np.float64), list(starts))
    changes = np.concatenate([np.diff(shot, 2, axis=0) for shot in shots])
    return float(np.sqrt(np.mean(changes**2)) / _NOISE) if len(changes) else 0.0


def motion_jitter(motion: Motion, starts: Places[int] = ()) -> dict[str, float]:
    """`jitter` of each part: head and gaze in degrees, position in model units, expression in its own."""
    pose = motion.pose.values.double()
    return {
        "head": float(np.degrees(jitter(unwrap(pose[:, :3]), starts))),
        "position": jitter(pose[:, 3:], starts),
        "expression": jitter(motion.expression.values, starts),
        "gaze": float(np.degrees(jitter(unwrap(motion.gaze.values.double()), starts))),
    }
