"""Files of training examples of a mouth network, with what a fixed audio encoder hears in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gohd_core.audio import chunk_index
from gohd_core.training.expression.mouth_examples import MouthExample

BATCH, FRAMES = 12, 56
TOLD = (6, 9)
"""Rows of a chunk whose phones are told: the first and the last of the frame's own 40 ms."""


@dataclass(frozen=True, eq=False)
class Heard:
    """One sequence: embeddings [T, A], feature maps [T, M] and coefficients [T, 6] of its frames, the
    spectrogram's rows [N, 80] and their phones [N] (`phones.IDS`)."""

    audio: np.ndarray
    maps: np.ndarray
    mouth: np.ndarray
    rows: np.ndarray
    phones: np.ndarray


@dataclass(frozen=True, eq=False)
class Batch:
    """Embeddings [B, T, A], feature maps [B, T, M], lip chunks [B, T, 80, 16], coefficients [B, T, 6] and
    phones [B, T, 2] of windows."""

    audio: Tensor
    maps: Tensor
    chunks: Tensor
    mouth: Tensor
    phones: Tensor


@torch.inference_mode()
def make_shards(
    folder: Path,
    count: int,
    encoder: Any,
    make: Callable[[np.random.Generator], list[MouthExample]],
    seed: int,
) -> None:
    """Writes the files 0000.npz ... of a folder, `make`'s examples each; those that are there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = folder / f"{number:04d}.npz"
        if path.is_file():
            continue
        made = make(np.random.default_rng([seed, number]))
        arrays = {
            name: np.concatenate([getattr(one, name) for one in made]) for name in ("mouth", "rows", "phones")
        }
        arrays |= _embedded(encoder, made)
        arrays["lengths"] = np.array([len(one.mouth) for one in made])
        arrays["row_lengths"] = np.array([len(one.rows) for one in made])
        with path.with_suffix(".part").open("wb") as file:
            np.savez(file, **arrays)
        path.with_suffix(".part").rename(path)


def _embedded(encoder: Any, made: list[MouthExample]) -> dict[str, np.ndarray]:
    """The audio encoder's embeddings [T, A] and feature maps [T, M] of examples, joined, float16."""
    heard = [encoder.with_map(torch.from_numpy(one.window(0, len(one.mouth))[0])) for one in made]
    return {
        name: torch.cat(parts).numpy().astype(np.float16)
        for name, parts in zip(("audio", "maps"), zip(*heard, strict=True), strict=True)
    }


def read_shards(folder: Path) -> list[Heard]:
    """All sequences of a folder's files that are long enough for a window."""
    found = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        spans = [_spans(arrays[name]) for name in ("lengths", "row_lengths")]
        for frames, rows in zip(*spans, strict=True):
            if frames.stop - frames.start >= FRAMES:
                parts = {name: arrays[name][frames] for name in ("audio", "maps", "mouth")}
                found.append(Heard(**parts, rows=arrays["rows"][rows], phones=arrays["phones"][rows]))
    return found


def _spans(lengths: np.ndarray) -> list[slice]:
    ends = lengths.cumsum()
    return [slice(int(end - length), int(end)) for end, length in zip(ends, lengths, strict=True)]


def draw_batch(pools: Sequence[Sequence[Heard]], shares: Sequence[float], rng: np.random.Generator) -> Batch:
    """Random windows; each is from a pool of sequences with the probability of its share."""
    windows = [_window(pools[int(rng.choice(len(pools), p=shares))], rng) for _ in range(BATCH)]
    *floats, phones = (np.stack(arrays) for arrays in zip(*windows, strict=True))
    return Batch(
        *(torch.from_numpy(array.astype(np.float32)) for array in floats), torch.from_numpy(phones).long()
    )


def _window(pool: Sequence[Heard], rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    one = pool[int(rng.integers(len(pool)))]
    start = int(rng.integers(len(one.mouth) - FRAMES + 1))
    frames = slice(start, start + FRAMES)
    index = np.clip(chunk_index(10**6, frames.start, frames.stop), 0, len(one.rows) - 1)  # [FRAMES, 16]
    chunks = one.rows[index].transpose(0, 2, 1)
    return one.audio[frames], one.maps[frames], chunks, one.mouth[frames], one.phones[index[:, list(TOLD)]]
