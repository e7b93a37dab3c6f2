"""The mouth from sound with context: ours, on top of the paper's frame-wise mapping (eq. 5)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gohd_core.expression.chunk_encoder import DILATIONS, ChunkEncoder
from gohd_core.expression.config import ExpressionConfig
from gohd_core.expression.frames import SMOOTH, over_frames, smoothed
from gohd_core.expression.residual_block import ResidualBlock

MAP_CELLS, MAP_DROPOUT = 9, 0.3
"""Cells (3 x 3) of the audio encoder's last feature map, and the dropout on it."""
MINIMUM_REACH, MEAN_REACH = 2, 4
"""Frames on both sides of the windows of an opening's local minimum and of its local mean."""
DECAY, LEAST_MEAN = 0.12, 6.0
"""Height above the local minimum, as a share of the local mean, at which `mouth_closing` falls to 1/e; lower
limit of that mean in pixels."""
LEAST_CLOSING, POWER = 4.0, 6
"""Lower limit of `mouth_closing` away from minima, in pixels; power of the gap in its soft threshold."""


class MouthNetwork(nn.Module):
    """Embeddings of eq. 5 and the mapping's own mouth -> mouth coefficients, by convolutions over frames.

    The frame-wise mapping hears 0.2 s; this hears `context` frames more on both sides, and so takes
    coarticulation into account and moves smoothly. A TDNN (A. Waibel et al. 1989) with residual blocks.
    Where the config has `mouth_channels`, it hears the lip chunks themselves, too: the encoder of eq. 5 knows
    synthetic voices alone, the mouth's own learns from people's (docs/TRAINING.md).
    """

    def __init__(self, config: ExpressionConfig) -> None:
        super().__init__()
        width, dilations = config.mouth_width, config.mouth_dilations
        self.coefficients = config.mouth_coefficients
        self.closing = config.mouth_closing
        self.context = sum(dilations) + (sum(DILATIONS) if config.mouth_channels else 0)
        if self.closing:
            self.context += len(SMOOTH) // 2 + max(MINIMUM_REACH, MEAN_REACH)
        opening = torch.tensor(config.mouth_opening, dtype=torch.float32, device="cpu")
        self.register_buffer("opening", opening, persistent=False)
        count = len(self.coefficients)
        self.input = nn.Linear(config.audio_widths[-1] + count, width)
        self.map = nn.Linear(MAP_CELLS * config.audio_widths[-2], width) if config.mouth_map else None
        self.map_drop = nn.Dropout(MAP_DROPOUT)
        self.chunk_encoder: ChunkEncoder | None = None
        if config.mouth_channels:
            self.chunk_encoder = ChunkEncoder(config.mouth_channels, width)
            self.join = nn.Linear(width, width)
        self.frames = nn.ModuleList(ResidualBlock(width, dilation) for dilation in dilations)
        self.output = nn.Linear(width + count, count)

    def forward(
        self,
        audio: Tensor,
        mouth: Tensor,
        maps: Tensor | None = None,
        features: Tensor | None = None,
        rest: Tensor | None = None,
    ) -> Tensor:
        """Coefficients [B, T, C] of T neighbouring frames.

        Args:
            audio: embeddings [B, T, A].
            mouth: their coefficients by the frame-wise mapping, at rest, [B, T, C].
            maps: feature maps that they are made of, [B, T, M]; None where the config has no `mouth_map`.
            features: of `chunk_encoder`, [B, T, width]; None where the config has no `mouth_channels`.
            rest: how far the lips are to be at rest, of `pauses`, [B, T] in 0..1.

        Frames before and after the T are taken to be like the first and the last.
        """
        hidden = self.input(torch.cat([audio, mouth], dim=-1))
        if self.map is not None:
            hidden = hidden + self.map(self.map_drop(maps))
        if self.chunk_encoder is not None:
            hidden = hidden + self.join(features)
        hidden = hidden.transpose(1, 2)  # [B, width, T]
        for block in self.frames:
            hidden = block(hidden)
        found = self.output(torch.cat([hidden.transpose(1, 2), mouth], dim=-1))  # [B,T,width + C]
        return self.close_lips(found, rest) if self.closing else found

    def close_lips(self, mouth: Tensor, rest: Tensor | None = None) -> Tensor:
        """Coefficients [B, T, C] with lips closed at local minima of their opening, as p, b and m want it.

        A network that is not sure of a closure predicts a mean of shut and open lips. Minima over a few
        frames that are small beside the local mean close; other openings stay, since people keep their lips
        a little apart for most of the time. In a speaker's pauses all close, `rest` [B, T].
        """
        mouth = smoothed(mouth)
        gap = (mouth @ self.opening).relu()[..., None]  # [B, T, 1]
        least = over_frames(gap, MINIMUM_REACH, lambda x: x.amin(-1))
        mean = over_frames(gap, MEAN_REACH, lambda x: x.mean(-1))
        above = (gap - least) / mean.clamp_min(LEAST_MEAN)
        closing = (self.closing * torch.exp(-above / DECAY)).clamp_min(LEAST_CLOSING)
        share = gap**POWER / (gap**POWER + closing**POWER)
        if rest is not None:
            share = share * (1 - rest[..., None])
        return torch.where(self.opening > 0, mouth * share, mouth)
