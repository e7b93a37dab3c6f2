"""Trees of tensors, mapped and unbatched."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from gohd_core.kernels.tree import tree_map, unbatch


@dataclass(frozen=True)
class Pair:
    first: torch.Tensor
    others: tuple[torch.Tensor | None, ...]
    name: str = "kept"


def test_a_row_of_a_tree_is_a_batch_of_one():
    tree = Pair(torch.arange(3), (torch.arange(6).view(3, 2), None, torch.tensor([7])))
    found = unbatch(tree, 3)[1]
    assert found.first.tolist() == [1] and found.others[0].tolist() == [[2, 3]]
    assert found.others[1] is None and found.others[2].tolist() == [7] and found.name == "kept"
    assert tree_map([torch.ones(2)], lambda x: 2 * x)[0].tolist() == [2, 2]
