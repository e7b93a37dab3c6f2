"""The conformer of Fig. 3: gated self-attention and a dilated-convolution feed-forward, both pre-norm."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from gohd_core.kernels.banded_attention import Band
from gohd_core.kernels.winograd import TimeConvolution
from gohd_core.pose.config import DiffusionConfig
from gohd_core.pose.positional import PositionalScores


class Attention(nn.Module):
    """Multi-head self-attention with TISA scores and a gated output, `[B, T, W]` to the same."""

    def __init__(self, config: DiffusionConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.key_value_query = nn.Linear(config.width, 3 * config.width, bias=False)
        self.gate = nn.Linear(config.width, 2 * config.width)
        self.positional = PositionalScores(
            config.heads, config.kernels, config.nearest_view, config.farthest_view
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, scores: Tensor | Band | None = None) -> Tensor:
        """`scores` are `self.positional(T)` `[H, T, T]` or their `Band`, from a caller that keeps them."""
        if scores is None:
            scores = self.positional(x.shape[1])
        packed = rearrange(self.key_value_query(x), "b t (three h c) -> b t three h c", three=3, h=self.heads)
        if isinstance(scores, Band):
            mixed = scores.attend(packed)
        else:
            key, value, query = rearrange(packed, "b t three h c -> three b h t c")
            # A mask with a batch dimension: without one, torch takes its slow path on the CPU.
            mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=scores.unsqueeze(0))
            mixed = rearrange(mixed, "b h t c -> b t h c")
        mixed = rearrange(mixed, "b t h c -> b t (h c)")
        return self.dropout(F.glu(self.gate(mixed), dim=-1))


class FeedForward(nn.Module):
    """Two layers with a ReLU between; over three frames each, `dilation` apart, unless it is 0."""

    def __init__(self, config: DiffusionConfig, dilation: int) -> None:
        super().__init__()
        hidden = config.width * config.feedforward
        self.dropout = nn.Dropout(config.dropout)
        if dilation:
            self.expand = TimeConvolution(config.width, hidden, dilation)
            self.contract = TimeConvolution(hidden, config.width, dilation)
        else:
            self.expand = nn.Linear(config.width, hidden)
            self.contract = nn.Linear(hidden, config.width)

    def forward(self, x: Tensor) -> Tensor:
        """`[B, T, W]` to the same; frames outside count as zero."""
        return self.dropout(self.contract(self.dropout(self.expand(x).relu_())))


class Conformer(nn.Module):
    """x + attention(norm(x)), then x + feed_forward(norm(x)), `[B, T, W]` to the same."""

    def __init__(self, config: DiffusionConfig, dilation: int) -> None:
        super().__init__()
        if config.attention:
            self.attention_norm = nn.LayerNorm(config.width)
            self.attention = Attention(config)
        else:
            self.attention = None
        self.feed_forward_norm = nn.LayerNorm(config.width)
        self.feed_forward = FeedForward(config, dilation)

    def forward(self, x: Tensor, scores: Tensor | Band | None = None) -> Tensor:
        if self.attention is not None:
            x = add_residual(x, self.attention(self.attention_norm(x), scores))
        return add_residual(x, self.feed_forward(self.feed_forward_norm(x)))


class ConformerStack(nn.Module):
    """Linear, the conformers of one residual block, and a linear to twice the width."""

    def __init__(self, config: DiffusionConfig, dilation: int) -> None:
        super().__init__()
        self.enter = nn.Linear(config.width, config.width)
        self.conformers = nn.ModuleList(Conformer(config, dilation) for _ in range(config.conformers))
        self.leave = nn.Linear(config.width, 2 * config.width)

    def forward(self, x: Tensor, scores: list[Tensor | Band] | None = None) -> Tensor:
        """`[B, T, W]` to `[B, T, 2W]`; `scores` has one entry a conformer."""
        x = self.enter(x)
        for index, conformer in enumerate(self.conformers):
            x = conformer(x, None if scores is None else scores[index])
        return self.leave(x)

    def positional_scores(self, length: int) -> list[Tensor] | None:
        """The scores `[H, T, T]` of every conformer; None without attention."""
        attentions = [conformer.attention for conformer in self.conformers]
        if any(attention is None for attention in attentions):
            return None
        return [attention.positional(length) for attention in attentions]


def add_residual(x: Tensor, part: Tensor) -> Tensor:
    """x + part; where no gradient is wanted, in the memory of `part`, which is still in the caches."""
    return x + part if torch.is_grad_enabled() or x.dtype != part.dtype else part.add_(x)


def gated(x: Tensor) -> Tensor:
    """sigmoid(first half) * tanh(second half) of the last dimension (WaveNet's gated activation)."""
    gate, value = x.chunk(2, dim=-1)
    return torch.sigmoid(gate) * torch.tanh(value)
