"""Deep3DFaceRecon's epoch_20.pth: where it keeps its ResNet-50 and seven heads."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from gohd_core.checkpoints.layout import Layout
from gohd_core.face.reading.extractor_network import HEADS, ExtractorConfig, ExtractorNetwork
from gohd_core.face.reading.resnet import infer_resnet

NETWORK = ExtractorNetwork
CONFIG = ExtractorConfig


def _infer_config(state: Mapping[str, Tensor]) -> ExtractorConfig:
    return ExtractorConfig(backbone=infer_resnet(dict(state), "backbone."))


def _flat_heads(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The heads are 1x1 convolutions in the file; on a single pixel that is a linear map."""
    return {
        key: value.flatten(1) if key.startswith("final_layers.") and value.ndim == 4 else value
        for key, value in state.items()
    }


LAYOUTS = (
    Layout(
        outer=("net_recon",),
        fingerprint=(
            "backbone.conv1.weight",
            "backbone.layer4.2.conv3.weight",
            *(f"final_layers.{index}.weight" for index in range(len(HEADS))),
        ),
        infer_config=_infer_config,
        official_names=((r"^reader\.", ""), (r"^heads\.", "final_layers.")),
        adapt=_flat_heads,
    ),
)
