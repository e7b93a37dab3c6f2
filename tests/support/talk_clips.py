"""A tiny data set of talking clips without pictures, for the tests of the expression trainers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gohd_core.clips import Entry, clip_path, save_clip, write_index
from gohd_core.constants import SAMPLES_PER_FRAME, STYLISED


def write_talk_clips(folder: Path, *, train: int = 4, frames: int = 60, space: str = STYLISED) -> Path:
    """Clips whose jaw follows the loudness of a tone, with a blink now and then; one held out."""
    entries = []
    for number in range(train + 1):
        rng = np.random.default_rng([9, number])
        split = "train" if number < train else "validation"
        time = np.arange(frames * SAMPLES_PER_FRAME) / 16_000
        loud = np.clip(np.sin(2 * np.pi * (2 + number / 3) * time + rng.uniform(0, 6)), 0, 1)
        tone = np.sin(2 * np.pi * 150 * time) + 0.5 * np.sin(2 * np.pi * 900 * time)
        sound = 0.2 * loud * tone + 0.001 * rng.standard_normal(len(time))
        expression = np.zeros((frames, 64), np.float32)
        expression[:, 0] = loud.reshape(frames, -1).mean(axis=1)
        for start in rng.integers(0, frames - 6, 2):
            expression[start : start + 6, 10:12] = np.array([0.3, 0.9, 1, 1, 0.6, 0.2])[:, None]
        expression[:, 13] = 0.3 * np.sin(np.arange(frames) / 9 + number)
        arrays = {
            "audio": np.round(sound * 32767).astype(np.int16),
            "expression": expression,
            "pose": np.zeros((frames, 6), np.float32),
            "gaze": np.zeros((frames, 2), np.float32),
        }
        name = f"clip{number}"
        save_clip(clip_path(folder, split, name), arrays, {"space": space, "fps": 25})
        entries.append(Entry(name, split, f"face{number}", "tone", f"text{number}", frames))
    header = {"space": space, "fps": 25, "size": 128, "seed": 9, "kind": "talk"}
    write_index(folder, header, entries)
    return folder
