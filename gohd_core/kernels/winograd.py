"""Convolution over three frames, by Winograd's F(4, 3) where that is faster: half the multiplications."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gohd_core.kernels.policy import uses_winograd

_KERNEL = (
    (1 / 4, 0.0, 0.0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0.0, 0.0, 1.0),
)
"""The taps as a polynomial at 0, 1, -1, 2, -2 and infinity, scaled (Lavin & Gray 2016, section 4)."""


class Derived:
    """Cache of a value derived from a weight, renewed when the weight changes; copies start without it."""

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


class TimeConvolution(nn.Conv1d):
    """Three taps, `dilation` frames apart, over `[B, T, C]`; frames outside count as zero.

    Long float32 sequences on the CPU take Winograd's way when no gradient is wanted, which samples poses of
    the released architecture a tenth faster; it differs from the plain sum by rounding (about 1e-6). The
    transformed weights are kept, twice the size of the plain ones, and recomputed when these change.
    """

    def __init__(self, width_in: int, width_out: int, dilation: int) -> None:
        super().__init__(width_in, width_out, kernel_size=3, dilation=dilation, padding=dilation)
        self._transformed = Derived(transform_kernel)

    def forward(self, x: Tensor) -> Tensor:
        """`[B, T, C]` to `[B, T, C']`."""
        if not uses_winograd(x):
            return super().forward(x.transpose(1, 2)).transpose(1, 2)  # [B,T,C] -> [B,C,T], and back
        return winograd(x, self._transformed.of(self.weight), self.bias, self.dilation[0])


def transform_kernel(weight: Tensor) -> list[Tensor]:
    """Taps `[O, C, 3]` -> six weights `[O, C]`."""
    return list(torch.einsum("pk,ock->poc", weight.detach().new_tensor(_KERNEL), weight.detach()))


def winograd(x: Tensor, kernel: list[Tensor], bias: Tensor, dilation: int) -> Tensor:
    """The convolution of `[B, T, C]` by a transformed kernel, six of `[O, C]`: `[B, T, O]`.

    Frames of one phase of the dilation are a sequence of their own, cut into tiles of six frames that
    overlap by two; six products give the four outputs of a tile.
    """
    batch, frames, width = x.shape
    tiles = -(-frames // (4 * dilation))
    # F.pad would fill all of it with zeros first.
    padded = x.new_empty(batch, (4 * tiles + 2) * dilation, width)
    padded[:, :dilation] = 0
    padded[:, dilation : dilation + frames] = x
    padded[:, dilation + frames :] = 0
    size = (6, batch, tiles, dilation, width)
    stride = (dilation * width, padded.stride(0), 4 * dilation * width, width, 1)
    evaluated = _evaluate(*padded.as_strided(size, stride))
    # A term at the point 1 appears once in each of the four outputs: the bias is added there.
    biases = (None, bias, None, None, None, None)
    products = [F.linear(*terms) for terms in zip(evaluated, kernel, biases, strict=True)]
    outputs = x.new_empty(batch, tiles, 4, dilation, len(bias))
    _interpolate(products, outputs.unbind(2))
    return outputs.view(batch, -1, len(bias))[:, :frames]  # [B,tiles,4,...,C] -> [B,T,C]


def _evaluate(d0: Tensor, d1: Tensor, d2: Tensor, d3: Tensor, d4: Tensor, d5: Tensor) -> list[Tensor]:
    """The frames of all tiles at the six points: the input transform, in as few sums as it takes."""
    even, odd = d4.sub(d2, alpha=4), d3.sub(d1, alpha=4)
    far_even, far_odd = d4 - d2, d3 - d1
    return [
        (even - d2).add_(d0, alpha=4),
        even + odd,
        even.sub_(odd),
        far_even.add(far_odd, alpha=2),
        far_even.sub_(far_odd, alpha=2),
        (d5 - d3).sub_(far_odd, alpha=4),
    ]


def _interpolate(p: list[Tensor], outputs: tuple[Tensor, ...]) -> None:
    """Writes the four outputs of all tiles, from the products at the six points."""
    near, near_odd, far, far_odd = p[1] + p[2], p[1] - p[2], p[3] + p[4], p[3] - p[4]
    torch.add(near, p[0].add_(far), out=outputs[0])
    torch.add(near_odd, far_odd, alpha=2, out=outputs[1])
    torch.add(near, far, alpha=4, out=outputs[2])
    torch.add(near_odd.add_(p[5]), far_odd, alpha=8, out=outputs[3])
