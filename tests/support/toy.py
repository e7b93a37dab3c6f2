"""A task small enough to train in a second, for the tests of the framework: a line fitted to points."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset

from gohd_core.training.framework.config import Weight
from gohd_core.training.framework.settings import DataConfig, LoopConfig, OptimiserConfig, RunConfig
from gohd_core.training.framework.task import Moment, Player, Sample, Task, Terms


@dataclass(frozen=True)
class ToyLosses:
    square: Weight = 1.0
    absolute: Weight = "off"


@dataclass(frozen=True)
class ToyConfig(RunConfig):
    data: DataConfig = field(default_factory=lambda: DataConfig(batch=4, validation_batches=1))
    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            steps=12, device="cpu", ema=0.9, log_every=1, checkpoint_every=4, checkpoint_minutes=None
        )
    )
    optimiser: OptimiserConfig = field(
        default_factory=lambda: OptimiserConfig(learning_rate=0.05, schedule="cosine", warmup_steps=3)
    )
    critic: OptimiserConfig = field(default_factory=lambda: OptimiserConfig(learning_rate=0.01))
    losses: ToyLosses = field(default_factory=ToyLosses)
    width: int = 8
    dropout: float = 0.1
    bad_number: int = -1
    critic_starts_at: float = 0.5


class Points(Dataset):
    """Points (x [3], y [1]) by number; point `bad_number` is not finite."""

    def __init__(self, config: ToyConfig) -> None:
        self.config = config

    def __getitem__(self, number: int) -> dict:
        rng = np.random.default_rng([self.config.loop.seed, number])
        x = rng.standard_normal(3).astype(np.float32)
        y = np.array([x.sum()], dtype=np.float32)
        if number == self.config.bad_number:
            y[:] = np.nan
        return {"x": x, "y": y, "clip": f"point{number}", "draw": number, "skipped": []}


class ToyTask(Task):
    """A small network with dropout, and a critic that only looks on."""

    Config = ToyConfig
    averaged = ("line",)

    def __init__(self, config: ToyConfig) -> None:
        super().__init__(config)
        width = config.width
        self.networks["line"] = nn.Sequential(
            nn.Linear(3, width), nn.Tanh(), nn.Dropout(config.dropout), nn.Linear(width, 1)
        )
        self.networks["critic"] = nn.Linear(1, 1)

    def players(self):
        return (
            Player("line", list(self.networks["line"].parameters()), self.config.optimiser),
            Player(
                "critic",
                list(self.networks["critic"].parameters()),
                self.config.critic,
                starts_at=self.config.critic_starts_at,
            ),
        )

    def draw(self, split):
        raise NotImplementedError

    def dataset(self, split):
        return Points(self.config)

    def losses(self, player: str, batch, moment: Moment) -> Terms:
        terms = Terms()
        if player == "line":
            self.guess = self.networks["line"](batch["x"])
            error = self.guess - batch["y"]
            terms.add("square", self.config.losses.square, error.square().mean())
            terms.add("absolute", self.config.losses.absolute, lambda: error.abs().mean())
            judged = self.networks["critic"](self.guess)
            terms.add("judged", 0.01, judged.square().mean())
            terms.watch("mean", error.mean())
        else:
            judged = self.networks["critic"](self.guess.detach())
            terms.add("error", 1.0, (judged - (self.guess.detach() - batch["y"]).abs()).square().mean())
        return terms

    def pictures(self, batch):
        return {"points": np.full((8, 8, 3), 128, np.uint8)}

    def samples(self, batch):
        return {"beep": Sample(torch.zeros(25, 3, 16, 16), torch.zeros(16000))}


def flat(task: Task) -> torch.Tensor:
    """All weights of a task in one vector."""
    return torch.cat([p.detach().flatten() for p in task.networks.parameters()])
