"""The released head-pose denoiser (audio2pose.pt), and the layout that the released gaze denoiser shares."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from torch import Tensor

from gohd_core.checkpoints.layout import Layout
from gohd_core.constants import MEL_CONDITION, N_GAZE
from gohd_core.pose.config import DiffusionConfig
from gohd_core.pose.denoiser import DenoisingNetwork

NETWORK = DenoisingNetwork
CONFIG = DiffusionConfig

_CONDITION = "residual_layers.0.local_cond_projection.weight"
_OUTPUT = "output_projection.conv1d.weight"
_CONFORMER = "residual_layers.0.nn.attention_blocks"
_PLAIN = "|".join(str(index) for index in range(0, 60, 3))
"""Residual layers whose feed-forward is linear; the others' are convolutions."""

_OFFICIAL_NAMES = (
    (r"^(?:un)?conditional\.", ""),
    (r"^step_embedding\.0\.", "diffusion_embedding.projection1."),
    (r"^step_embedding\.2\.", "diffusion_embedding.projection2."),
    (r"(^|\.)(input|skip|output)_projection\.", r"\1\2_projection.conv1d."),
    (r"^blocks\.", "residual_layers."),
    (r"\.step_projection\.", ".diffusion_projection."),
    (r"\.condition_projection\.", ".local_cond_projection."),
    (r"\.stack\.enter\.", ".nn.in_proj."),
    (r"\.stack\.leave\.", ".nn.out_proj."),
    (r"\.stack\.conformers\.", ".nn.attention_blocks."),
    (r"\.attention_norm\.", ".norm_2."),
    (r"\.feed_forward_norm\.", ".norm_1."),
    (r"\.attention\.key_value_query\.", ".attn.in_proj."),
    (r"\.attention\.gate\.", ".attn.gate."),
    (r"\.attention\.positional\.", ".attn.position_scorer."),
    (r"\.feed_forward\.expand\.", ".ff.conv_1."),
    (r"\.feed_forward\.contract\.", ".ff.conv_2."),
    (rf"^(residual_layers\.(?:{_PLAIN})\..*\.ff)\.conv_", r"\1.linear_"),
)


def infer_config(state: Mapping[str, Tensor]) -> DiffusionConfig:
    """Sizes, and whether the network takes p0, from the official tensors."""
    channels, width = state[_OUTPUT].shape
    condition = state[_CONDITION].shape[1]
    if condition not in (MEL_CONDITION, MEL_CONDITION + channels):
        raise ValueError(f"its condition is {condition} wide")
    kernels, heads = state[f"{_CONFORMER}.0.attn.position_scorer.offsets"].shape
    step_width, step_code = state["diffusion_embedding.projection1.weight"].shape
    return DiffusionConfig(
        channels=channels,
        width=width,
        blocks=_count(state, "residual_layers"),
        conformers=_count(state, _CONFORMER),
        heads=heads,
        kernels=kernels,
        feedforward=state[f"{_CONFORMER}.0.ff.linear_1.weight"].shape[0] // width,
        step_code=step_code,
        step_width=step_width,
        form="unconditional" if condition == MEL_CONDITION else "conditional",
    )


def _count(state: Mapping[str, Tensor], prefix: str) -> int:
    """Number of numbered modules under a prefix."""
    return 1 + max(int(key[len(prefix) + 1 :].split(".")[0]) for key in state if key.startswith(f"{prefix}."))


def adapt(state: dict[str, Tensor], *, gaze: bool) -> dict[str, Tensor]:
    """Official tensors in our shapes; nothing when the file's channels are those of the sibling.

    Pose and gaze files have the same keys and differ in the number of channels alone.
    """
    if _OUTPUT in state and (state[_OUTPUT].shape[0] == N_GAZE) != gaze:
        return {}
    adapted = {}
    for key, value in state.items():
        if ".position_scorer." in key or (key.endswith(".conv1d.weight") and value.shape[-1] == 1):
            value = value.squeeze()
        adapted[key] = value
    return adapted


def layout(*, gaze: bool) -> Layout:
    """The layout that the pose and the gaze file share."""
    return Layout(
        outer=("model",),
        fingerprint=(
            "input_projection.conv1d.weight",
            "diffusion_embedding.projection1.weight",
            _CONDITION,
            f"{_CONFORMER}.0.attn.position_scorer.offsets",
            _OUTPUT,
        ),
        infer_config=infer_config,
        official_names=_OFFICIAL_NAMES,
        adapt=partial(adapt, gaze=gaze),
    )


LAYOUTS = (layout(gaze=False),)
