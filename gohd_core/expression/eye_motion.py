"""Stage 2: the LSTM that generates eye motion from sound and noise, eq. 6 and 7."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from gohd_core.constants import N_EXPRESSION, N_EYE_MOTION
from gohd_core.expression.config import ExpressionConfig


@dataclass
class EyeMotionState:
    """State of the generator between chunks: frames done, its own memory, seconds since the last blink."""

    frame: int = 0
    since_blink: float | None = None
    memory: list[Tensor] = field(default_factory=list)


def embedding(config: ExpressionConfig) -> nn.Sequential:
    """Phi_e: an eye motion of 21 values becomes omega."""
    return nn.Sequential(
        nn.Linear(N_EYE_MOTION, config.embedding_hidden),
        nn.LeakyReLU(config.negative_slope),
        nn.Linear(config.embedding_hidden, config.embedding_width),
    )


def output(config: ExpressionConfig) -> nn.Sequential:
    """The MLP of eq. 7: omega becomes an eye motion of 21 values."""
    return nn.Sequential(
        nn.Linear(config.embedding_width, config.output_hidden),
        nn.LeakyReLU(config.negative_slope),
        nn.Linear(config.output_hidden, N_EYE_MOTION),
    )


class EyeMotionLSTM(nn.Module):
    """G_lstm: f_t = MLP(omega_0 + LSTM(Phi_a(a_t), omega_0, e_0, z_t)), and f_0 as given."""

    def __init__(self, config: ExpressionConfig) -> None:
        super().__init__()
        self.noise_width = config.noise_width
        self.embedding = embedding(config)
        inputs = config.audio_widths[-1] + config.embedding_width + N_EXPRESSION + config.noise_width
        self.lstm = nn.LSTM(inputs, config.embedding_width, config.recurrent_layers, batch_first=True)
        self.output = output(config)

    def forward(
        self, audio: Tensor, e0: Tensor, eye0: Tensor, noise: Tensor, state: EyeMotionState | None = None
    ) -> Tensor:
        """Generate T frames; `state` continues (and is advanced) where given.

        Args:
            audio: embeddings [B, T, A].
            e0: the source's expression [B, 64].
            eye0: its eye motion [B, 21], which is also frame 0 of the result.
            noise: z [B, T, noise_width]; that of frame 0 is not used.
        Returns: eye motion [B, T, 21].
        """
        state = state if state is not None else EyeMotionState()
        given = 1 if state.frame == 0 else 0
        steps = audio.shape[1] - given
        result = [eye0[:, None]] if given else []
        if steps > 0:
            omega0 = self.embedding(eye0)
            constant = torch.cat([omega0, e0], dim=-1)[:, None].expand(-1, steps, -1)
            inputs = torch.cat([audio[:, given:], constant, noise[:, given:]], dim=-1)
            memory = (state.memory[0], state.memory[1]) if state.memory else None
            hidden, memory = self.lstm(inputs, memory)
            state.memory = list(memory)
            result.append(self.output(omega0[:, None] + hidden))
        state.frame += audio.shape[1]
        return torch.cat(result, dim=1)
