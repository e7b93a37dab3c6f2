"""The expression predictor's files: the released stage 1, and both two-stage classes of the code.

Only the first was ever published (audio2exp.pth). The other two are laid out as the authors' code
would save them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from gohd_core.checkpoints.layout import Layout
from gohd_core.constants import N_EXPRESSION, N_EYE_MOTION
from gohd_core.expression.config import ExpressionConfig
from gohd_core.expression.eye_motion_transformer import sinusoid
from gohd_core.expression.network import ExpressionNetwork

NETWORK = ExpressionNetwork
CONFIG = ExpressionConfig

_FIRST, _LAST = "audio_encoder.0.conv_block.0.weight", "audio_encoder.13.conv_block.0.weight"
_POSITIONS = "pos_embed.pos_table"


def _encoder_names(prefix: str) -> tuple[tuple[str, str], ...]:
    place = rf"{prefix}audio_encoder.\1.conv_block"
    return (
        (r"^lips\.audio_encoder\.layers\.(\d+)\.conv\.", rf"{place}.0."),
        (r"^lips\.audio_encoder\.layers\.(\d+)\.norm\.", rf"{place}.1."),
        (r"^lips\.mapping\.0\.", f"{prefix}mapping1."),
    )


_EYE_NAMES = ((r"^eyes\.embedding\.", "control_encoder."), (r"^eyes\.output\.", "output."))
_TRANSFORMER_NAMES = (
    (r"^eyes\.(layers\.\d+)\.self_attention\.", r"decoder.\1.self_attn."),
    (r"^eyes\.(layers\.\d+)\.audio_attention\.", r"decoder.\1.multihead_attn."),
    (r"^eyes\.(layers\.\d+)\.expand\.", r"decoder.\1.linear1."),
    (r"^eyes\.(layers\.\d+)\.contract\.", r"decoder.\1.linear2."),
    (r"^eyes\.(layers\.\d+\.norm\d\.)", r"decoder.\1"),
    (r"^eyes\.norm\.", "decoder.norm."),
)


def _widths(state: Mapping[str, Tensor], prefix: str) -> tuple[int, ...]:
    return tuple(
        state[f"{prefix}audio_encoder.{index}.conv_block.0.weight"].shape[0] for index in (0, 3, 6, 9, 12)
    )


def stage1_config(state: Mapping[str, Tensor]) -> ExpressionConfig:
    """Stage 1 alone; the mapping's width says whether it takes eye motion."""
    widths = _widths(state, "")
    extra = state["mapping1.weight"].shape[1] - widths[-1] - N_EXPRESSION
    if extra not in (0, N_EYE_MOTION):
        raise ValueError(f"mapping1 takes {extra} values beside sound and expression")
    return ExpressionConfig(audio_widths=widths, eye_motion_input=bool(extra))


def _two_stage(state: Mapping[str, Tensor], kind: str, noise_width: int) -> ExpressionConfig:
    return ExpressionConfig(
        kind=kind,
        eye_motion_input=True,
        audio_widths=_widths(state, "simplewarpper."),
        embedding_hidden=state["control_encoder.0.weight"].shape[0],
        embedding_width=state["control_encoder.2.weight"].shape[0],
        noise_width=noise_width,
        output_hidden=state["output.0.weight"].shape[0],
    )


def lstm_config(state: Mapping[str, Tensor]) -> ExpressionConfig:
    """The LSTM's noise has the width that sound, omega_0 and e_0 leave of its input."""
    audio = _widths(state, "simplewarpper.")[-1]
    omega = state["control_encoder.2.weight"].shape[0]
    noise = state["lstm.weight_ih_l0"].shape[1] - audio - omega - N_EXPRESSION
    return _two_stage(state, "lstm", noise)


def transformer_config(state: Mapping[str, Tensor]) -> ExpressionConfig:
    """The position table must be the sinusoid that we compute instead of storing it."""
    table = state[_POSITIONS][0]
    if not torch.allclose(table, sinusoid(0, *table.shape), atol=1e-6):
        raise ValueError("its position table is not the usual sinusoid")
    return _two_stage(state, "transformer", table.shape[1])


def _layout(
    fingerprint: tuple[str, ...],
    infer_config: Callable[[Mapping[str, Tensor]], ExpressionConfig],
    names: tuple[tuple[str, str], ...],
    unused: tuple[str, ...] = (),
) -> Layout:
    return Layout(
        outer=("state_dict_G",),
        fingerprint=fingerprint,
        infer_config=infer_config,
        official_names=names,
        unused=unused,
        prefix="module.",
    )


LAYOUTS = (
    _layout((_FIRST, _LAST, "mapping1.weight"), stage1_config, _encoder_names("")),
    _layout(
        (f"simplewarpper.{_FIRST}", f"simplewarpper.{_LAST}", "lstm.weight_ih_l0", "lstm.weight_ih_l1"),
        lstm_config,
        (*_encoder_names("simplewarpper."), (r"^eyes\.lstm\.", "lstm."), *_EYE_NAMES),
    ),
    _layout(
        (
            f"simplewarpper.{_FIRST}",
            f"simplewarpper.{_LAST}",
            "decoder.norm.weight",
            "decoder.layers.0.self_attn.in_proj_weight",
        ),
        transformer_config,
        (*_encoder_names("simplewarpper."), *_TRANSFORMER_NAMES, *_EYE_NAMES),
        unused=(r"pos_embed\.pos_table",),
    ),
)
