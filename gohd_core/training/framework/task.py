"""Base class of trainers: networks, examples, losses, pictures and exports."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from gohd_core.training.framework.config import Weight, is_on
from gohd_core.training.framework.settings import OptimiserConfig, RunConfig

Batch = dict[str, Any]
"""Examples stacked along a first axis [B, ...], on the device; "clip" is the list of their names and
"draw" [B] their numbers."""

Draw = Callable[[Any, np.random.Generator], dict[str, Any]]
"""One example from an open clip (`gohd_core.clips.Clip`). All randomness of an example comes from the
generator given, so that it depends on the seed and its number alone. It must be picklable: a frozen
dataclass with `__call__`, say, and no reference to the task."""


class Terms(dict[str, tuple[float, Tensor]]):
    """Loss terms of one player on one batch: name -> (weight, value []).

    Values are logged as they are; the sum of weight * value is minimised.
    """

    def add(self, name: str, weight: Weight, value: Tensor | Callable[[], Tensor]) -> None:
        """Adds a term where its weight is on; a function is called only then."""
        if is_on(weight):
            self[name] = (float(weight), value() if callable(value) else value)

    def watch(self, name: str, value: Tensor) -> None:
        """Logs a value without minimising it."""
        self[name] = (0.0, value.detach())

    def total(self) -> Tensor | None:
        """The weighted sum []; None when there is nothing to minimise."""
        parts = [weight * value.float() for weight, value in self.values() if weight != 0]
        return torch.stack(parts).sum() if parts else None


@dataclass(frozen=True)
class Moment:
    """When in a run: optimiser steps done, and the share of the run that is done, in [0, 1]."""

    step: int
    fraction: float


@dataclass(frozen=True)
class Player:
    """One side of the training: parameters with their own loss and optimiser.

    Attributes:
        name: "generator", "discriminator"; `Task.losses` is called with it.
        parameters: the parameters that it moves, or dicts {"params": [...], "scale": learning rate scale}.
        optimiser: settings of its optimiser.
        starts_at: share of the run before which it rests (a late adversarial loss, say).
    """

    name: str
    parameters: Sequence[nn.Parameter] | Sequence[dict[str, Any]]
    optimiser: OptimiserConfig
    starts_at: float = 0.0

    def groups(self) -> list[dict[str, Any]]:
        """Parameter groups, each with its learning rate scale."""
        given = list(self.parameters)
        if given and isinstance(given[0], Mapping):
            return [{"scale": 1.0, **group, "params": list(group["params"])} for group in given]
        return [{"params": given, "scale": 1.0}]


@dataclass(frozen=True)
class Sample:
    """A clip to watch: frames [T, 3, H, W] in [-1, 1] at 25 fps, its sound [N] at 16 kHz or None."""

    frames: Tensor
    audio: Tensor | None = None


@dataclass(frozen=True)
class Export:
    """A network that a run gives: the component's name (`components.COMPONENTS`), class and config."""

    component: str
    network: nn.Module
    config: Any
    space: str
    info: Mapping[str, Any] = field(default_factory=dict)


class Task(ABC):
    """One module's training. The loop calls these methods; a trainer is a subclass.

    `networks` holds everything that is trained, by name: it is what checkpoints hold. Frozen feature
    networks are kept elsewhere (`frozen`): they are moved to the device, never saved, never trained.
    The constructor runs with the seed set, so that weights depend on the seed alone.
    """

    Config: ClassVar[type[RunConfig]] = RunConfig
    """The dataclass of the trainer's config, complete with defaults."""

    averaged: ClassVar[tuple[str, ...]] = ()
    """Names in `networks` whose weights are averaged (EMA); () means all those of the first player."""

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self.networks = nn.ModuleDict()
        self.frozen = nn.ModuleDict()
        self.device = torch.device("cpu")

    @abstractmethod
    def players(self) -> Sequence[Player]:
        """Players of the training, in the order in which their losses are computed within a step."""

    @abstractmethod
    def draw(self, split: str) -> Draw:
        """The sampler of one example from a clip of that split ("train" or "validation")."""

    @abstractmethod
    def losses(self, player: str, batch: Batch, moment: Moment) -> Terms:
        """The loss terms of one player on a batch.

        Players of one step see the same batch in turn and are updated together afterwards, so that
        the generator may keep its (detached) output on `self` for the discriminator.
        Gradients reach that player's parameters only; nothing else need be frozen here.
        """

    def dataset(self, split: str) -> Dataset | None:
        """The examples of a split by number; None takes `draw` on the clips of `data.folders`."""
        return None

    def notes(self) -> Iterable[str]:
        """Sentences for the head of the log, on losses that are off, say."""
        return ()

    def after_step(self, moment: Moment) -> None:  # noqa: B027 (most tasks need none)
        """Called when the weights have moved."""

    def validate(self, batches: Sequence[Batch], moment: Moment) -> dict[str, float]:
        """Figures on held-out batches, with the averaged weights in place: the first player's terms."""
        first = self.players()[0].name
        sums: dict[str, float] = {}
        for batch in batches:
            for name, (_, value) in self.losses(first, batch, moment).items():
                sums[name] = sums.get(name, 0.0) + float(value) / len(batches)
        return sums

    def pictures(self, batch: Batch) -> dict[str, np.ndarray]:
        """Pictures u8 [H, W, 3] to look at, by name (see `training.framework.image_grids`)."""
        return {}

    def samples(self, batch: Batch) -> dict[str, Sample]:
        """Clips to watch and listen to, by name."""
        return {}

    def exports(self) -> Sequence[Export]:
        """The networks that the run is for, with the averaged weights in place."""
        return ()

    def averaged_networks(self) -> dict[str, nn.Module]:
        """The networks whose weights are averaged."""
        if self.averaged:
            return {name: self.networks[name] for name in self.averaged}
        mine = {id(p) for group in self.players()[0].groups() for p in group["params"]}
        return {
            name: network
            for name, network in self.networks.items()
            if any(id(p) in mine for p in network.parameters())
        }
