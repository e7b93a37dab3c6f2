"""Frames in passes: how many a decoder draws at once, and a clip in batches."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from gohd_core.errors import raise_if_stopped
from gohd_core.kernels.policy import draws_in_passes
from gohd_core.kernels.threads import SingleThreadPool, prefetched
from gohd_core.kernels.tree import tree_map

Progress = Callable[[int, int], None]
_MOST_THREADS = 8
"""Passes that run side by side at most: each takes about 90 MiB."""


class PassPlan:
    """Splits a batch into passes through a decoder: small ones on the CPU, one elsewhere.

    A large batch leaves the CPU's caches, and PyTorch shares one small operation after another among its
    threads, which costs as much as it saves: a pass on each core is faster.

    Args:
        per_pass: frames of a pass on the CPU.
        parallel: whether passes on the CPU run side by side.
        fixed: the one batch size of a compiled decoder, on any device; 0 for any size.
    """

    def __init__(self, per_pass: int, *, parallel: bool, fixed: int = 0) -> None:
        self.per_pass, self.parallel, self.fixed = per_pass, parallel, fixed
        self._pool: SingleThreadPool | None = None

    def draw(
        self, decoder: Callable[[Any, Any], Tensor], frames: Any, source: Any = None, *, count: int
    ) -> Tensor:
        """All `count` frames that `decoder(frames, source)` draws, in order.

        Args:
            decoder: draws one pass.
            frames: a record of tensors with a row for each frame.
            source: a record of tensors with a row for each frame, or one that serves all.
            count: how many frames there are.
        """
        return torch.cat(self.map(decoder, frames, source, count=count))

    def map(
        self, decoder: Callable[[Any, Any], Tensor], frames: Any, source: Any = None, *, count: int
    ) -> list[Tensor]:
        """Results of `decoder(frames, source)`, one a pass, in order; arguments as of `draw`."""
        step, pool = self._split(count, _device(frames))

        def drawn(start: int) -> Tensor:
            some = slice(start, min(start + step, count))
            here = tree_map(frames, lambda x: x[some])
            shared = tree_map(source, lambda x: x if len(x) == 1 else x[some])
            if not self.fixed:
                return decoder(here, shared)
            # A compiled graph has one batch size: the last, smaller batch repeats its last frame. What it
            # gives may lie in memory of its own, which its next call writes over.
            here = tree_map(here, self._filled)
            shared = tree_map(shared, lambda x: x if len(x) == 1 else self._filled(x))
            return decoder(here, shared)[: some.stop - start].clone()

        starts = range(0, count, step)
        return pool.map(drawn, starts) if pool else [drawn(start) for start in starts]

    def prefetch_frames(self, batch_size: int, device: torch.device) -> int:
        """Frames to draw ahead, in whole batches and whole passes: small batches leave the CPU's cores too
        little to do, and what a pass holds must not depend on the batch."""
        if self.fixed or not self.parallel or not draws_in_passes(device):
            return batch_size
        least = math.lcm(batch_size, self.per_pass)
        return least * math.ceil(self.per_pass * _threads() / least)

    def draws_ahead(self, device: torch.device) -> bool:
        """Whether the next frames are drawn while the caller is busy with the last: on several cores, which
        encoding and pasting would leave idle."""
        return self.parallel and draws_in_passes(device) and _threads() > 1

    def _filled(self, rows: Tensor) -> Tensor:
        """Rows with the last one repeated up to the fixed batch size."""
        missing = self.fixed - len(rows)
        return torch.cat([rows, rows[-1:].expand(missing, *rows.shape[1:])])

    def _split(self, count: int, device: torch.device) -> tuple[int, SingleThreadPool | None]:
        """Frames in a pass, and the pool for passes side by side."""
        if self.fixed or not draws_in_passes(device):
            return self.fixed or count, None
        threads = _threads()
        if not self.parallel or threads == 1:
            return self.per_pass, None
        if self._pool is None or self._pool.count != threads:
            self._pool = SingleThreadPool(threads)
        return self.per_pass, self._pool


def clip_batches(
    draw: Callable[[range], Tensor],
    total: int,
    batch_size: int,
    prefetch: int,
    ahead: bool = False,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Iterator[Tensor]:
    """A clip in batches: `draw(frames)` is asked for `prefetch` frames at a time, a multiple of `batch_size`,
    and with `ahead` in a thread of its own, while the caller is busy with those before.

    Raises `Interrupted` where `should_stop` says so, which is asked before each batch; `progress` is called
    as progress(frames done, frames in all) after each.
    """
    groups = [range(start, min(start + prefetch, total)) for start in range(0, total, prefetch)]
    drawn_groups = map(draw, groups)
    if ahead:
        drawn_groups = prefetched(drawn_groups)
    for start in range(0, total, batch_size):
        raise_if_stopped(should_stop, f"Stopped after {start} of {total} frames, as asked.")
        done = start % prefetch
        if not done:
            drawn = next(drawn_groups)
        yield drawn[done : done + batch_size]
        if progress is not None:
            progress(min(start + batch_size, total), total)


def _threads() -> int:
    return min(torch.get_num_threads(), _MOST_THREADS)


def _device(frames: Any) -> torch.device:
    return (frames if isinstance(frames, Tensor) else frames[0]).device
