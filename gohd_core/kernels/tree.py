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


def rows(record: Record, count: int) -> list[Record]:
    """A record's rows, each a batch of one; tensors with one row, and what is no tensor, serve all."""
    if isinstance(record, Tensor):
        return [record] * count if len(record) == 1 else list(record.split(1))
    if isinstance(record, tuple | list) and record:
        return [type(record)(each) for each in zip(*(rows(part, count) for part in record), strict=True)]
    if is_dataclass(record):
        parts = (rows(getattr(record, field.name), count) for field in fields(record))
        return [type(record)(*each) for each in zip(*parts, strict=True)]
    return [record] * count
