"""Cost of a run: parameters, shapes, memory and speed, measured on a few real steps."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from gohd_core.training.framework import data
from gohd_core.training.framework.run import Counters, Run
from gohd_core.training.framework.settings import RunConfig
from gohd_core.training.framework.task import Moment, Task

_WARM_UP = 2


@dataclass(frozen=True)
class Measurement:
    """Measurements of a few steps.

    Attributes:
        parameters: of each network that is trained or looked through, by name.
        moved: parameters that each player moves.
        shapes: of a batch's tensors, as text.
        memory: GiB, the peak on a GPU, else the process's memory.
        losses: mean of every loss term and gradient norm.
    """

    device: str
    parameters: dict[str, int]
    moved: dict[str, int]
    shapes: dict[str, str]
    memory: float
    seconds_per_step: float
    examples_per_step: int
    wait_share: float
    losses: dict[str, float]
    notes: tuple[str, ...]


def measure(kind: type[Task], config: RunConfig, *, steps: int = 5) -> Measurement:
    """Takes a few steps with every player awake, without saving anything."""
    run = Run(kind, config)
    batches = run.batches()
    if run.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(run.device)
    for step in range(-_WARM_UP, steps):
        if step <= 0:
            _synchronise(run)
            counters = Counters()
        waiting = time.perf_counter()
        group = [data.checked(next(batches)) for _ in range(config.loop.accumulate)]
        waited = time.perf_counter() - waiting
        run.take_step(group, Moment(run.step, 1.0), counters)
        counters.step_done(waited)
    _synchronise(run)
    means = counters.means()
    networks = {**run.task.networks, **{f"{name} (frozen)": n for name, n in run.task.frozen.items()}}
    tensors = {key: value for key, value in group[0].items() if isinstance(value, torch.Tensor)}
    return Measurement(
        device=f"{run.device} x {run.processes}",
        parameters={name: sum(p.numel() for p in network.parameters()) for name, network in networks.items()},
        moved={one.player.name: sum(p.numel() for p in one.parameters) for one in run.players},
        shapes={key: f"{list(t.shape)} {str(t.dtype).split('.')[-1]}" for key, t in tensors.items()},
        memory=_memory(run),
        seconds_per_step=1 / means["steps_per_second"],
        examples_per_step=run.per_step,
        wait_share=means["wait_share"],
        losses={name: value for name, value in means.items() if "/" in name and not name.endswith("rate")},
        notes=tuple(run.task.notes()),
    )


def dry_run(kind: type[Task], config: RunConfig) -> str:
    """Report of `measure`, with the run's duration, in lines for people."""
    found, loop = measure(kind, config), config.loop
    seconds = found.seconds_per_step
    lines = [f"device      {found.device}, {loop.precision}"]
    lines += [f"network     {name}: {count:,} parameters" for name, count in found.parameters.items()]
    lines += [f"player      {name} moves {count:,} parameters" for name, count in found.moved.items()]
    lines += [f"batch       {name}: {shape}" for name, shape in found.shapes.items()]
    lines += [
        f"memory      {found.memory:.2f} GiB",
        f"speed       {1 / seconds:.2f} steps/s, {found.examples_per_step / seconds:.1f} examples/s, "
        f"{found.wait_share:.0%} of the time waiting for data",
    ]
    lines += [f"loss        {name} = {value:.4g}" for name, value in found.losses.items()]
    if loop.steps is not None:
        lines.append(f"time        {loop.steps * seconds / 60:.1f} minutes for {loop.steps:,} steps")
    if loop.max_minutes is not None:
        possible = int(loop.max_minutes * 60 / seconds)
        lines.append(f"time        {possible:,} steps in {loop.max_minutes:g} minutes")
    return "\n".join([*lines, *(f"note        {note}" for note in found.notes)])


def _synchronise(run: Run) -> None:
    if run.device.type == "cuda":
        torch.cuda.synchronize(run.device)


def _memory(run: Run) -> float:
    if run.device.type == "cuda":
        return torch.cuda.max_memory_allocated(run.device) / 2**30
    import psutil

    return psutil.Process().memory_info().rss / 2**30
