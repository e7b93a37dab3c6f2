"""The transformer in place of the LSTM (Table 3), as released and with attention over time."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from gohd_core.expression.config import ExpressionConfig
from gohd_core.expression.eye_motion import EyeMotionState, embedding, output


def sinusoid(start: int, frames: int, width: int) -> Tensor:
    """Position codes [frames, width] in float32: sin and cos interleaved, base 10000."""
    position = torch.arange(start, start + frames, dtype=torch.float64, device="cpu")[:, None]
    exponent = 2 * (torch.arange(width, dtype=torch.float64, device="cpu") // 2) / width
    angle = position / torch.pow(torch.tensor(10000.0, dtype=torch.float64, device="cpu"), exponent)
    angle[:, 0::2], angle[:, 1::2] = angle[:, 0::2].sin(), angle[:, 1::2].cos()
    return angle.float()


class DecoderLayer(nn.Module):
    """Post-norm: self-attention, attention to the sound, feed-forward, each added and normed."""

    def __init__(self, width: int, heads: int, feedforward: int) -> None:
        super().__init__()
        self.self_attention = nn.MultiheadAttention(width, heads)
        self.audio_attention = nn.MultiheadAttention(width, heads)
        self.expand = nn.Linear(width, feedforward)
        self.contract = nn.Linear(feedforward, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.norm3 = nn.LayerNorm(width)

    def forward(self, x: Tensor, own: Tensor, audio: Tensor, hidden: Tensor | None = None) -> Tensor:
        """x [L, N, C] attends to own [M, N, C] and audio [M, N, C]; `hidden` [L, M] bars pairs."""
        x = self.norm1(x + self._attend(self.self_attention, x, own, hidden))
        x = self.norm2(x + self._attend(self.audio_attention, x, audio, hidden))
        return self.norm3(x + self.contract(functional.relu(self.expand(x))))

    @staticmethod
    def _attend(attention: nn.MultiheadAttention, x: Tensor, y: Tensor, hidden: Tensor | None) -> Tensor:
        return attention(x, y, y, attn_mask=hidden, need_weights=False)[0]


class EyeMotionTransformer(nn.Module):
    """Noise, position and omega_0 go in, eye motion comes out; frame 0 is generated as well.

    The official transformer hands [B, T, C] to attention that expects [T, B, C]: clips of one batch
    attend to one another and no frame sees another. `attention = "batch"` keeps that.
    """

    def __init__(self, config: ExpressionConfig) -> None:
        super().__init__()
        self.embedding = embedding(config)
        width = config.embedding_width
        self.noise_width = width
        self.layers = nn.ModuleList(
            DecoderLayer(width, config.decoder_heads, config.decoder_feedforward)
            for _ in range(config.decoder_layers)
        )
        self.norm = nn.LayerNorm(width)
        self.output = output(config)
        self.causal = config.attention == "causal"
        self.past = config.attention_frames - 1

    def forward(
        self, audio: Tensor, e0: Tensor, eye0: Tensor, noise: Tensor, state: EyeMotionState | None = None
    ) -> Tensor:
        """As `EyeMotionLSTM.forward`, with z of frame 0 used too; e0 [B, 64] is not looked at."""
        state = state if state is not None else EyeMotionState()
        frames, width = noise.shape[1:]
        position = sinusoid(state.frame, frames, width).to(noise)
        omega0 = self.embedding(eye0)[:, None]
        x = noise + position + omega0
        x = self._over_time(x, audio, state) if self.causal else self._over_batch(x, audio)
        state.frame += frames
        return self.output(omega0 + self.norm(x))

    def _over_batch(self, x: Tensor, audio: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x, x, audio)
        return x

    def _over_time(self, x: Tensor, audio: Tensor, state: EyeMotionState) -> Tensor:
        x, audio = x.transpose(0, 1), audio.transpose(0, 1)  # [T,B,C]
        empty = x[:0]
        old = state.memory or [empty] * (len(self.layers) + 1)
        audio = torch.cat([old[-1], audio])
        memory = []
        hidden = self._hidden(len(x), len(audio)).to(x.device)
        for layer, before in zip(self.layers, old[:-1], strict=True):
            own = torch.cat([before, x])
            memory.append(self._recent(own))
            x = layer(x, own, audio, hidden)
        state.memory = [*memory, self._recent(audio)]
        return x.transpose(0, 1)  # [T,B,C] -> [B,T,C]

    def _recent(self, sequence: Tensor) -> Tensor:
        return sequence[max(0, len(sequence) - self.past) :]

    def _hidden(self, queries: int, keys: int) -> Tensor:
        """[queries, keys], true where a key is in the future or more than `past` frames ago."""
        query = torch.arange(keys - queries, keys, dtype=torch.long, device="cpu")[:, None]
        key = torch.arange(keys, dtype=torch.long, device="cpu")
        return (key > query) | (key < query - self.past)
