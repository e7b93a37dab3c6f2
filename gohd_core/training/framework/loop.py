"""The training loop, the same for every module: one CPU, one GPU, many GPUs or many machines."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import torch

from gohd_core.errors import BadInput, Interrupted, MissingDependency
from gohd_core.training.framework import data
from gohd_core.training.framework.checkpointing import Checkpoints
from gohd_core.training.framework.config import as_dict, save_config
from gohd_core.training.framework.export import write_exports
from gohd_core.training.framework.log import RunLog
from gohd_core.training.framework.run import Counters, Run
from gohd_core.training.framework.schedule import Pace, StopSignals
from gohd_core.training.framework.settings import RunConfig
from gohd_core.training.framework.task import Batch, Moment, Task

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Summary:
    """End of a run: "finished", or "paused" (then resuming goes on).

    Attributes:
        wait_share: share of the time that was spent waiting for data.
        figures: the last validation's.
        exported: weights files written.
    """

    step: int
    reason: str
    seconds: float
    wait_share: float
    figures: dict[str, float]
    exported: list[Path] = field(default_factory=list)


def train(
    kind: type[Task],
    config: RunConfig,
    out: str | Path,
    *,
    resume: bool = False,
    export_only: bool = False,
    command: str = "",
    should_stop: Callable[[], bool] | None = None,
) -> Summary:
    """Trains a task into the folder `out` and exports its networks there.

    A run that is stopped (by a signal, `loop.pause_after_minutes` or `should_stop`) saves first;
    `resume` goes on from the newest checkpoint, to the same losses as without the interruption.
    `should_stop` raises `Interrupted` once saved. Raises `BadInput` for an impossible config.
    """
    out = Path(out)
    if config.loop.sample_every and find_spec("av") is None:
        raise MissingDependency("Sample clips need PyAV: pip install av, or set loop.sample_every=0.")
    run = Run(kind, config)
    checkpoints = Checkpoints(out / "checkpoints", config.loop.keep)
    resumed = _begin(run, checkpoints, resume or export_only)
    before, batches = run.clips, run.batches()
    pace = Pace(config.loop, run.accelerator, step=run.step, seconds=run.seconds)
    held_out = _held_out(run)
    figures: dict[str, float] = {}
    overall, recent, stopped, pause = Counters(), Counters(), False, False
    with _open_log(run, out, resumed, before) as log, StopSignals() as signals:
        fraction = 1.0 if export_only else pace.decide(run.step, asked=False)[0]
        while fraction < 1 and not pause:
            waiting = time.perf_counter()
            group = [data.checked(next(batches)) for _ in range(config.loop.accumulate)]
            waited = time.perf_counter() - waiting
            run.take_step(group, Moment(run.step, fraction), recent)
            for counters in (overall, recent):
                counters.step_done(waited)

            stopped = should_stop is not None and should_stop()
            fraction, save, pause = pace.decide(run.step, signals.asked or stopped)
            last = fraction >= 1
            _tell(run, log, group, pace)
            if last or _due(run.step, config.loop.log_every):
                _write_scalars(run, log, recent)
                recent = Counters()
            if held_out and (last or _due(run.step, config.loop.validate_every)):
                figures = _validate(run, held_out, fraction, log)
            _show(run, (held_out or group)[0], log)
            if last or save or pause:
                _save(run, checkpoints, pace)

        exported = []
        if fraction >= 1 and run.rank == 0:
            if export_only and held_out:
                figures = _validate(run, held_out, fraction, log)
            with run.averaged():
                exported = write_exports(run, out, figures, command)
        reason = "finished" if fraction >= 1 else "paused"
        share = overall.means()["wait_share"]
        log.event(reason, run.step, seconds=pace.seconds, wait_share=share, skipped=run.skipped)
        run.accelerator.wait_for_everyone()
    if reason == "paused" and stopped:
        raise Interrupted(f"Training was stopped at step {run.step}; resume goes on from there.")
    return Summary(run.step, reason, pace.seconds, share, figures, exported)


def _begin(run: Run, checkpoints: Checkpoints, resume: bool) -> Path | None:
    """Loads the newest checkpoint where asked to; refuses to overwrite an older run."""
    existing = checkpoints.paths()
    if existing and not resume:
        raise BadInput(
            f"{checkpoints.folder.parent} already holds a run (at {existing[-1].stem}); add --resume to "
            "go on with it, or give another --out."
        )
    found = checkpoints.load_latest() if resume else None
    if found:
        run.load(found[1])
    return found[0] if found else None


def _open_log(run: Run, out: Path, resumed: Path | None, clips: int | None) -> RunLog:
    loop = run.config.loop
    log = RunLog(
        out,
        active=run.rank == 0,
        total=loop.steps if loop.steps is not None else loop.max_minutes * 60,
        done=_position(run, run.seconds),
        unit="step" if loop.steps is not None else "s",
        bar=sys.stderr.isatty(),
    )
    if run.rank == 0:
        save_config(out / "config.yaml", run.config)
    log.event("resumed" if resumed else "started", run.step, clips=run.clips, config=as_dict(run.config))
    if resumed:
        log.say(run.step, f"Resumed from {resumed}.")
        if clips != run.clips:
            log.say(run.step, f"There were {clips} clips and now are {run.clips}: their order is another.")
    for note in run.task.notes():
        log.say(run.step, note)
    return log


def _held_out(run: Run) -> list[Batch]:
    """Validation batches on the device, on the first process alone."""
    if run.rank != 0 or not run.config.data.validation_batches:
        return []
    examples = run.examples("validation")
    if examples is None:
        _log.info("There is no validation split, so there are no validation figures.")
        return []
    batches = data.fixed_batches(examples, run.config.data)
    return [data.to_device(batch, run.device) for batch in batches]


def _validate(run: Run, batches: list[Batch], fraction: float, log: RunLog) -> dict[str, float]:
    with run.averaged(), run.autocast():
        figures = run.task.validate(batches, Moment(run.step, fraction))
    log.scalars("validation", run.step, figures)
    return figures


def _show(run: Run, batch: Batch, log: RunLog) -> None:
    """Pictures and samples, on the first process, when they are due."""
    pictures = _due(run.step, run.config.loop.picture_every)
    samples = _due(run.step, run.config.loop.sample_every)
    if run.rank != 0 or not (pictures or samples):
        return
    batch = data.to_device(batch, run.device)
    with run.averaged(), run.autocast():
        if pictures:
            log.pictures(run.step, run.task.pictures(batch))
        if samples:
            log.samples(run.step, run.task.samples(batch))


def _save(run: Run, checkpoints: Checkpoints, pace: Pace) -> None:
    run.seconds = pace.seconds
    state = run.state()
    if run.rank == 0:
        checkpoints.save(run.step, state)
    pace.saved(run.step)


def _write_scalars(run: Run, log: RunLog, recent: Counters) -> None:
    means = recent.means()
    means["examples_per_second"] = means["steps_per_second"] * run.per_step
    means["skipped_clips"] = run.skipped["clips"]
    means["skipped_steps"] = run.skipped["steps"]
    if run.device.type == "cuda":
        means["memory_gib"] = torch.cuda.max_memory_allocated(run.device) / 2**30
    log.scalars("train", run.step, means)


def _tell(run: Run, log: RunLog, group: list[Batch], pace: Pace) -> None:
    """Moves the bar, and counts and names the clips that were skipped."""
    log.progress(_position(run, pace.seconds))
    for sentence in (sentence for batch in group for sentence in batch.get("skipped", ())):
        run.skipped["clips"] += 1
        log.say(run.step, f"Skipped: {sentence}")


def _position(run: Run, seconds: float) -> float:
    """Position of the bar: steps where they end the run, else seconds."""
    return run.step if run.config.loop.steps is not None else seconds


def _due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0
