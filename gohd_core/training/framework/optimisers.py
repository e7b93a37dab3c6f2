"""Optimisers, their schedules, gradients averaged over processes, and averaged weights (EMA)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from gohd_core.errors import BadCheckpoint, BadInput
from gohd_core.training.framework.settings import OptimiserConfig
from gohd_core.training.framework.task import Moment, Player

_BUCKET = 16_000_000
"""Gradient values reduced at a time."""


def learning_rate_scale(config: OptimiserConfig, moment: Moment) -> float:
    """Factor on the learning rate: linear warm-up over steps, then the schedule over the run's share."""
    warm = min((moment.step + 1) / config.warmup_steps, 1.0) if config.warmup_steps else 1.0
    if config.schedule == "constant":
        return warm
    left = 1 - min(moment.fraction, 1.0)
    if config.schedule == "cosine":
        left = 0.5 - 0.5 * math.cos(math.pi * left)
    return warm * (config.final_scale + (1 - config.final_scale) * left)


class PlayerOptimiser:
    """One player with its optimiser: backward into its parameters alone, clip, step."""

    def __init__(self, player: Player, accelerator: Any) -> None:
        self.player, self.config, self.accelerator = player, player.optimiser, accelerator
        groups = player.groups()
        self.parameters = [p for group in groups for p in group["params"] if p.requires_grad]
        if not self.parameters:
            raise BadInput(f"The player {player.name!r} has no parameters that can be trained.")
        kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[self.config.kind]
        self.optimiser = kind(
            [{**group, "params": [p for p in group["params"] if p.requires_grad]} for group in groups],
            lr=self.config.learning_rate,
            betas=self.config.betas,
            eps=self.config.epsilon,
            weight_decay=self.config.weight_decay,
            fused=accelerator.device.type == "cuda",
        )

    def backward(self, loss: Tensor) -> None:
        """Adds the loss's gradients to this player's parameters and to nothing else."""
        self.accelerator.backward(loss, inputs=self.parameters)

    def finish_gradients(self) -> Tensor:
        """Averages gradients over processes and clips them; returns their norm [] before clipping."""
        average_gradients(self.parameters, self.accelerator)
        limit = math.inf if self.config.clip_norm is None else self.config.clip_norm
        return nn.utils.clip_grad_norm_(self.parameters, limit)

    def step(self, moment: Moment) -> float:
        """Moves the parameters; returns the learning rate of the first group."""
        scale = self.config.learning_rate * learning_rate_scale(self.config, moment)
        for group in self.optimiser.param_groups:
            group["lr"] = scale * group["scale"]
        self.optimiser.step()
        return scale

    def zero(self) -> None:
        """Forgets the gradients."""
        self.optimiser.zero_grad(set_to_none=True)

    def state(self) -> dict[str, Any]:
        """State of the optimiser without its settings, which come from the config."""
        return self.optimiser.state_dict()["state"]

    def load_state(self, state: Mapping[Any, Any]) -> None:
        """Puts back what `state` gave."""
        whole = self.optimiser.state_dict()
        self.optimiser.load_state_dict({**whole, "state": dict(state)})


def average_gradients(parameters: list[nn.Parameter], accelerator: Any) -> None:
    """The mean of every gradient over all processes.

    Done here and not by DistributedDataParallel, because that sees gradients of one `forward` only,
    while tasks call several methods of several networks for several players in one step.
    """
    if accelerator.num_processes == 1:
        return
    device = accelerator.device
    present = torch.tensor([p.grad is not None for p in parameters], dtype=torch.float32, device=device)
    anywhere = accelerator.reduce(present, reduction="sum").tolist()
    used = [p for p, count in zip(parameters, anywhere, strict=True) if count]
    bucket: list[nn.Parameter] = []
    for parameter in [*used, None]:
        if parameter is not None:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            bucket.append(parameter)
        if bucket and (parameter is None or sum(p.numel() for p in bucket) >= _BUCKET):
            flat = torch.cat([p.grad.flatten() for p in bucket])
            flat = accelerator.reduce(flat, reduction="mean")
            for p, mean in zip(bucket, flat.split([p.numel() for p in bucket]), strict=True):
                p.grad.copy_(mean.view_as(p.grad))
            bucket = []


class Ema:
    """Exponential moving average of networks' weights and buffers; whole-number ones are copied.

    The decay rises with the steps, min(decay, (1 + step) / (10 + step)), so that the first weights
    are forgotten soon.
    """

    def __init__(self, networks: Mapping[str, nn.Module], decay: float) -> None:
        self.networks, self.decay = dict(networks), decay
        self.average = {key: value.detach().clone() for key, value in self._live().items()}

    def _live(self) -> dict[str, Tensor]:
        return {
            f"{name}.{key}": value
            for name, network in self.networks.items()
            for key, value in network.state_dict().items()
        }

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Moves the average towards the weights after `step` steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        floats, targets = [], []
        for key, value in self._live().items():
            if value.is_floating_point():
                floats.append(self.average[key])
                targets.append(value.detach())
            else:
                self.average[key].copy_(value)
        torch._foreach_lerp_(floats, targets, 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Puts the averaged weights into the networks for a while."""
        live = self._live()
        kept = {key: value.detach().clone() for key, value in live.items()}
        with torch.no_grad():
            for key, value in live.items():
                value.copy_(self.average[key])
        try:
            yield
        finally:
            with torch.no_grad():
                for key, value in live.items():
                    value.copy_(kept[key])

    def load(self, average: Mapping[str, Tensor]) -> None:
        """Puts back an `average`."""
        if average.keys() != self.average.keys():
            raise BadCheckpoint("The checkpoint's averaged weights belong to another network.")
        for key, value in average.items():
            self.average[key].copy_(value)
