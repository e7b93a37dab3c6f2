"""Cost of pictures by the size of their frames: preparing, drawing, and memory by the clip's length."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from gohd_core.evaluation.report import Table
from gohd_core.evaluation.speed.memory import peak_mib, reset_peak
from gohd_core.face import Portrait
from gohd_core.models import Models
from gohd_core.motion import Motion
from gohd_core.pipeline import encode, finish
from gohd_core.portraits import prepare_portrait
from gohd_core.video.writer import render_video

SIZES = (256, 512, 768, 1024)
_REPEATS = 2


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
        note="One picture: reading its face, encoding what was read, and both. Frames drawn of a clip of "
        f"{len(motion)}, best of {_REPEATS}; frames of video, from drawing to a file: back in the whole "
        "picture, marked and encoded. MiB: peak of the process's resident memory (on a GPU: its own) while "
        f"the clip is drawn, and while {long} frames are. Threads: {torch.get_num_threads()}.",
    )
    for size in sizes:
        reading, portrait = _best_time(lambda size=size: _prepare(models, picture, size), clock)
        encoding, source = _best_time(lambda portrait=portrait: encode(models.animator, portrait), clock)
        peaks, seconds = [], []
        for clip in [motion] * _REPEATS + [motion.fitted(long)]:
            reset_peak(device)
            begun = clock()
            for _ in models.animator.animate(source, clip):
                pass
            seconds.append((clock() - begun) / len(clip))
            peaks.append(peak_mib(device))
        begun = clock()
        with TemporaryDirectory() as folder:
            drawn = finish(models.animator.animate(source, motion), portrait, full_frame=True)
            render_video(Path(folder) / "clip.mp4", drawn, fps=motion.fps)
        video = (clock() - begun) / len(motion)
        table.put(
            f"{size} px",
            {
                "reading s": reading,
                "encoding s": encoding,
                "prepared s": reading + encoding,
                "frames a second": 1 / max(min(seconds), 1e-9),
                "of video a second": 1 / max(video, 1e-9),
                "MiB": peaks[-2],
                f"MiB, {long} frames": peaks[-1],
            },
        )
    return table


def _prepare(models: Models, picture: Any, size: int) -> Portrait:
    """The portrait of a picture, as commands and nodes get it."""
    readers = {"extractor": models.extractor, "gaze_estimator": models.gaze_estimator}
    return prepare_portrait(picture, reader=models.reader, size=size, **readers)


def _best_time(work: Callable[[], Any], clock: Callable[[], float]) -> tuple[float, Any]:
    """Seconds of the fastest of some calls, and its result."""
    best, result = float("inf"), None
    for _ in range(_REPEATS):
        begun = clock()
        result = work()
        best = min(best, clock() - begun)
    return best, result
