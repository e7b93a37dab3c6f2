"""The three discriminators of eye-motion generation (supplement B.2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gohd_core.expression.eye_motion_transformer import sinusoid
from gohd_core.landmarks68 import EYES_AND_BROWS


class EyeMotionDiscriminator(nn.Module):
    """D_eye: a transformer over the sound and the landmarks around the eyes; a score per frame."""

    def __init__(self, audio_width: int, width: int = 128, layers: int = 3, heads: int = 4) -> None:
        """audio_width: of the audio embedding Phi_a(a_t)."""
        super().__init__()
        self.entrance = nn.Linear(audio_width + 2 * len(EYES_AND_BROWS), width)
        layer = nn.TransformerEncoderLayer(width, heads, 4 * width, dropout=0.0, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.score = nn.Linear(width, 1)

    def forward(self, audio: Tensor, landmarks: Tensor) -> Tensor:
        """Embeddings [B, T, A] and 2-D landmarks [B, T, 68, 2] -> scores [B, T].

        Landmarks are offsets from the neutral face in units of a neutral eye's height, as in Fig. 4.
        """
        eyes = landmarks[..., list(EYES_AND_BROWS), :].flatten(-2)  # [B,T,N,3] -> [B,T,3N]
        x = self.entrance(torch.cat([audio, eyes], dim=-1))
        x = self.layers(x + sinusoid(0, *x.shape[1:]).to(x))
        return self.score(x)[..., 0]


class TemporalPatchDiscriminator(nn.Module):
    """D_te and D_tf: PatchGAN over time; a score per overlapping stretch of frames.

    Three strided convolutions and two more, all of width 4, as in PatchGAN: a score sees 70 frames.
    It has no batch norm: that would make a score depend on the other clips.
    """

    def __init__(self, channels: int, widths: Sequence[int] = (64, 128, 256)) -> None:
        """channels: 21 for eye motion (D_te), 64 for expressions (D_tf)."""
        super().__init__()
        layers: list[nn.Module] = []
        inputs = channels
        for width in widths:
            layers += [nn.Conv1d(inputs, width, 4, 2, 1), nn.LeakyReLU(0.2)]
            inputs = width
        layers += [nn.Conv1d(inputs, 2 * inputs, 4, 1, 1), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv1d(2 * inputs, 1, 4, 1, 1))

    def forward(self, sequence: Tensor) -> Tensor:
        """[B, T, channels] -> scores [B, patches]; T at least 24."""
        return self.layers(sequence.transpose(1, 2))[:, 0]  # [B,T,C] -> [B,C,T]
