"""Trees of tensors: dataclasses, tuples and lists of them, nested (pytrees), changed tensor by tensor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from torch import Tensor

Tree = TypeVar("Tree")


def tree_map(tree: Tree, change: Callable[[Tensor], Tensor]) -> Tree:
    """A tree with every tensor changed alike; leaves that are no tensors stay."""
    if isinstance(tree, Tensor):
        return change(tree)
    if isinstance(tree, tuple | list):
        return type(tree)(tree_map(each, change) for each in tree)
    if is_dataclass(tree):
        values: list[Any] = [tree_map(getattr(tree, field.name), change) for field in fields(tree)]
        return type(tree)(*values)
    return tree


def unbatch(tree: Tree, count: int) -> list[Tree]:
    """A batch of `count` as trees of one row each; tensors of one row, and other leaves, are shared."""
    if isinstance(tree, Tensor):
        return [tree] * count if len(tree) == 1 else list(tree.split(1))
    if isinstance(tree, tuple | list) and tree:
        return [type(tree)(each) for each in zip(*(unbatch(part, count) for part in tree), strict=True)]
    if is_dataclass(tree):
        parts = (unbatch(getattr(tree, field.name), count) for field in fields(tree))
        return [type(tree)(*each) for each in zip(*parts, strict=True)]
    return [tree] * count
