"""79999_iter.pth: a plain state dict of BiSeNet for 19 face parts."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from gohd_core.checkpoints.layout import Layout
from gohd_core.face.reading.resnet import infer_resnet
from gohd_core.face.segmentation.parsing_network import ParsingConfig, ParsingNetwork

NETWORK = ParsingNetwork
CONFIG = ParsingConfig


def _infer_config(state: Mapping[str, Tensor]) -> ParsingConfig:
    return ParsingConfig(
        backbone=infer_resnet(dict(state), "cp.resnet."),
        width=state["cp.arm16.conv.conv.weight"].shape[0],
        classes=state["conv_out.conv_out.weight"].shape[0],
    )


LAYOUTS = (
    Layout(
        outer=(),
        fingerprint=(
            "cp.resnet.conv1.weight",
            "cp.arm16.conv_atten.weight",
            "ffm.convblk.conv.weight",
            "conv_out.conv_out.weight",
        ),
        infer_config=_infer_config,
        official_names=(
            (r"^context\.backbone\.", "cp.resnet."),
            (r"^context\.refine(16|32)\.block\.", r"cp.arm\1.conv."),
            (r"^context\.refine(16|32)\.gate\.", r"cp.arm\1.conv_atten."),
            (r"^context\.refine(16|32)\.gate_norm\.", r"cp.arm\1.bn_atten."),
            (r"^context\.global_context\.", "cp.conv_avg."),
            (r"^context\.head(16|32)\.", r"cp.conv_head\1."),
            (r"^fusion\.block\.", "ffm.convblk."),
            (r"^fusion\.squeeze\.", "ffm.conv1."),
            (r"^fusion\.excite\.", "ffm.conv2."),
            (r"^head\.block\.", "conv_out.conv."),
            (r"^head\.classes\.", "conv_out.conv_out."),
            # The auxiliary heads are named in the file after maps half and a quarter of theirs in size.
            (r"^head8\.block\.", "conv_out16.conv."),
            (r"^head8\.classes\.", "conv_out16.conv_out."),
            (r"^head16\.block\.", "conv_out32.conv."),
            (r"^head16\.classes\.", "conv_out32.conv_out."),
        ),
    ),
)
