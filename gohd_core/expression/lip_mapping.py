"""Stage 1: the frame-wise mapping from sound (and eye motion) to expressions, eq. 5."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from gohd_core.constants import N_EXPRESSION, N_EYE_MOTION
from gohd_core.expression.audio_encoder import AudioEncoder
from gohd_core.expression.config import ExpressionConfig


class LipMapping(nn.Module):
    """e_t = MLP(Phi_a(a_t), e_0, f_t): no recurrence, no residual; f_t only where the config says."""

    def __init__(self, config: ExpressionConfig) -> None:
        super().__init__()
        self.audio_encoder = AudioEncoder(config.audio_widths, config.audio_residuals)
        eyes = N_EYE_MOTION if config.eye_motion_input else 0
        widths = [self.audio_encoder.width + N_EXPRESSION + eyes, *config.mapping_widths]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [nn.Linear(inputs, outputs), nn.LeakyReLU(config.negative_slope)]
        offset = torch.zeros(N_EYE_MOTION, dtype=torch.float32, device="cpu")
        offset[0] = config.eye_ratio_offset
        self.register_buffer("eye_offset", offset, persistent=False)
        self.mapping = nn.Sequential(*layers, nn.Linear(widths[-1], N_EXPRESSION))

    def at_rest(self, audio: Tensor) -> Tensor:
        """Expressions [B, T, 64] of embeddings [B, T, A] for a neutral face whose eyes stay open."""
        blank = self.mapping[0].in_features - audio.shape[-1]
        return self.mapping(torch.cat([audio, audio.new_zeros(*audio.shape[:-1], blank)], dim=-1))

    def forward(self, audio: Tensor, e0: Tensor, eye_motion: Tensor | None) -> Tensor:
        """Embeddings [B, T, A], e0 [B, 64], eye motion [B, T, 21] -> expressions [B, T, 64]."""
        start = e0[:, None].expand(-1, audio.shape[1], -1)
        parts = [audio, start]
        if eye_motion is not None:
            parts.append(eye_motion - self.eye_offset)
        return self.mapping(torch.cat(parts, dim=-1))
