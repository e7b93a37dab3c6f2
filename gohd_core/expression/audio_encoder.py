"""Convolution blocks in the SyncNet style, and the audio encoder Phi_a that is made of them."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

Size = int | tuple[int, int]


class ConvBlock(nn.Module):
    """Convolution, batch norm, ReLU; a residual block adds its input before the ReLU."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: Size = 1,
        padding: int = 0,
        *,
        residual: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding)
        self.norm = nn.BatchNorm2d(outputs)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] -> [B, outputs, H', W']."""
        y = self.norm(self.conv(x))
        return functional.relu(y + x if self.residual else y)


def residual_blocks(width: int, count: int) -> list[ConvBlock]:
    """`count` residual 3x3 blocks of one width."""
    return [ConvBlock(width, width, 3, 1, 1, residual=True) for _ in range(count)]


class AudioEncoder(nn.Module):
    """Phi_a of eq. 5: a lip chunk of 80 mel bands x 16 rows becomes one vector.

    80x16 -> 27x16 -> 9x6 -> 3x3 -> 1x1; the embedding ends in a ReLU.
    """

    def __init__(self, widths: Sequence[int], residuals: int) -> None:
        super().__init__()
        a, b, c, d, e = widths
        self.width = e
        self.layers = nn.Sequential(
            ConvBlock(1, a, 3, 1, 1),
            *residual_blocks(a, residuals),
            ConvBlock(a, b, 3, (3, 1), 1),
            *residual_blocks(b, residuals),
            ConvBlock(b, c, 3, 3, 1),
            *residual_blocks(c, residuals),
            ConvBlock(c, d, 3, (3, 2), 1),
            *residual_blocks(d, residuals),
            ConvBlock(d, e, 3),
            ConvBlock(e, e, 1),
        )

    def forward(self, chunks: Tensor) -> Tensor:
        """Lip chunks [..., 80, 16] -> embeddings [..., width]."""
        return self.with_map(chunks)[0]

    def with_map(self, chunks: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings [..., width] and their feature maps [..., 9 x channels of the fourth stage]."""
        lead = chunks.shape[:-2]
        maps = self.layers[:-2](chunks.reshape(-1, 1, *chunks.shape[-2:]))  # [N, channels, 3, 3]
        return self.layers[-2:](maps).reshape(*lead, self.width), maps.reshape(*lead, -1)  # [N,...] -> lead
