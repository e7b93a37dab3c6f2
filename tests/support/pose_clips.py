"""A tiny data set of talking clips whose head and eyes move with the sound, for the diffusion trainers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gohd_core.clips import Entry, clip_path, save_clip, write_index
from gohd_core.constants import SAMPLES_PER_FRAME, STYLISED


def write_pose_clips(folder: Path, *, train: int = 4, frames: int = 48, space: str = STYLISED) -> Path:
    """Clips that nod and look up when a tone is loud; one held out."""
    entries = []
    for number in range(train + 1):
        rng = np.random.default_rng([5, number])
        split = "train" if number < train else "validation"
        time = np.arange(frames * SAMPLES_PER_FRAME) / 16_000
        loud = np.clip(np.sin(2 * np.pi * (1 + number / 4) * time + rng.uniform(0, 6)), 0, 1)
        sound = 0.3 * loud * np.sin(2 * np.pi * 220 * time)
        nod = loud.reshape(frames, -1).mean(axis=1)
        pose = np.zeros((frames, 6), np.float32)
        pose[:] = nod[:, None] * np.array([0.2, 0.1, -0.1, 0.05, 0.05, -0.05]) + 0.02 * number
        gaze = np.stack([0.2 * nod, 0.1 * np.cos(np.arange(frames) / 5)], 1).astype(np.float32)
        arrays = {
            "audio": np.round(sound * 32767).astype(np.int16),
            "expression": np.zeros((frames, 64), np.float32),
            "pose": pose,
            "gaze": gaze,
        }
        name = f"clip{number}"
        save_clip(clip_path(folder, split, name), arrays, {"space": space, "fps": 25})
        entries.append(Entry(name, split, f"face{number}", "tone", f"text{number}", frames))
    header = {"space": space, "fps": 25, "size": 128, "seed": 5, "kind": "talk"}
    write_index(folder, header, entries)
    return folder
