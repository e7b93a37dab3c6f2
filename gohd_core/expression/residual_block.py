"""A residual convolution over frames, of which the mouth's networks are made."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

DROPOUT, SLOPE = 0.1, 0.1
"""Of the hidden layer, and of its leaky ReLU below zero."""


class ResidualBlock(nn.Module):
    """x + mix(leaky_relu(conv(x))) over three frames `dilation` apart, [B, width, T].

    norm: batch norm before the convolution. Frames beyond the ends are like the first and the last.
    """

    def __init__(self, width: int, dilation: int, *, norm: bool = False) -> None:
        super().__init__()
        self.dilation = dilation
        self.norm = nn.BatchNorm1d(width) if norm else nn.Identity()
        self.over_frames = nn.Conv1d(width, width, 3, dilation=dilation)
        self.drop = nn.Dropout(DROPOUT)
        self.mix = nn.Conv1d(width, width, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        """[B, width, T] -> [B, width, T]."""
        padded = functional.pad(self.norm(hidden), (self.dilation, self.dilation), mode="replicate")
        return hidden + self.mix(self.drop(functional.leaky_relu(self.over_frames(padded), SLOPE)))
