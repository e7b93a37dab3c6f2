"""Tiny data sets of talking clips without pictures, for the trainers of motion from sound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from gohd_core.clips import Entry, clip_path, save_clip, write_index
from gohd_core.constants import SAMPLES_PER_FRAME, STYLISED

Arrays = dict[str, np.ndarray]
COEFFICIENTS = {"expression": 64, "pose": 6, "gaze": 2}


def write_talk_clips(folder: Path, *, frames: int = 60, **options) -> Path:
    """Clips whose jaw follows the loudness of a tone, with a blink now and then; one held out."""

    def make(number: int, rng: np.random.Generator, time: np.ndarray) -> Arrays:
        loud = np.clip(np.sin(2 * np.pi * (2 + number / 3) * time + rng.uniform(0, 6)), 0, 1)
        tone = np.sin(2 * np.pi * 150 * time) + 0.5 * np.sin(2 * np.pi * 900 * time)
        sound = 0.2 * loud * tone + 0.001 * rng.standard_normal(len(time))
        expression = np.zeros((frames, 64), np.float32)
        expression[:, 0] = loud.reshape(frames, -1).mean(axis=1)
        for start in rng.integers(0, frames - 6, 2):
            expression[start : start + 6, 10:12] = np.array([0.3, 0.9, 1, 1, 0.6, 0.2])[:, None]
        expression[:, 13] = 0.3 * np.sin(np.arange(frames) / 9 + number)
        return {"audio": sound, "expression": expression}

    return _write(folder, make, frames, 9, **options)


def write_pose_clips(folder: Path, *, frames: int = 48, **options) -> Path:
    """Clips that nod and look up when a tone is loud; one held out."""

    def make(number: int, rng: np.random.Generator, time: np.ndarray) -> Arrays:
        loud = np.clip(np.sin(2 * np.pi * (1 + number / 4) * time + rng.uniform(0, 6)), 0, 1)
        nod = loud.reshape(frames, -1).mean(axis=1)
        pose = nod[:, None] * np.array([0.2, 0.1, -0.1, 0.05, 0.05, -0.05]) + 0.02 * number
        gaze = np.stack([0.2 * nod, 0.1 * np.cos(np.arange(frames) / 5)], 1)
        sound = 0.3 * loud * np.sin(2 * np.pi * 220 * time)
        return {"audio": sound, "pose": pose.astype(np.float32), "gaze": gaze.astype(np.float32)}

    return _write(folder, make, frames, 5, **options)


def _write(
    folder: Path,
    make: Callable[[int, np.random.Generator, np.ndarray], Arrays],
    frames: int,
    seed: int,
    *,
    train: int = 4,
    space: str = STYLISED,
) -> Path:
    """`make` gives sound in -1..1 at the times that it is asked for, and coefficients; others are 0."""
    entries = []
    for number in range(train + 1):
        split, name = "train" if number < train else "validation", f"clip{number}"
        time = np.arange(frames * SAMPLES_PER_FRAME) / 16_000
        arrays = {key: np.zeros((frames, n), np.float32) for key, n in COEFFICIENTS.items()}
        arrays |= make(number, np.random.default_rng([seed, number]), time)
        arrays["audio"] = np.round(arrays["audio"] * 32767).astype(np.int16)
        save_clip(clip_path(folder, split, name), arrays, {"space": space, "fps": 25})
        entries.append(Entry(name, split, f"face{number}", "tone", f"text{number}", frames))
    header = {"space": space, "fps": 25, "size": 128, "seed": seed, "kind": "talk"}
    write_index(folder, header, entries)
    return folder
