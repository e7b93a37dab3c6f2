"""The lip-sync expert in the SyncNet style: embeds sound and mouths so that what fits is close.

Distillation targets, the LSE-D and LSE-C measures and lip-sync losses rest on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from gohd_core.checkpoints.runtime import Runtime
from gohd_core.constants import LIP_CHUNK, N_MELS
from gohd_core.errors import BadInput
from gohd_core.expression.audio_encoder import AudioEncoder, ConvBlock, residual_blocks


@dataclass(frozen=True)
class LipSyncConfig:
    """Architecture of the lip-sync networks; the defaults are the official sizes.

    Attributes:
        audio_widths: channels of the audio encoder's five stages; the last is the embedding's.
        face_widths: channels of the face encoder's six stages; the last is the embedding's.
        face_residuals: residual blocks after the second to fifth of them.
        face_frames: RGB frames stacked on the channels of one face input.
        face_height, face_width: size in pixels of a face's lower half; divisible by 16 and 32.
    """

    audio_widths: tuple[int, ...] = (32, 64, 128, 256, 512)
    audio_residuals: int = 2
    face_widths: tuple[int, ...] = (32, 64, 128, 256, 512, 512)
    face_residuals: tuple[int, ...] = (2, 3, 2, 2)
    face_frames: int = 5
    face_height: int = 48
    face_width: int = 96

    def __post_init__(self) -> None:
        if len(self.audio_widths) != 5 or len(self.face_widths) != 6 or len(self.face_residuals) != 4:
            raise BadInput("A lip-sync config needs 5 audio_widths, 6 face_widths, 4 face_residuals.")
        if self.audio_widths[-1] != self.face_widths[-1]:
            raise BadInput("audio_widths and face_widths must end in the same embedding width.")
        if (self.face_height, self.face_width) != (48, 96):
            raise BadInput("The face encoder's strides are made for faces of 48 x 96 pixels.")


class FaceEncoder(nn.Module):
    """Frames of a mouth, stacked on the channels, become one vector (48x96 -> 3x3 -> 1x1)."""

    def __init__(self, frames: int, widths: Sequence[int], residuals: Sequence[int]) -> None:
        super().__init__()
        a, b, c, d, e, f = widths
        second, third, fourth, fifth = residuals
        self.layers = nn.Sequential(
            ConvBlock(3 * frames, a, 7, 1, 3),
            ConvBlock(a, b, 5, (1, 2), 1),
            *residual_blocks(b, second),
            ConvBlock(b, c, 3, 2, 1),
            *residual_blocks(c, third),
            ConvBlock(c, d, 3, 2, 1),
            *residual_blocks(d, fourth),
            ConvBlock(d, e, 3, 2, 1),
            *residual_blocks(e, fifth),
            ConvBlock(e, f, 3, 2, 1),
            ConvBlock(f, f, 3),
            ConvBlock(f, f, 1),
        )

    def forward(self, faces: Tensor) -> Tensor:
        """[B, 3 * frames, 48, 96] in [0, 1] -> [B, width]."""
        return self.layers(faces).flatten(1)  # [B,D,1,1] -> [B,D]


class LipSyncNetwork(nn.Module):
    """Both encoders; embeddings end in a ReLU and are not yet of unit length."""

    def __init__(self, config: LipSyncConfig) -> None:
        super().__init__()
        self.audio = AudioEncoder(config.audio_widths, config.audio_residuals)
        self.face = FaceEncoder(config.face_frames, config.face_widths, config.face_residuals)

    def forward(self, chunks: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
        """Chunks [B, 80, 16] and faces [B, 15, 48, 96] -> unit embeddings [B, D] each."""
        audio, face = self.audio(chunks), self.face(faces)
        return functional.normalize(audio, dim=-1), functional.normalize(face, dim=-1)


class LipSync(Runtime):
    """A lip-sync network at run time. Attributes: see `Runtime`. The built-in family has none."""

    components = ("lip_sync",)
    network: LipSyncNetwork
    config: LipSyncConfig

    def embed_audio(self, chunks: Any) -> Tensor:
        """Lip chunks [B, 80, 16] -> unit embeddings [B, D]; differentiable."""
        chunks = self._input("chunks", chunks, (N_MELS, LIP_CHUNK))
        return functional.normalize(self.network.audio(chunks), dim=-1)

    def embed_faces(self, faces: Any) -> Tensor:
        """Lower halves of RGB faces in [0, 1] -> unit embeddings [B, D]; differentiable.

        `faces` is [B, 15, 48, 96]: five neighbouring frames stacked on the channels.
        """
        config = self.config
        shape = (3 * config.face_frames, config.face_height, config.face_width)
        return functional.normalize(self.network.face(self._input("faces", faces, shape)), dim=-1)

    def similarity(self, chunks: Any, faces: Any) -> Tensor:
        """Cosine similarity [B] of sound and mouths: 1 where they fit, 0 where they don't."""
        return (self.embed_audio(chunks) * self.embed_faces(faces)).sum(dim=-1)

    def _input(self, name: str, value: Any, shape: tuple[int, ...]) -> Tensor:
        tensor = torch.as_tensor(value, device="cpu")
        if tuple(tensor.shape[1:]) != shape:
            wanted = ", ".join(str(size) for size in shape)
            raise BadInput(f"{name} has shape {list(tensor.shape)}; [B, {wanted}] is expected.")
        return tensor.to(next(self.network.parameters()))
