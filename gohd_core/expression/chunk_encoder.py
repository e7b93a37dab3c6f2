"""The mouth's own hearing: lip chunks to one vector a frame, with context."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from gohd_core.constants import LIP_CHUNK, N_MELS
from gohd_core.expression.residual_block import SLOPE, ResidualBlock

DILATIONS = (1, 1, 2, 2)
"""Of the convolutions over frames."""
KERNEL, POOL = 5, 4
"""Rows that the two convolutions over a chunk's rows see; the second one's stride, too."""
SCALE = 0.5
"""Factor on the spectrogram, to a deviation of about one."""


class ChunkEncoder(nn.Module):
    """Lip chunks -> features of frames: convolutions over the rows of a chunk, then over frames.

    80 mel bands x 16 rows -> channels x 12 -> channels x 3 -> width. A TDNN as recognisers of speech
    have it (V. Peddinti et al. 2015); training has it tell phones, too.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.rows = nn.Conv1d(N_MELS, channels, KERNEL)
        self.rows_norm = nn.BatchNorm1d(channels)
        self.pool = nn.Conv1d(channels, channels, POOL, stride=POOL)
        self.pool_norm = nn.BatchNorm1d(channels)
        self.embed = nn.Linear((LIP_CHUNK - KERNEL + 1) // POOL * channels, width)
        self.frames = nn.ModuleList(ResidualBlock(width, dilation, norm=True) for dilation in DILATIONS)

    def forward(self, chunks: Tensor) -> Tensor:
        """Lip chunks [B, T, 80, 16] -> features [B, T, width]."""
        lead = chunks.shape[:2]
        hidden = SCALE * chunks.flatten(0, 1)  # [B*T, 80, 16]
        hidden = functional.leaky_relu(self.rows_norm(self.rows(hidden)), SLOPE)  # [B*T, channels, 12]
        hidden = functional.leaky_relu(self.pool_norm(self.pool(hidden)), SLOPE)  # [B*T, channels, 3]
        hidden = self.embed(hidden.flatten(1)).unflatten(0, lead).transpose(1, 2)  # [B, width, T]
        for block in self.frames:
            hidden = block(hidden)
        return hidden.transpose(1, 2)
