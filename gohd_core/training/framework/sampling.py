"""Sampling from a clip: windows of consecutive frames, and sets of frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gohd_core.clips import Clip
from gohd_core.constants import SAMPLES_PER_FRAME
from gohd_core.errors import BadInput


def valid_frames(clip: Clip) -> np.ndarray:
    """Bool [T]: frames in which a face was found; all, where the clip does not say."""
    return clip.read("valid") if "valid" in clip else np.ones(len(clip), dtype=bool)


def random_window(clip: Clip, frames: int, rng: np.random.Generator, *, limit: int | None = None) -> slice:
    """A random run of `frames` consecutive frames that all show a face, before frame `limit`.

    Raises `BadInput` when the clip has none.
    """
    valid = valid_frames(clip)[:limit]
    before = np.concatenate([[0], np.cumsum(valid)])
    starts = np.flatnonzero(before[frames:] - before[:-frames] == frames) if frames <= len(valid) else []
    if not len(starts):
        raise BadInput(f"it has no {frames} frames in a row that show a face ({len(valid)} frames in all).")
    start = int(rng.choice(starts))
    return slice(start, start + frames)


def random_frames(clip: Clip, count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` different frames [count] that show a face, e.g. the animator's source and target."""
    found = np.flatnonzero(valid_frames(clip))
    if len(found) < count:
        raise BadInput(f"it shows a face in {len(found)} frames, and {count} are needed.")
    return rng.choice(found, size=count, replace=False)


def read_window(clip: Clip, fields: Sequence[str], window: slice) -> dict[str, np.ndarray]:
    """The rows of a window, by field."""
    return {name: clip.read(name, window.start, window.stop) for name in fields}


def coefficient_windows(values: np.ndarray, frames: Sequence[int], radius: int) -> np.ndarray:
    """Windows [n, 2 * radius + 1, C] of a sequence [T, C] around some frames, the ends repeated (§3.3)."""
    offsets = np.arange(-radius, radius + 1)
    rows = np.clip(np.asarray(frames)[:, None] + offsets, 0, len(values) - 1)
    return values[rows]


def audio_frames(clip: Clip) -> int:
    """Whole frames of sound in a clip; `BadInput` when that and its motion differ by over a frame."""
    if "audio" not in clip:
        raise BadInput("it has no sound, which this trainer needs; use clips of the kind 'talk'.")
    heard = clip.shapes["audio"][0] // SAMPLES_PER_FRAME
    if abs(heard - len(clip)) > 1:
        raise BadInput(f"it has {len(clip)} frames of motion but sound for {heard}.")
    return heard
