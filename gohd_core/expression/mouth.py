"""The mouth from sound with context: ours, on top of the paper's frame-wise mapping (eq. 5)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from gohd_core.expression.config import ExpressionConfig

DROPOUT = 0.1
MAP_CELLS, MAP_DROPOUT = 9, 0.3
"""Cells (3 x 3) of the audio encoder's last feature map, and the dropout on it."""
SMOOTH = (0.25, 0.5, 0.25)
"""Weights of a frame's neighbours and its own, before lips are closed."""
DIP, AROUND = 2, 4
"""Frames on both sides within which an opening is the least, and those whose mean it is held against."""
ABOVE, WIDE = 0.12, 6.0
"""How far above the least an opening may be, as a share of that mean, to be closed by 1/e less; pixels that
the mean is at least taken for."""
ALWAYS, POWER = 4.0, 6
"""Pixels apart that come half as close wherever they are; power of the gap by which lips stay open."""


class MouthNetwork(nn.Module):
    """Embeddings of eq. 5 and the mapping's own mouth -> mouth coefficients, by convolutions over frames.

    The frame-wise mapping hears 0.2 s; this hears `context` frames more on both sides, and so takes
    coarticulation into account and moves smoothly. A TDNN (A. Waibel et al. 1989) with residual blocks.
    """

    def __init__(self, config: ExpressionConfig) -> None:
        super().__init__()
        width, dilations = config.mouth_width, config.mouth_dilations
        self.coefficients = config.mouth_coefficients
        self.closing = config.mouth_closing
        self.context = sum(dilations) + (len(SMOOTH) // 2 + max(DIP, AROUND) if self.closing else 0)
        opening = torch.tensor(config.mouth_opening, dtype=torch.float32, device="cpu")
        self.register_buffer("opening", opening, persistent=False)
        count = len(self.coefficients)
        self.input = nn.Linear(config.audio_widths[-1] + count, width)
        self.map = nn.Linear(MAP_CELLS * config.audio_widths[-2], width) if config.mouth_map else None
        self.map_drop = nn.Dropout(MAP_DROPOUT)
        self.frames = nn.ModuleList(_Block(width, dilation) for dilation in dilations)
        self.output = nn.Linear(width + count, count)

    def forward(self, audio: Tensor, mouth: Tensor, maps: Tensor | None = None) -> Tensor:
        """Coefficients [B, T, C] of T neighbouring frames.

        Args:
            audio: embeddings [B, T, A].
            mouth: their coefficients by the frame-wise mapping, at rest, [B, T, C].
            maps: feature maps that they are made of, [B, T, M]; None where the config has no `mouth_map`.

        Frames before and after the T are taken to be like the first and the last.
        """
        hidden = self.input(torch.cat([audio, mouth], dim=-1))
        if self.map is not None:
            hidden = hidden + self.map(self.map_drop(maps))
        hidden = hidden.transpose(1, 2)  # [B, width, T]
        for block in self.frames:
            hidden = block(hidden)
        found = self.output(torch.cat([hidden.transpose(1, 2), mouth], dim=-1))
        return self.closer(found) if self.closing else found

    def closer(self, mouth: Tensor) -> Tensor:
        """Coefficients [B, T, C] with lips brought together where they come nearest, as p, b and m want it.

        A network that is not sure of a closure expects lips a little apart, which they never are. Where that
        is the least within a few frames and small beside what is around it they close; elsewhere they stay as
        they are, since people keep lips a little apart for most of the time.
        """
        mouth = _over_frames(mouth, 1, lambda x: (x * x.new_tensor(SMOOTH)).sum(-1))
        gap = (mouth @ self.opening).relu()[..., None]  # [B, T, 1]
        least = _over_frames(gap, DIP, lambda x: x.amin(-1))
        around = _over_frames(gap, AROUND, lambda x: x.mean(-1))
        above = (gap - least) / around.clamp_min(WIDE)
        closing = (self.closing * torch.exp(-above / ABOVE)).clamp_min(ALWAYS)
        share = gap**POWER / (gap**POWER + closing**POWER)
        return torch.where(self.opening > 0, mouth * share, mouth)


def _over_frames(values: Tensor, reach: int, what: Callable[[Tensor], Tensor]) -> Tensor:
    """`what` over the last axis of windows [B, T, C, 2 reach + 1] around each frame of [B, T, C]."""
    padded = functional.pad(values.transpose(1, 2), (reach, reach), mode="replicate")
    return what(padded.transpose(1, 2).unfold(1, 2 * reach + 1, 1))


class _Block(nn.Module):
    """A residual dilated convolution over frames, [B, width, T]."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.over_frames = nn.Conv1d(width, width, 3, dilation=dilation)
        self.drop = nn.Dropout(DROPOUT)
        self.mix = nn.Conv1d(width, width, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        padded = functional.pad(hidden, (self.dilation, self.dilation), mode="replicate")
        return hidden + self.mix(self.drop(functional.leaky_relu(self.over_frames(padded), 0.1)))
