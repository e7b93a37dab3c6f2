"""Speed of each stage and of the whole, with peak memory, beside a slow reference in the same run.

Weights do not matter for speed, so that any family can be measured; the sound is noise and the portrait a
ramp.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from gohd_core import __version__
from gohd_core.evaluation.progress import Progress
from gohd_core.evaluation.report import Report, machine
from gohd_core.evaluation.speed.frames import frame_table
from gohd_core.evaluation.speed.lengths import length_table
from gohd_core.evaluation.speed.plan import SpeedPlan
from gohd_core.evaluation.speed.stages import stage_table
from gohd_core.models import Models


def speed(
    load: Callable[[str, torch.dtype], Models], plan: SpeedPlan, *, progress: Progress | None = None
) -> Report:
    """Measures; `load` makes the models on a device, the animator in a number format."""
    with _threads(plan.threads):
        models = load(plan.device, torch.float32)
        # First, before other models fill the memory whose growth it shows.
        lengths = length_table(models, plan, progress)
        tables = [stage_table(models, plan, progress), frame_table(load, models, plan, progress), lengths]
        if plan.official is not None:
            from gohd_core.evaluation.speed.official_code import official_table

            tables.append(official_table(plan.official, plan, progress))
        setting = {
            "device": plan.device,
            "clock": plan.clock,
            "threads": torch.get_num_threads(),
            "machine": machine(),
            "size": models.animator.config.size,
            "space": models.animator.space,
            "sound": f"{plan.seconds[0]:g} s",
            "frames": plan.frames,
        }
    return Report("speed", setting, {"gohd": __version__}, tables)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Sets PyTorch's number of threads within the block; 0 changes nothing."""
    before = torch.get_num_threads()
    if count:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
