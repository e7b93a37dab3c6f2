"""The settings that every trainer shares; a trainer's own config is a dataclass that extends `RunConfig`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from gohd_core.constants import STYLISED
from gohd_core.errors import BadInput


@dataclass(frozen=True)
class DataConfig:
    """Sampling of clips.

    Attributes:
        folders: data sets in the clip format (`gohd_core.clips`), drawn from as one; `--data` sets them.
        space: coefficient space that the clips must have.
        batch: examples per process and micro-step; a step sees batch * loop.accumulate * processes.
        workers: loader processes per training process; 0 loads in the training process itself.
        prefetch: batches that each worker prepares ahead.
        bad_clips: a clip that can't be used stops the run by name, or is skipped and counted.
        validation_batches: batches drawn once from the validation split, the same at every validation.
        cache_features: keep audio features beside the clips, so that each is computed once.
    """

    folders: tuple[str, ...] = ()
    space: str = STYLISED
    batch: int = 8
    workers: int = 0
    prefetch: int = 4
    bad_clips: Literal["stop", "skip"] = "stop"
    validation_batches: int = 4
    cache_features: bool = True

    def __post_init__(self) -> None:
        if self.batch < 1 or self.workers < 0 or self.prefetch < 1:
            raise BadInput("data.batch and data.prefetch must be at least 1, data.workers at least 0.")


@dataclass(frozen=True)
class OptimiserConfig:
    """One player's optimiser and its schedule.

    The learning rate rises linearly over `warmup_steps`; then it stays, or falls as half a cosine (or
    a line) over the share of the run that is done, to `final_scale` times its peak.
    """

    kind: Literal["adam", "adamw"] = "adam"
    learning_rate: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    clip_norm: float | None = None
    warmup_steps: int = 0
    schedule: Literal["constant", "cosine", "linear"] = "constant"
    final_scale: float = 0.0


@dataclass(frozen=True)
class LoopConfig:
    """Length, precision and intervals of a run.

    Attributes:
        steps: optimiser steps of the whole run; null when minutes alone end it.
        max_minutes: wall-clock budget of the whole run, resumed parts included; null for none.
            With both, the run ends at whichever comes first, and schedules follow that one.
        pause_after_minutes: this process saves and ends after so long; `--resume` continues.
        precision: "bf16" runs the networks under autocast; weights and optimisers stay fp32.
        compile: torch.compile for the networks' forward passes.
        ema: decay of the averaged weights that are validated and exported; 0 switches them off.
        bad_loss: a loss or gradient that is not finite stops the run, or its step is skipped.
        log_every, validate_every, picture_every, sample_every: in steps; 0 is never.
        checkpoint_every: in steps; checkpoint_minutes: in minutes; a killed run loses at most one.
        keep: how many checkpoints remain.
    """

    steps: int | None = 1000
    max_minutes: float | None = None
    pause_after_minutes: float | None = None
    accumulate: int = 1
    precision: Literal["fp32", "bf16"] = "fp32"
    device: Literal["auto", "cpu"] = "auto"
    compile: bool = False
    seed: int = 0
    ema: float = 0.0
    bad_loss: Literal["stop", "skip"] = "stop"
    log_every: int = 20
    validate_every: int = 0
    picture_every: int = 0
    sample_every: int = 0
    checkpoint_every: int = 500
    checkpoint_minutes: float | None = 10.0
    keep: int = 2

    def __post_init__(self) -> None:
        if self.accumulate < 1 or self.keep < 1:
            raise BadInput("loop.accumulate and loop.keep must be at least 1.")
        if not 0 <= self.ema < 1:
            raise BadInput(f"loop.ema must be in [0, 1), but is {self.ema}; 0.999 is usual.")


@dataclass(frozen=True)
class RunConfig:
    """Base config of every trainer; trainers add their network, losses and features."""

    data: DataConfig = field(default_factory=DataConfig)
    loop: LoopConfig = field(default_factory=LoopConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
