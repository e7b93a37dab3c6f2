"""A small data set of talking clips, written for the tests of the framework."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gohd_core.clips import Entry, save_clip, write_index
from gohd_core.constants import SAMPLES_PER_FRAME, STYLISED


def write_clips(
    folder: Path, *, clips: int = 4, frames: int = 20, space: str = STYLISED, split: str = "train"
) -> list[Path]:
    """Clips named a, b, c ...; expression[t, 0] is t, so that a window tells where it came from."""
    paths, entries = [], []
    for index in range(clips):
        rng = np.random.default_rng(index)
        name = chr(ord("a") + index)
        expression = np.zeros((frames, 64), np.float32)
        expression[:, 0] = np.arange(frames)
        arrays = {
            "expression": expression,
            "pose": rng.standard_normal((frames, 6)).astype(np.float32),
            "gaze": rng.standard_normal((frames, 2)).astype(np.float32),
            "audio": rng.integers(-9000, 9000, frames * SAMPLES_PER_FRAME).astype(np.int16),
            "valid": np.ones(frames, bool),
        }
        path = folder / split / f"{name}.safetensors"
        save_clip(path, arrays, {"space": space, "fps": 25})
        paths.append(path)
        entries.append(Entry(name, split, f"id{index}", "voice", "text", frames))
    write_index(folder, {"space": space, "fps": 25, "size": 128, "seed": 0, "kind": "talk"}, entries)
    return paths


def rewrite(path: Path, space: str = STYLISED, **changes: np.ndarray) -> None:
    """Writes a clip again with some of its arrays changed."""
    from gohd_core.clips import Clip

    clip = Clip(path)
    arrays = {name: clip.read(name) for name in clip.shapes}
    save_clip(path, {**arrays, **changes}, {**clip.info, "space": space})
