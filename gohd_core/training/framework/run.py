"""State of a training run: the task with its data position, optimisers, averages and generators."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gohd_core.errors import BadInput, MissingDependency
from gohd_core.training.framework import data
from gohd_core.training.framework.checkpointing import rng_state, set_rng_state
from gohd_core.training.framework.config import as_dict
from gohd_core.training.framework.optimisers import Ema, PlayerOptimiser
from gohd_core.training.framework.settings import RunConfig
from gohd_core.training.framework.task import Batch, Moment, Task


@dataclass
class Counters:
    """Sums of the log between two lines."""

    began: float = field(default_factory=time.perf_counter)
    waited: float = 0.0
    steps: int = 0
    sums: dict[str, Tensor] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, value: Tensor | float) -> None:
        """Adds a value to the mean of a name, without waiting for the device."""
        self.sums[name] = self.sums.get(name, 0.0) + (
            value.detach().float() if isinstance(value, Tensor) else value
        )
        self.counts[name] = self.counts.get(name, 0) + 1

    def step_done(self, waited: float) -> None:
        """Counts a step that waited so many seconds for its data."""
        self.steps += 1
        self.waited += waited

    def means(self) -> dict[str, float]:
        """Mean of every name, steps per second, and the share of time spent waiting for data."""
        seconds = max(time.perf_counter() - self.began, 1e-9)
        return {
            **{name: float(total) / self.counts[name] for name, total in self.sums.items()},
            "steps_per_second": self.steps / seconds,
            "wait_share": min(self.waited / seconds, 1.0),
        }


class Run:
    """State of one run of a task: data position, optimisers, averages, random generators."""

    def __init__(self, kind: type[Task], config: RunConfig) -> None:
        self.config = config
        self.accelerator = make_accelerator(config)
        self.device = self.accelerator.device
        self.rank, self.processes = self.accelerator.process_index, self.accelerator.num_processes
        seed_everything(config.loop.seed)
        self.task = kind(config)
        self.task.device = self.device
        self.task.networks.to(self.device)
        self.task.frozen.to(self.device).eval().requires_grad_(False)
        if self.processes > 1:
            self._share_weights()
        self.players = [PlayerOptimiser(player, self.accelerator) for player in self.task.players()]
        self.ema = Ema(self.task.averaged_networks(), config.loop.ema) if config.loop.ema else None
        if config.loop.compile:
            for network in self.task.networks.values():
                network.compile()
        seed_everything(config.loop.seed + 1 + self.rank)
        self.step = 0
        self.seconds = 0.0
        self.skipped = {"clips": 0, "steps": 0}
        self.clips: int | None = None

    @property
    def per_step(self) -> int:
        """Examples that one optimiser step sees, over all processes."""
        return self.config.data.batch * self.config.loop.accumulate * self.processes

    def examples(self, split: str) -> Any | None:
        """The examples of a split by number, or None when there are none."""
        own = self.task.dataset(split)
        if own is not None:
            return own
        config = self.config
        return data.clip_examples(config.data, self.task.draw(split), seed=config.loop.seed, split=split)

    def batches(self) -> Any:
        """Endless micro-batches of this process, from where the run stands."""
        examples = self.examples("train")
        self.clips = len(examples.clips) if isinstance(examples, data.ClipExamples) else None
        return data.loader(
            examples,
            self.config.data,
            start=self.step * self.per_step,
            rank=self.rank,
            processes=self.processes,
            pin=self.device.type == "cuda",
        )

    def take_step(self, batches: Sequence[Batch], moment: Moment, counters: Counters) -> None:
        """One optimiser step of every player that is awake, on `loop.accumulate` micro-batches."""
        awake = [one for one in self.players if moment.fraction >= one.player.starts_at]
        totals = []
        for batch in batches:
            batch = data.to_device(batch, self.device)
            for one in awake:
                with self.autocast():
                    terms = self.task.losses(one.player.name, batch, moment)
                for name, (_, value) in terms.items():
                    counters.add(f"{one.player.name}/{name}", value)
                total = terms.total()
                if total is None:
                    raise BadInput(
                        f"Every loss of the {one.player.name} is off, so it would learn nothing; "
                        "switch one on."
                    )
                one.backward(total / len(batches))
                totals.append(total.detach())
        norms = [one.finish_gradients() for one in awake]
        if self._all_finite([*totals, *norms], batches):
            for one, norm in zip(awake, norms, strict=True):
                counters.add(f"{one.player.name}/gradient_norm", norm)
                counters.add(f"{one.player.name}/learning_rate", one.step(moment))
        for one in self.players:
            one.zero()
        self.step += 1
        if self.ema:
            self.ema.update(self.step)
        self.task.after_step(Moment(self.step, moment.fraction))

    def autocast(self) -> Any:
        """bf16 where the config wants it."""
        on = self.config.loop.precision == "bf16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=on)

    def state(self) -> dict[str, Any]:
        """Everything that resuming needs; collective, so that every process must call it."""
        return {
            "step": self.step,
            "seconds": self.seconds,
            "skipped": self.skipped,
            "networks": self.task.networks.state_dict(),
            "ema": self.ema.average if self.ema else None,
            "optimisers": {one.player.name: one.state() for one in self.players},
            "generators": self._from_all([rng_state(self.device)]),
            "clips": self.clips,
            "config": as_dict(self.config),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Puts a run where `state` left it."""
        try:
            self.task.networks.load_state_dict(state["networks"])
        except RuntimeError as error:
            raise BadInput(
                "The checkpoint holds networks of other shapes than this config builds; resume with the "
                f"run's own config, or begin in another folder ({' '.join(str(error).split())[:300]})."
            ) from error
        if self.ema and state["ema"] is not None:
            self.ema.load(state["ema"])
        for one in self.players:
            if one.player.name in state["optimisers"]:
                one.load_state(state["optimisers"][one.player.name])
        self.step, self.seconds = state["step"], state["seconds"]
        self.skipped, self.clips = dict(state["skipped"]), state["clips"]
        if self.rank < len(state["generators"]):
            set_rng_state(state["generators"][self.rank], self.device)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The averaged weights in place, in evaluation mode, without gradients, for a while.

        Random generators start from the seed, so that figures compare, and go on afterwards as if
        nothing had been.
        """
        kept = rng_state(self.device)
        seed_everything(self.config.loop.seed)
        self.task.networks.eval()
        try:
            with torch.no_grad(), self.ema.in_place() if self.ema else nullcontext():
                yield
        finally:
            self.task.networks.train()
            set_rng_state(kept, self.device)

    def _from_all(self, items: list[Any]) -> list[Any]:
        """The items of all processes, in the order of their ranks."""
        if self.processes == 1:
            return items
        from accelerate.utils import gather_object

        return gather_object(items)

    def _share_weights(self) -> None:
        from accelerate.utils import broadcast

        for tensor in self.task.networks.state_dict().values():
            tensor.copy_(broadcast(tensor))
        if self.device.type == "cuda":
            for name, network in self.task.networks.items():
                self.task.networks[name] = torch.nn.SyncBatchNorm.convert_sync_batchnorm(network)

    def _all_finite(self, values: Sequence[Tensor], batches: Sequence[Batch]) -> bool:
        good = torch.isfinite(torch.stack([value.float() for value in values])).all()
        if self.processes > 1:
            good = self.accelerator.reduce(good.float(), reduction="mean") == 1
        if good:
            return True
        if self.config.loop.bad_loss == "stop":
            names = sorted(set(self._from_all([n for batch in batches for n in batch.get("clip", ())])))
            raise BadInput(
                f"The loss at step {self.step} is not a finite number; the clips of the batch were "
                f"{', '.join(names) or 'not named'}. Look at them, lower the learning rate, or set "
                "loop.bad_loss=skip."
            )
        self.skipped["steps"] += 1
        return False


def make_accelerator(config: RunConfig) -> Any:
    """Accelerate's view of this process: its device, and the others if it was launched with others."""
    try:
        from accelerate import Accelerator
    except ImportError as error:
        raise MissingDependency("Training runs under accelerate: pip install accelerate.") from error
    return Accelerator(cpu=config.loop.device == "cpu", mixed_precision="no")


def seed_everything(seed: int) -> None:
    """Seeds the generators of python, numpy and torch."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
