"""Cost of pictures by the size of their frames: preparing, drawing, and memory by the clip's length."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

from gohd_core.evaluation.report import Table
from gohd_core.evaluation.speed.memory import peak_mib, reset_peak
from gohd_core.models import Models
from gohd_core.motion import Motion
from gohd_core.pipeline import draw, encode
from gohd_core.portraits import prepare_portrait

SIZES = (256, 512, 1024)
_REPEATS = 3


def speed_table(
    models: Models,
    picture: Any,
    motion: Motion,
    sizes: tuple[int, ...] = SIZES,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Table:
    """Preparing and drawing one picture at each size; `motion` is a clip of it."""
    device = str(models.animator.device)
    long = len(motion) * 4
    table = Table(
        "Speed by size",
        ("reading s", "encoding s", "frames a second", "MiB", f"MiB, {long} frames"),
        note=f"One picture: reading its face, and encoding what was read; a clip of {len(motion)} frames, "
        f"best of {_REPEATS}. MiB: peak of the process's resident memory (on a GPU: its own) while that is "
        f"drawn, and while {long} frames are. Threads: {torch.get_num_threads()}.",
    )
    for size in sizes:
        reading, portrait = _timed(
            lambda size=size: prepare_portrait(picture, reader=models.reader, size=size), clock
        )
        encoding, _ = _timed(lambda portrait=portrait: encode(models.animator, portrait), clock)
        peaks, seconds = [], []
        for clip in [motion] * _REPEATS + [motion.fitted(long)]:
            reset_peak(device)
            begun = clock()
            for _ in draw(models.animator, portrait, clip):
                pass
            seconds.append((clock() - begun - encoding) / len(clip))
            peaks.append(peak_mib(device))
        table.put(
            f"{size} px",
            {
                "reading s": reading,
                "encoding s": encoding,
                "frames a second": 1 / max(min(seconds), 1e-9),
                "MiB": peaks[-2],
                f"MiB, {long} frames": peaks[-1],
            },
        )
    return table


def _timed(work: Callable[[], Any], clock: Callable[[], float]) -> tuple[float, Any]:
    """Seconds of the fastest of some calls, and its result."""
    best, result = float("inf"), None
    for _ in range(_REPEATS):
        begun = clock()
        result = work()
        best = min(best, clock() - begun)
    return best, result
