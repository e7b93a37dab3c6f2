"""The whole expression predictor as one network: stage 1 and, where the config has it, stage 2.

Notation (variable -> paper, eq. 5-8):
    lips, lips.audio_encoder -> E_map, Phi_a
    eyes, eyes.embedding -> G, Phi_e
    chunks, noise -> a_t, z_t
    e0, eye0, eye_motion -> e_0, f_0, f_t
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gohd_core.expression.config import ExpressionConfig
from gohd_core.expression.eye_motion import EyeMotionLSTM, EyeMotionState
from gohd_core.expression.eye_motion_transformer import EyeMotionTransformer
from gohd_core.expression.lip_mapping import LipMapping
from gohd_core.expression.mouth import MouthNetwork

GENERATORS: dict[str, type[EyeMotionLSTM] | type[EyeMotionTransformer]] = {
    "lstm": EyeMotionLSTM,
    "transformer": EyeMotionTransformer,
}


class ExpressionNetwork(nn.Module):
    """E_map and G of eq. 8, sharing one audio encoder; `eyes` is None for stage 1 alone.

    Where the config has `mouth_coefficients`, a `MouthNetwork` predicts these in the mapping's place.
    """

    def __init__(self, config: ExpressionConfig) -> None:
        super().__init__()
        self.config = config
        self.lips = LipMapping(config)
        self.eyes: EyeMotionLSTM | EyeMotionTransformer | None = None
        if config.generates_eye_motion:
            self.eyes = GENERATORS[config.kind](config)
        self.mouth: MouthNetwork | None = None
        if config.mouth_coefficients:
            self.mouth = MouthNetwork(config)

    @property
    def context(self) -> int:
        """Frames before and after a frame whose sound it depends on, beside its own lip chunk."""
        return self.mouth.context if self.mouth is not None else 0

    def forward(
        self,
        chunks: Tensor,
        e0: Tensor,
        eye0: Tensor | None = None,
        *,
        eye_motion: Tensor | None = None,
        noise: Tensor | None = None,
        state: EyeMotionState | None = None,
        margin: tuple[int, int] = (0, 0),
        rest: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Predict B clips of T frames.

        Args:
            chunks: lip chunks [B, before + T + after, 80, 16].
            e0: the source's expression [B, 64].
            eye0: its eye motion [B, 21]; for generation.
            eye_motion: f_t [B, T, 21], in place of generation.
            noise: z [B, T, noise_width]; for generation.
            state: continues (and is advanced) where given.
            margin: (before, after), frames of `chunks` at both ends that are heard for the others' sake.
            rest: of `pauses`, for all of these frames [B, before + T + after].
        Returns: expressions [B, T, 64], and the eye motion [B, T, 21] that they were made with
            (None where the network has no such input).
        """
        inner = slice(margin[0], chunks.shape[1] - margin[1])
        heard, maps = self.lips.audio_encoder.with_map(chunks)
        audio = heard[:, inner]
        if eye_motion is None and self.eyes is not None:
            eye_motion = self._brows(self.eyes(audio, e0, eye0, noise, state), eye0)
        expression = self.lips(audio, e0, eye_motion)
        if self.mouth is not None:
            columns = list(self.mouth.coefficients)
            guess = self.lips.at_rest(heard)[..., columns]
            encoder = self.mouth.chunk_encoder
            features = encoder(chunks) if encoder is not None else None
            expression[..., columns] = self.mouth(heard, guess, maps, features, rest)[:, inner]
        return expression, eye_motion

    def _brows(self, eye_motion: Tensor, eye0: Tensor) -> Tensor:
        """Eye motion [B, T, 21] with the brows' changes from the source's [B, 21] enlarged."""
        if self.config.brow_gain == 1:
            return eye_motion
        start = eye0[:, None, 1:]
        brows = start + self.config.brow_gain * (eye_motion[..., 1:] - start)
        return torch.cat([eye_motion[..., :1], brows], dim=-1)
