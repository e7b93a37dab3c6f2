"""Threads for the CPU that compute alone, each on one core."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import torch

_START_SECONDS = 60

Item = TypeVar("Item")
Result = TypeVar("Result")


class SingleThreadPool:
    """Threads that compute alone, one item each."""

    def __init__(self, count: int) -> None:
        self.count = count
        before = torch.get_num_threads()
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="gohd-core")
        ready = Barrier(count, timeout=_START_SECONDS)
        list(self._pool.map(_compute_alone, [ready] * count))
        # The setting is each thread's own, but one that has not computed yet would begin with the last.
        torch.set_num_threads(before)

    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Results of `work` for each item, in order; gradients are not recorded."""
        return list(self._pool.map(torch.inference_mode()(work), items))


def prefetched(items: Iterable[Item]) -> Iterator[Item]:
    """Yields items computed one ahead, in a background thread, while the caller works on the one before."""
    iterator = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="gohd-prefetch") as background:
        following = background.submit(next, iterator, None)
        while (item := following.result()) is not None:
            following = background.submit(next, iterator, None)
            yield item


def _compute_alone(ready: Barrier) -> None:
    torch.get_num_threads()  # a thread's first question takes over the common setting
    torch.set_num_threads(1)
    ready.wait()  # until all are there: no thread takes two of these
