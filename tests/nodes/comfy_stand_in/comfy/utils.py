"""Stands in for comfy.utils: a progress bar that remembers what it was told."""

from __future__ import annotations

from typing import Any

UPDATES: list[tuple[int, int, Any]] = []
"""Every update of every bar: value, total, preview."""


class ProgressBar:
    def __init__(self, total: int, node_id: str | None = None) -> None:
        self.total, self.current = total, 0

    def update_absolute(self, value: int, total: int | None = None, preview: Any = None) -> None:
        from comfy.model_management import throw_exception_if_processing_interrupted

        throw_exception_if_processing_interrupted()
        self.total = total or self.total
        self.current = min(value, self.total)
        UPDATES.append((self.current, self.total, preview))
