"""What a run would cost: parameters, shapes, memory and speed, measured on a few real steps."""

from __future__ import annotations

import time

import torch

from gohd_core.training import data
from gohd_core.training.run import Counters, Run
from gohd_core.training.settings import RunConfig
from gohd_core.training.task import Moment, Task

_WARM_UP = 2


def dry_run(kind: type[Task], config: RunConfig, *, steps: int = 5) -> str:
    """Takes a few steps without saving anything and describes the run in a few lines."""
    run = Run(kind, config)
    lines = [f"device      {run.device} x {run.processes}, {config.loop.precision}"]
    for name, network in run.task.networks.items():
        lines.append(f"network     {name}: {_count(network):,} parameters")
    for name, network in run.task.frozen.items():
        lines.append(f"frozen      {name}: {_count(network):,} parameters")
    for one in run.players:
        moved = sum(parameter.numel() for parameter in one.parameters)
        lines.append(f"player      {one.player.name}: moves {moved:,} parameters")
    batches = run.batches()
    counters, started = Counters(), time.perf_counter()
    for step in range(_WARM_UP + steps):
        if step == _WARM_UP:
            counters, started = Counters(), time.perf_counter()
        waiting = time.perf_counter()
        group = [data.checked(next(batches)) for _ in range(config.loop.accumulate)]
        counters.waited += time.perf_counter() - waiting
        run.take_step(group, Moment(step, 1.0), counters)
        counters.steps += 1
    if run.device.type == "cuda":
        torch.cuda.synchronize(run.device)
    seconds = (time.perf_counter() - started) / steps
    for key, value in group[0].items():
        if isinstance(value, torch.Tensor):
            lines.append(f"batch       {key}: {list(value.shape)} {str(value.dtype).split('.')[-1]}")
    lines.append(f"memory      {_memory(run):.2f} GiB")
    lines.append(
        f"speed       {1 / seconds:.2f} steps/s, {run.per_step / seconds:.1f} examples/s, "
        f"{counters.waited / steps / seconds:.0%} of it waiting for data"
    )
    lines += [f"loss        {name} = {value:.4g}" for name, value in counters.means().items() if "/" in name]
    if config.loop.steps is not None:
        lines.append(
            f"time        {config.loop.steps * seconds / 60:.1f} minutes for {config.loop.steps:,} steps"
        )
    if config.loop.max_minutes is not None:
        possible = int(config.loop.max_minutes * 60 / seconds)
        lines.append(f"time        {possible:,} steps in {config.loop.max_minutes:g} minutes")
    return "\n".join([*lines, *(f"note        {note}" for note in run.task.notes())])


def _count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _memory(run: Run) -> float:
    if run.device.type == "cuda":
        return torch.cuda.max_memory_allocated(run.device) / 2**30
    import psutil

    return psutil.Process().memory_info().rss / 2**30
