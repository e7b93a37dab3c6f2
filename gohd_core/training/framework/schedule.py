"""Schedule of a run: progress, saves and stops, by steps, by the clock, or by a signal."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

import torch

from gohd_core.errors import BadInput
from gohd_core.training.framework.settings import LoopConfig


class StopSignals:
    """While entered, SIGTERM and Ctrl-C ask the run to save and end instead of killing it."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: Any) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, *_: Any) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


class Pace:
    """The clock of a run. All processes follow the first one's, so that they end at the same step."""

    def __init__(self, config: LoopConfig, accelerator: Any, *, step: int, seconds: float) -> None:
        if config.steps is None and config.max_minutes is None:
            raise BadInput("A run needs an end: set loop.steps or loop.max_minutes.")
        self.config, self.accelerator = config, accelerator
        self.started = time.perf_counter()
        self.before = seconds
        self.saved_at, self.saved_step = self.started, step

    @property
    def seconds(self) -> float:
        """Seconds of training, those before resuming included."""
        return self.before + time.perf_counter() - self.started

    def fraction(self, step: int) -> float:
        """Share of the run that is done: of its steps or of its minutes, whichever is further."""
        shares = [0.0]
        if self.config.steps is not None:
            shares.append(step / self.config.steps if self.config.steps else 1.0)
        if self.config.max_minutes is not None:
            seconds = self.config.max_minutes * 60
            shares.append(self.seconds / seconds if seconds else 1.0)
        return min(max(shares), 1.0)

    def decide(self, step: int, asked: bool) -> tuple[float, bool, bool]:
        """(fraction, save now, pause now) after `step` steps, the same on all processes."""
        loop, now = self.config, time.perf_counter()
        pause = asked
        if loop.pause_after_minutes is not None:
            pause = pause or now - self.started >= loop.pause_after_minutes * 60
        save = bool(loop.checkpoint_every) and step - self.saved_step >= loop.checkpoint_every
        if loop.checkpoint_minutes is not None:
            save = save or now - self.saved_at >= loop.checkpoint_minutes * 60
        decision = (self.fraction(step), float(save), float(pause))
        if self.accelerator.num_processes > 1:
            from accelerate.utils import broadcast

            tensor = torch.tensor(decision, dtype=torch.float64, device=self.accelerator.device)
            decision = tuple(broadcast(tensor).tolist())
        return decision[0], bool(decision[1]), bool(decision[2])

    def saved(self, step: int) -> None:
        """A checkpoint was written."""
        self.saved_at, self.saved_step = time.perf_counter(), step
