"""The lip expert's file: lipsync_expert.pth, optional and not in GoHD's own release list."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from gohd_core.checkpoints.layout import Layout
from gohd_core.expression.lip_sync import LipSyncConfig, LipSyncNetwork

NETWORK = LipSyncNetwork
CONFIG = LipSyncConfig


def infer_config(state: Mapping[str, Tensor]) -> LipSyncConfig:
    """The official network has one size; another is refused by its shapes."""
    frames = state["face_encoder.0.conv_block.0.weight"].shape[1] // 3
    return LipSyncConfig(face_frames=frames)


LAYOUTS = (
    Layout(
        outer=("state_dict",),
        fingerprint=(
            "face_encoder.0.conv_block.0.weight",
            "face_encoder.16.conv_block.0.weight",
            "audio_encoder.0.conv_block.0.weight",
            "audio_encoder.13.conv_block.0.weight",
        ),
        infer_config=infer_config,
        official_names=(
            (r"^(audio|face)\.layers\.(\d+)\.conv\.", r"\1_encoder.\2.conv_block.0."),
            (r"^(audio|face)\.layers\.(\d+)\.norm\.", r"\1_encoder.\2.conv_block.1."),
        ),
    ),
)
