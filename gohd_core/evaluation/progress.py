"""Progress of a benchmark over its items, logged."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

Progress = Callable[[str, int, int], None]
"""(stage, items done, items in all)."""
Item = TypeVar("Item")


def with_progress(items: Collection[Item], stage: str, progress: Progress | None) -> Iterator[Item]:
    """The items one after another; `progress` is called after each."""
    for done, item in enumerate(items, start=1):
        yield item
        if progress is not None:
            progress(stage, done, len(items))
