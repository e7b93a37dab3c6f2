"""The face animator's released file, FaceAnimator_GoHD.pt."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from gohd_core.animator.config import AnimatorConfig, level_sizes
from gohd_core.animator.network import AnimatorNetwork
from gohd_core.checkpoints.layout import Layout

NETWORK = AnimatorNetwork
CONFIG = AnimatorConfig
RENAMED = (
    (r"^decoder\.looks\.", "decoder.trunk.warped_skips."),
    (r"^decoder\.parts\.", "decoder.trunk.layer_heads."),
    (
        r"^decoder\.(constant|entrance|style|initial|basis|inner_basis|ups|convs|flows|coarse)\b",
        r"decoder.trunk.\1",
    ),
    (r"^shape\.rings\.", "shape.contours."),
    (r"^shape\.sheet\.", "shape.mesh."),
)
"""Tensors of the layered decoder and of the shape encoder, as our shipped files call them."""

_DIRECTIONS = "dec.direction.weight"
_FLOWS = "dec.to_flows."


def _infer_config(state: Mapping[str, Tensor]) -> AnimatorConfig:
    """The architecture from keys and shapes: the same network at any size, width and number of directions."""
    count = 1 + max(int(key.removeprefix(_FLOWS).split(".")[0]) for key in state if key.startswith(_FLOWS))
    size = level_sizes(1 << (count + 2))[-1]
    fusions = {key.split(".")[2] for key in state if key.startswith("dec.sft.")}
    levels = [state["dec.conv1.conv.weight"]]
    levels += [state[f"dec.convs.{2 * i}.conv.weight"] for i in range(count)]
    first = state["enc.semantics_enc.first.0.weight"]
    identity_dim, n_directions = state[_DIRECTIONS].shape
    return AnimatorConfig(
        size=size,
        encoder_size=size,
        channels=tuple(int(weight.shape[0]) for weight in levels),
        identity_dim=int(identity_dim),
        n_directions=int(n_directions),
        n_descriptor=int(first.shape[1]),
        descriptor_dim=int(first.shape[0]),
        modulate_from=size >> (len(fusions) - 1) if fusions else 2 * size,
        flow_size=min(64, size),
    )


def _adapt(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Drops the singleton axes of modulated kernels (1,out,in,k,k) and biases (1,C,1,1)."""
    adapted = {}
    for key, value in state.items():
        if value.ndim == 5 and len(value) == 1:
            value = value[0]
            if key.startswith(_FLOWS):
                value = value.flatten(1)  # [out,in,1,1] -> [out,in]
        elif key.endswith(".bias") and value.ndim == 4:
            value = value.flatten()  # [1,C,1,1] -> [C]
        adapted[key] = value
    return adapted


LAYOUTS = (
    Layout(
        outer=("gen_pose",),
        fingerprint=(
            _DIRECTIONS,
            "dec.input.input",
            "dec.to_flows.0.conv.weight",
            "dec.sft.0.scale1.conv.weight",
            "enc.fc.0.weight",
            "enc.net_app.convs.0.0.weight",
            "enc.semantics_enc.first.0.weight",
        ),
        infer_config=_infer_config,
        official_names=(
            (r"^encoder\.layers\.0\.weight", "enc.net_app.convs.0.0.weight"),
            (r"^encoder\.layers\.0\.bias", "enc.net_app.convs.0.1.bias"),
            (r"^encoder\.layers\.(\d+)\.conv\.weight", r"enc.net_app.convs.\1.conv1.0.weight"),
            (r"^encoder\.layers\.(\d+)\.conv\.bias", r"enc.net_app.convs.\1.conv1.1.bias"),
            (r"^encoder\.layers\.(\d+)\.down\.weight", r"enc.net_app.convs.\1.conv2.1.weight"),
            (r"^encoder\.layers\.(\d+)\.down\.bias", r"enc.net_app.convs.\1.conv2.2.bias"),
            (r"^encoder\.layers\.(\d+)\.skip\.weight", r"enc.net_app.convs.\1.skip.1.weight"),
            (r"^encoder\.layers\.(\d+)\.weight", r"enc.net_app.convs.\1.weight"),
            (r"^motion\.encoder\.first\.", "enc.semantics_enc.first.0."),
            (r"^motion\.encoder\.blocks\.(\d)\.", r"enc.semantics_enc.encoder\1.1."),
            (r"^motion\.mapping\.", "enc.fc."),
            (r"^directions\.weight", _DIRECTIONS),
            (r"^decoder\.constant", "dec.input.input"),
            (r"^decoder\.initial\.(weight|modulation\..*)", r"dec.conv1.conv.\1"),
            (r"^decoder\.initial\.bias", "dec.conv1.activate.bias"),
            (r"^decoder\.convs\.(\d+)\.(weight|modulation\..*)", r"dec.convs.\1.conv.\2"),
            (r"^decoder\.convs\.(\d+)\.bias", r"dec.convs.\1.activate.bias"),
            (r"^decoder\.flows\.(\d+)\.(weight|modulation\..*)", r"dec.to_flows.\1.conv.\2"),
            (r"^decoder\.flows\.(\d+)\.bias", r"dec.to_flows.\1.bias"),
            (r"^decoder\.rgbs\.(\d+)\.conv\.weight", r"dec.to_rgbs.\1.conv.0.weight"),
            (r"^decoder\.rgbs\.(\d+)\.conv\.bias", r"dec.to_rgbs.\1.conv.1.bias"),
            (r"^decoder\.rgbs\.(\d+)\.bias", r"dec.to_rgbs.\1.bias"),
            (r"^decoder\.fusions\.(\d+)\.(scale|shift)_in\.bias", r"dec.sft.\1.\g<2>1.activate.bias"),
            (
                r"^decoder\.fusions\.(\d+)\.(scale|shift)_in\.(weight|modulation\..*)",
                r"dec.sft.\1.\g<2>1.conv.\3",
            ),
            (r"^decoder\.fusions\.(\d+)\.(scale|shift)_out\.", r"dec.sft.\1.\g<2>2."),
        ),
        unused=(r".*\.kernel", r".*\.noise\.weight", r"dec\.to_rgb1\..*"),
        adapt=_adapt,
    ),
)
