"""Which node is being executed; here always the same one."""

from __future__ import annotations

from typing import NamedTuple


class ExecutionContext(NamedTuple):
    """Context of the node that runs."""

    prompt_id: str
    node_id: str
    list_index: int | None


def get_executing_context() -> ExecutionContext:
    """The node that runs."""
    return ExecutionContext("prompt", "7", None)
