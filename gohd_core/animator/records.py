"""Records of tensors: dataclasses, tuples and lists of them, nested, changed tensor by tensor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from torch import Tensor

Record = TypeVar("Record")


def mapped(record: Record, change: Callable[[Tensor], Tensor]) -> Record:
    """A record with every tensor changed alike; what is neither tensor nor record stays."""
    if isinstance(record, Tensor):
        return change(record)
    if isinstance(record, tuple | list):
        return type(record)(mapped(each, change) for each in record)
    if is_dataclass(record):
        values: list[Any] = [mapped(getattr(record, field.name), change) for field in fields(record)]
        return type(record)(*values)
    return record


def row(record: Record, k: int) -> Record:
    """The k-th row of every tensor, as a batch of one; tensors with one row serve all."""
    return mapped(record, lambda each: each if len(each) == 1 else each[k : k + 1])
