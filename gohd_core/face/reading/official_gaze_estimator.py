"""L2CSNet_gaze360.pkl: a plain state dict of a ResNet-50 with two rows of gaze bins."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from gohd_core.checkpoints.layout import Layout
from gohd_core.face.reading.gaze_estimator import GazeConfig, GazeNetwork
from gohd_core.face.reading.resnet import infer_resnet

NETWORK = GazeNetwork
CONFIG = GazeConfig

FULL_CIRCLE = 360.0
"""Degrees that the bins cover together."""


def _infer_config(state: Mapping[str, Tensor]) -> GazeConfig:
    bins = state["fc_yaw_gaze.weight"].shape[0]
    return GazeConfig(backbone=infer_resnet(dict(state)), bins=bins, bin_degrees=FULL_CIRCLE / bins)


LAYOUTS = (
    Layout(
        outer=(),
        fingerprint=("conv1.weight", "layer4.2.conv3.weight", "fc_yaw_gaze.weight", "fc_pitch_gaze.weight"),
        infer_config=_infer_config,
        official_names=(
            (r"^reader\.backbone\.", ""),
            (r"^horizontal\.", "fc_yaw_gaze."),
            (r"^vertical\.", "fc_pitch_gaze."),
        ),
        unused=(r"fc_finetune\.(weight|bias)",),
    ),
)
