"""Convolution over three frames, by Winograd's F(4, 3) where that is faster: half the multiplications."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_LEAST_FRAMES = 64
"""Below this many frames reading the larger transformed weights costs more than it saves."""

_INPUT = (
    (4.0, 0.0, -5.0, 0.0, 1.0, 0.0),
    (0.0, -4.0, -4.0, 1.0, 1.0, 0.0),
    (0.0, 4.0, -4.0, -1.0, 1.0, 0.0),
    (0.0, -2.0, -1.0, 2.0, 1.0, 0.0),
    (0.0, 2.0, -1.0, -2.0, 1.0, 0.0),
    (0.0, 4.0, 0.0, -5.0, 0.0, 1.0),
)
_KERNEL = (
    (1 / 4, 0.0, 0.0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0.0, 0.0, 1.0),
)
_OUTPUT = (
    (1.0, 1.0, 1.0, 1.0, 1.0, 0.0),
    (0.0, 1.0, -1.0, 2.0, -2.0, 0.0),
    (0.0, 1.0, 1.0, 4.0, 4.0, 0.0),
    (0.0, 1.0, -1.0, 8.0, -8.0, 1.0),
)
"""Transforms of F(4, 3): six products give four outputs of three taps (Lavin & Gray 2016, section 4)."""


class TimeConvolution(nn.Conv1d):
    """Three taps, `dilation` frames apart, over `[B, T, C]`; frames outside count as zero.

    Long float32 sequences on the CPU take Winograd's way when no gradient is wanted; it differs from
    the plain sum by rounding (about 1e-6). The transformed weights are kept, twice the size of the
    plain ones, and made anew when these change.
    """

    def __init__(self, width_in: int, width_out: int, dilation: int) -> None:
        super().__init__(width_in, width_out, kernel_size=3, dilation=dilation, padding=dilation)
        self._transformed: tuple[tuple[int, int], Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """`[B, T, C]` to `[B, T, C']`."""
        plain = x.device.type != "cpu" or x.dtype != torch.float32 or torch.is_grad_enabled()
        if plain or x.shape[0] * x.shape[1] < _LEAST_FRAMES:
            return super().forward(x.transpose(1, 2)).transpose(1, 2)
        return winograd(x, self._kernel(), self.bias, self.dilation[0])

    def _kernel(self) -> Tensor:
        stamp = (self.weight.data_ptr(), self.weight._version)
        if self._transformed is None or self._transformed[0] != stamp:
            self._transformed = (stamp, transform_kernel(self.weight))
        return self._transformed[1]


def transform_kernel(weight: Tensor) -> Tensor:
    """Taps `[O, C, 3]` -> `[6, C, O]`."""
    return torch.einsum("pk,ock->pco", weight.new_tensor(_KERNEL), weight).contiguous()


def winograd(x: Tensor, kernel: Tensor, bias: Tensor, dilation: int) -> Tensor:
    """The convolution of `[B, T, C]` by a transformed kernel `[6, C, O]`: `[B, T, O]`."""
    batch, frames, width = x.shape
    tiles = -(-frames // (4 * dilation))
    padded = F.pad(x, (0, 0, dilation, (4 * tiles + 1) * dilation - frames))
    # Frames of one phase of the dilation are a sequence of their own; tiles of six overlap by two.
    inputs = padded.as_strided(
        (batch, tiles, dilation, 6, width),
        (padded.stride(0), 4 * dilation * width, width, dilation * width, 1),
    ).reshape(-1, 6, width)
    inputs = torch.matmul(x.new_tensor(_INPUT), inputs)
    products = torch.bmm(inputs.transpose(0, 1), kernel)
    outputs = torch.matmul(x.new_tensor(_OUTPUT), products.transpose(0, 1)).add_(bias)
    outputs = outputs.view(batch, tiles, dilation, 4, -1).transpose(2, 3)
    return outputs.reshape(batch, 4 * tiles * dilation, -1)[:, :frames]
