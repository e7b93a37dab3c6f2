"""Data sets of the stylised world: many clips on all cores, resumable, the same bytes every time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from time import monotonic

from gohd_core.clips import (
    INDEX_NAME,
    Clip,
    ClipDataset,
    Entry,
    clip_path,
    read_index,
    save_clip,
    write_index,
)
from gohd_core.errors import BadInput, raise_if_stopped
from gohd_core.stylised.making import Recipe, clip_place, entry_of, make_clip
from gohd_core.stylised.speech.engines import USUAL, load_engine
from gohd_core.workers import in_processes

INDEX_EVERY = 20.0
"""Seconds between two writings of the index while clips are made, so that trainers can begin."""


def make_dataset(
    out: str | Path,
    clips: int,
    seed: int,
    kind: str = "talk",
    *,
    size: int = 256,
    pictures: bool = True,
    correspondence: bool = True,
    burst: int = 20,
    engines: Sequence[str] = USUAL,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> ClipDataset:
    """Make clips 0..clips-1 of the recipe in folder `out`; those already there are kept.

    Run again with the same arguments it goes on where it stopped; with more clips it extends.
    The bytes of every file depend on the other arguments alone, not on `workers` (default: all
    cores) or on interruptions. `Recipe` explains kind, size, pictures, correspondence, burst
    and engines mean. Raises BadInput for bad arguments, a folder that holds another data set or a
    full disk, MissingDependency for an engine or graphics that are not installed, Interrupted.
    """
    if clips < 1:
        raise BadInput(f"The number of clips must be at least 1, not {clips}.")
    recipe = Recipe(seed, kind, size, pictures, correspondence, burst, tuple(engines))
    if kind == "talk":
        for engine in recipe.engines:
            load_engine(engine)
    out = Path(out)
    clips = max(clips, _already_planned(out, recipe))
    header = recipe.header() | {"planned": clips}
    entries = {number: found for number in range(clips) if (found := _present(out, recipe, number))}
    write_index(out, header, _in_order(entries))
    missing = [number for number in range(clips) if number not in entries]
    if progress:
        progress(len(entries), clips)
    written = monotonic()
    try:
        for number, entry in _make_clips(out, recipe, missing, workers):
            entries[number] = entry
            if progress:
                progress(len(entries), clips)
            if monotonic() - written > INDEX_EVERY:
                write_index(out, header, _in_order(entries))
                written = monotonic()
            raise_if_stopped(should_stop, "Making the data set was stopped; run it again to go on.")
    finally:
        write_index(out, header, _in_order(entries))
    return ClipDataset(out)


def _already_planned(out: Path, recipe: Recipe) -> int:
    """Number of clips that the folder's own index plans; BadInput when it holds something else."""
    if not (out / INDEX_NAME).is_file():
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise BadInput(f"'{out}' is not empty and holds no data set; choose another folder.")
        return 0
    header = read_index(out)
    for key, value in recipe.header().items():
        if header.get(key) != value:
            raise BadInput(
                f"'{out}' holds another data set ({key} is {header.get(key)!r}, not {value!r}); "
                "choose another folder or the same settings."
            )
    return int(header.get("planned", 0))


def _in_order(entries: dict[int, Entry]) -> list[Entry]:
    return [entries[number] for number in sorted(entries)]


def _present(out: Path, recipe: Recipe, number: int) -> Entry | None:
    """The index line of a clip that is already there."""
    split, name = clip_place(recipe, number)
    path = clip_path(out, split, name)
    if not path.is_file():
        return None
    clip = Clip(path)
    return entry_of(clip.info, len(clip))


def _make_one(out: Path, recipe: Recipe, number: int) -> tuple[int, Entry]:
    split, name = clip_place(recipe, number)
    arrays, info = make_clip(recipe, number)
    frames = save_clip(clip_path(out, split, name), arrays, info)
    return number, entry_of(info, frames)


def _make_clips(
    out: Path, recipe: Recipe, numbers: Sequence[int], workers: int | None
) -> Iterator[tuple[int, Entry]]:
    """Make clips, in any order; in this process when one worker is enough."""
    make = partial(_make_one, out, recipe)
    workers = min(workers or os.cpu_count() or 1, len(numbers))
    if workers <= 1:
        yield from map(make, numbers)
        return
    yield from in_processes(make, numbers, workers, _one_thread)


def _one_thread() -> None:
    """Mesa's software rasteriser would start a thread per core in every worker."""
    os.environ.setdefault("LP_NUM_THREADS", "1")
