"""Drawn frames a second by number format, batch and compilation, beside the official script's way."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor

from gohd_core.constants import FPS
from gohd_core.evaluation.progress import Progress, with_progress
from gohd_core.evaluation.report import Table
from gohd_core.evaluation.speed.memory import peak_mib, reset_peak
from gohd_core.evaluation.speed.plan import DTYPES, SpeedPlan, measure_seconds, moving, portrait, wait
from gohd_core.models import Models
from gohd_core.motion import Motion

_WARM = 2
"""Batches that are drawn before the clock starts."""
_SLOW_FRAMES = 4
_LARGEST_DB = 100.0


def frame_table(
    load: Callable[[str, torch.dtype], Models], plain: Models, plan: SpeedPlan, progress: Progress | None
) -> Table:
    """Frames of one portrait; `load` makes models with the animator in a number format."""
    table = Table(
        "Drawing frames",
        note=f"{plan.frames} frames of one portrait; real-time factor: frames a second over {FPS}. "
        "Reference: the float32 way of the official script, the portrait encoded anew for every frame, in "
        "the same run. Peak: as in the table of lengths. Error: PSNR of the frames against float32's, at "
        f"most {_LARGEST_DB:g}.",
    )
    picture, own = portrait(plain)
    clip = moving(own.fitted(plan.frames))
    reset_peak(plan.device)
    slow = measure_seconds(lambda: _anew(plain, picture, own, clip), plan, 1) / _SLOW_FRAMES
    table.put(
        "reference: encode for every frame",
        {
            "frames a second": 1 / slow,
            "real-time factor": 1 / slow / FPS,
            "against reference": 1.0,
            "peak MiB": peak_mib(plan.device),
        },
    )
    expected = _draw(plain, picture, own, clip, 1)
    forms = (False, True) if plan.compiled else (False,)
    cases = list(product(plan.dtypes, plan.batches, forms))
    for dtype, batch, compiled in with_progress(cases, "drawing", progress):
        models = load(plan.device, DTYPES[dtype])
        if compiled:
            models.animator.compile(batch)
        _draw(models, picture, own, clip[: _WARM * batch], batch)
        reset_peak(plan.device)
        start = plan.now()
        drawn = _draw(models, picture, own, clip, batch)
        wait(plan.device)
        rate = plan.frames / (plan.now() - start)
        error = float((drawn - expected).square().mean())
        table.put(
            f"{dtype}, batch {batch}{', compiled' if compiled else ''}",
            {
                "frames a second": rate,
                "real-time factor": rate / FPS,
                "against reference": rate * slow,
                "peak MiB": peak_mib(plan.device),
                "error dB": min(10 * math.log10(4 / error), _LARGEST_DB) if error else _LARGEST_DB,
            },
        )
    return table


def _draw(models: Models, picture: Tensor, own: Motion, motion: Motion, batch: int) -> Tensor:
    source = models.animator.encode_source(picture, own)
    return torch.cat([frames.cpu() for frames in models.animator.animate(source, motion, batch_size=batch)])


def _anew(models: Models, picture: Tensor, own: Motion, motion: Motion) -> None:
    for k in range(_SLOW_FRAMES):
        source = models.animator.encode_source(picture, own)
        for _ in models.animator.animate(source, motion[k : k + 1], batch_size=1):
            pass
