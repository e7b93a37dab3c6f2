"""Matrix products with weights that are laid out for oneDNN once, a fifth faster than from plain ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gohd_core.kernels.policy import uses_cpu_kernels

_LEAST_ROWS = 64
"""Below this many rows reading the weights is what costs, and their layout saves nothing."""

_ONEDNN = torch.backends.mkldnn.is_available() and all(
    hasattr(torch.ops.mkldnn, name) for name in ("_reorder_linear_weight", "_linear_pointwise")
)
"""Whether torch offers oneDNN's own layout: the operators of its compiler, which have no public name."""


def worthwhile(x: Tensor) -> bool:
    """Whether `x` `[..., C]` is many rows of float32 on the CPU for which no gradient is wanted."""
    return uses_cpu_kernels(x) and x.numel() >= _LEAST_ROWS * x.shape[-1]


def laid_out(weight: Tensor) -> Tensor:
    """A weight `[O, C]` in the layout that `product` likes best: oneDNN's, or as it is without oneDNN."""
    return torch.ops.mkldnn._reorder_linear_weight(weight.detach(), _LEAST_ROWS) if _ONEDNN else weight


def product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`x` `[..., C]` times a laid-out weight `[O, C]`: `[..., O]`."""
    if weight.is_mkldnn:
        return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return F.linear(x, weight, bias)


class Derived:
    """What is made of a weight once, and anew when the weight changes; copies start without it."""

    def __init__(self, make: Callable[[Tensor], Any]) -> None:
        self._make = make
        self._made: tuple[tuple[int, int], Any] | None = None

    def of(self, weight: Tensor) -> Any:
        stamp = stamp_of(weight)
        if self._made is None or self._made[0] != stamp:
            self._made = (stamp, self._make(weight))
        return self._made[1]

    def __reduce__(self) -> tuple[type[Derived], tuple[Callable[[Tensor], Any]]]:
        return Derived, (self._make,)


def stamp_of(weight: Tensor) -> tuple[int, int]:
    """Changes when the weight's numbers do. Those made in inference mode keep no version, nor change."""
    return weight.data_ptr(), 0 if weight.is_inference() else weight._version


class Linear(nn.Linear):
    """`nn.Linear` whose weight is laid out for long sequences, where that is worthwhile.

    The laid-out weights are kept beside the plain ones and are as large.
    """

    def __init__(self, width_in: int, width_out: int, bias: bool = True) -> None:
        super().__init__(width_in, width_out, bias)
        self._laid_out = Derived(laid_out)

    def forward(self, x: Tensor) -> Tensor:
        if not worthwhile(x):
            return super().forward(x)
        return product(x, self._laid_out.of(self.weight), self.bias)
