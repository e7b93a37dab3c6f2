"""Work for several processes, one item after another, until all is done or somebody stops it."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any, TypeVar

from gohd_core.errors import BadInput

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_processes(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int,
    begin: Callable[..., None] | None = None,
    given: tuple[Any, ...] = (),
) -> Iterator[Result]:
    """`function(item)` of each item, in the order in which they are done.

    Args:
        function, items, begin, given: are sent to the processes, so that they must be picklable.
        workers: how many processes.
        begin: is called as `begin(*given)` in each process before its first item.
    Raises: what `function` raises; `BadInput` where a process ends, for want of memory for instance.
    """
    # spawn: CUDA and OpenGL contexts must not be inherited, and it is the same on every system
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(begin, given))
    waiting, running = iter(items), set[Future]()
    try:
        while True:
            # few tasks ahead, so that a stop is quick
            running.update(
                pool.submit(function, item) for item in islice(waiting, 2 * workers - len(running))
            )
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    except BrokenProcessPool as error:
        raise BadInput(
            "A worker process ended unexpectedly, perhaps for want of memory: run the same command "
            "again with fewer workers, it goes on where it stopped."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(begin: Callable[..., None] | None, given: tuple[Any, ...]) -> None:
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    if begin is not None:
        begin(*given)


def _leave_with_parent() -> None:
    """Ends this worker when the process that started it is gone, killed for instance."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
