"""Stills of a moving square over a plain background, with exact correspondences: no renderer needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gohd_core.clips import Entry, save_clip, write_index
from gohd_core.constants import STYLISED

SIZE, SCALE, DEPTH = 32, 256, 2000
CHANGES = ("base", "gaze", "gaze", "blink", "mouth", "mouth", "brows", "pose", "pose", "free", "free")


def write(folder: Path, clips: int = 4, size: int = SIZE, correspondences: bool = True) -> Path:
    """A data set whose clips show a textured square that pose[3:5] moves; two clips for validation."""
    entries = []
    for number in range(clips + 2):
        split = "train" if number < clips else "validation"
        name = f"tiny-{number}"
        save_clip(
            folder / split / f"{name}.safetensors",
            _arrays(np.random.default_rng(number), size, correspondences),
            {
                "space": STYLISED,
                "fps": 25,
                "changes": list(CHANGES),
                "identity_seed": number,
                "vertex_scale": {"xy": SCALE, "depth": DEPTH},
            },
        )
        entries.append(Entry(name, split, name, "", "", len(CHANGES)))
    header = {"space": STYLISED, "fps": 25, "size": size, "seed": 0, "kind": "stills"}
    write_index(folder, header, entries)
    return folder


def _arrays(rng: np.random.Generator, size: int, correspondences: bool) -> dict[str, np.ndarray]:
    count, half = len(CHANGES), size // 4
    texture = rng.integers(0, 256, (2 * half, 2 * half, 3), dtype=np.uint8).repeat(1, 0)
    texture = np.kron(texture[::4, ::4], np.ones((4, 4, 1), np.uint8))[: 2 * half, : 2 * half]
    pose = np.zeros((count, 6), np.float32)
    pose[:, 3:5] = rng.uniform(-1, 1, (count, 2)) * (rng.random((count, 1)) < 0.9)
    expression = np.zeros((count, 64), np.float32)
    expression[:, 0] = rng.random(count)
    frames = np.full((count, size, size, 3), 128, np.uint8)
    triangle = np.zeros((count, size, size), np.uint16)
    weights = np.zeros((count, size, size, 2), np.uint8)
    depth = np.full((count, size, size), 17.0, np.float16)
    vertices = np.zeros((count, 4, 3), np.int16)
    parsing = np.zeros((count, size, size), np.uint8)
    landmarks = np.zeros((count, 68, 2), np.float32)
    span = np.arange(2 * half)
    across, down = np.meshgrid(span / (2 * half), span / (2 * half))
    for at in range(count):
        left, top = (size // 2 - half + np.round(pose[at, 3:5] * half / 2)).astype(int)
        inside = (slice(top, top + 2 * half), slice(left, left + 2 * half))
        frames[at][inside] = texture
        corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * 2 * half + [left, top]
        vertices[at] = np.concatenate([corners * SCALE, np.full((4, 1), 10 * DEPTH)], 1)
        upper = across + down <= 1
        triangle[at][inside] = np.where(upper, 1, 2)
        # Triangle 1 has the corners 0, 1, 2 and triangle 2 has 3, 2, 1.
        first = np.where(upper, 1 - across - down, across + down - 1)
        second = np.where(upper, across, 1 - across)
        weights[at][inside] = np.round(np.stack([first, second], -1) * 255)
        depth[at][inside] = 10
        parsing[at][inside] = 1
        landmarks[at] = rng.random((68, 2)) * half + half / 2 + np.array([left, top])
    arrays = {
        "frames": frames,
        "expression": expression,
        "pose": pose,
        "gaze": rng.uniform(-0.3, 0.3, (count, 2)).astype(np.float32),
        "landmarks": landmarks,
        "identity": rng.normal(0, 1, 80).astype(np.float32),
        "valid": np.ones(count, bool),
        "parsing": parsing,
    }
    if correspondences:
        arrays |= {
            "triangle": triangle,
            "barycentric": weights,
            "depth": depth,
            "vertices": vertices,
            "faces": np.array([[0, 1, 2], [3, 2, 1]], np.uint16),
            "material": np.ones(2, np.uint8),
        }
    return arrays
