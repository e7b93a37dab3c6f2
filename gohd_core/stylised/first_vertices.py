"""Where a part's vertices begin in stored heads."""

from __future__ import annotations

from functools import lru_cache

from gohd_core.stylised.avatar import Avatar
from gohd_core.stylised.identity import Identity


@lru_cache(maxsize=1)
def _starts() -> dict[str, int]:
    return {part.name: part.start for part in Avatar(Identity.random(0)).parts}


def first_vertex(part: str) -> int:
    """Of eyeballs and teeth, for instance: alike for every head, since what may differ comes after them."""
    return _starts()[part]
