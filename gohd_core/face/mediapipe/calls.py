"""Operators of a `.tflite` graph -> prepared calls of torch functions; options, constants are read once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gohd_core.face.mediapipe import operators
from gohd_core.face.mediapipe.graph import Operator

if TYPE_CHECKING:
    from gohd_core.face.mediapipe.network import TfliteNetwork

_TORCH_AXES = {0: 0, 1: 2, 2: 3, 3: 1}
"""Axis of [B, H, W, C] -> axis of [B, C, H, W]."""

PreparedCall = tuple[Callable[..., Tensor], tuple[int, ...]]
"""The call and the tensors that it takes."""


def _pairs(options: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """(height, width) of an operator that has them as two options."""
    names = {name[:-2] for name in options if name.endswith("_h")}
    return {name: (options[f"{name}_h"], options[f"{name}_w"]) for name in names}


def _sides(
    shape: tuple[int, ...], size: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]
) -> operators.Sides:
    """Padding of "same": the odd pixel at the right and at the bottom."""
    total = [
        max((math.ceil(n / s) - 1) * s + (k - 1) * d + 1 - n, 0)
        for n, k, s, d in zip(shape[1:3], size, stride, dilation, strict=True)
    ]
    return total[1] // 2, total[1] - total[1] // 2, total[0] // 2, total[0] - total[0] // 2


def _convolution(network: TfliteNetwork, operator: Operator) -> PreparedCall:
    depthwise = operator.name == "DEPTHWISE_CONV_2D"
    x, kernel = operator.inputs[:2]
    bias = operator.inputs[2] if len(operator.inputs) > 2 else -1
    weight = network.constant(kernel)  # [O, H, W, I], depthwise [1, H, W, O]
    weight = weight.permute(3, 0, 1, 2) if depthwise else weight.permute(0, 3, 1, 2)
    shape = network.graph.shapes[x]
    network.require(depthwise is False or weight.shape[0] == shape[3], operator)
    pairs = _pairs(operator.options)
    same = operator.options["padding"] == "same"
    sides = _sides(shape, tuple(weight.shape[2:]), pairs["stride"], pairs["dilation"]) if same else (0,) * 4
    network.hold(kernel, weight.contiguous(memory_format=torch.channels_last))
    if bias >= 0:
        network.hold(bias, network.constant(bias))
    call = partial(
        operators.convolve,
        **pairs,
        sides=sides,
        groups=shape[3] if depthwise else 1,
        activation=operator.options["activation"],
    )
    return call, (x, kernel, bias)


def _transposed_convolution(network: TfliteNetwork, operator: Operator) -> PreparedCall:
    x, kernel, bias = operator.inputs
    weight, pairs = network.constant(kernel), _pairs(operator.options)  # [O, H, W, I]
    # With a kernel as large as its stride nothing overlaps, and "same" pads nothing.
    network.require(tuple(weight.shape[1:3]) == pairs["stride"], operator)
    network.hold(kernel, weight.permute(3, 0, 1, 2).contiguous())
    network.hold(bias, network.constant(bias))
    return partial(operators.convolve_transposed, **pairs), (x, kernel, bias)


def _arithmetic(network: TfliteNetwork, operator: Operator) -> PreparedCall:
    function = operators.add if operator.name == "ADD" else operators.multiply
    whole = max(len(network.graph.shapes[i]) for i in operator.inputs)
    for i in operator.inputs:
        if i in network.graph.constants:
            value = network.constant(i)
            if whole == 4:
                value = value.reshape((1,) * (4 - value.ndim) + tuple(value.shape)).permute(0, 3, 1, 2)
            network.hold(i, value)
    return partial(function, activation=operator.options["activation"]), operator.inputs


def _pool(network: TfliteNetwork, operator: Operator) -> PreparedCall:
    pairs, (x,) = _pairs(operator.options), operator.inputs
    size, stride = pairs["filter"], pairs["stride"]
    same = operator.options["padding"] == "same"
    sides = _sides(network.graph.shapes[x], size, stride, (1, 1)) if same else (0,) * 4
    activation = operator.options["activation"]
    if operator.name == "MAX_POOL_2D":
        call = partial(operators.max_pool, size=size, stride=stride, sides=sides, activation=activation)
        return call, (x,)
    network.require(not any(sides), operator)
    return partial(operators.average_pool, size=size, stride=stride, activation=activation), (x,)


def _prelu(network: TfliteNetwork, operator: Operator) -> PreparedCall:
    slope = network.constant(operator.inputs[1])
    network.require(slope.numel() == slope.shape[-1], operator)
    network.hold(operator.inputs[1], slope.reshape(-1))
    return operators.prelu, operator.inputs


def _pad(network: TfliteNetwork, operator: Operator) -> PreparedCall:
    rows = network.constant(operator.inputs[1]).tolist()
    network.require(len(rows) == 4 and rows[0] == [0, 0], operator)
    _, height, width, channels = rows
    sides = (*width, *height, *channels)
    while sides and sides[-2:] == (0, 0):
        sides = sides[:-2]
    return partial(operators.pad, sides=sides), operator.inputs[:1]


def _reshape(network: TfliteNetwork, operator: Operator) -> PreparedCall:
    shape = network.graph.shapes[operator.outputs[0]]
    network.require(shape[:1] == (1,), operator)
    return partial(operators.reshape, shape=shape), operator.inputs[:1]


def _concatenate(network: TfliteNetwork, operator: Operator) -> PreparedCall:
    n = len(network.graph.shapes[operator.inputs[0]])
    axis = operator.options["axis"] % n
    axis = _TORCH_AXES[axis] if n == 4 else axis
    call = partial(operators.concatenate, axis=axis, activation=operator.options["activation"])
    return call, operator.inputs


def _resize(network: TfliteNetwork, operator: Operator) -> PreparedCall:
    aligned = operator.options["align_corners"]
    network.require(aligned or operator.options["half_pixel_centers"], operator)
    size = tuple(network.constant(operator.inputs[1]).tolist())
    return partial(operators.resize, size=size, align_corners=aligned), operator.inputs[:1]


def _depth_to_space(network: TfliteNetwork, operator: Operator) -> PreparedCall:
    return partial(operators.depth_to_space, block=operator.options["block"]), operator.inputs


def _strided_slice(network: TfliteNetwork, operator: Operator) -> PreparedCall:
    options = operator.options
    odd = options["ellipsis_mask"] | options["new_axis_mask"] | options["shrink_axis_mask"]
    begin, end, step = (network.constant(i).tolist() for i in operator.inputs[1:4])
    network.require(not odd and min(step) > 0, operator)
    slices = [
        slice(
            None if options["begin_mask"] >> k & 1 else begin[k],
            None if options["end_mask"] >> k & 1 else end[k],
            step[k],
        )
        for k in range(len(begin))
    ]
    slices[0] = slice(None)  # the batch, whatever its size
    if len(slices) == 4:
        slices = [slices[k] for k in (0, 3, 1, 2)]
    return partial(operators.strided_slice, slices=tuple(slices)), operator.inputs[:1]


def _landmarks_to_matrix(network: TfliteNetwork, operator: Operator) -> PreparedCall:
    options = operator.options
    network.require(options["version"] == 2, operator)
    call = partial(
        operators.landmarks_to_matrix,
        subset=list(options["subset_idxs"]),
        left=options["left_rotation_idx"],
        right=options["right_rotation_idx"],
        angle=options["target_rotation_radians"],
        scale=(options["scale_x"], options["scale_y"]),
        size=(options["output_width"], options["output_height"]),
    )
    return call, operator.inputs


def _sample_window(network: TfliteNetwork, operator: Operator) -> PreparedCall:
    options = operator.options
    network.require(options["version"] == 2, operator)
    size = (options["output_width"], options["output_height"])
    return partial(operators.sample_window, size=size), operator.inputs


def _transform_landmarks(network: TfliteNetwork, operator: Operator) -> PreparedCall:
    network.require(operator.options["version"] == 2, operator)
    return operators.transform_landmarks, operator.inputs


def _plain(function: Callable[..., Tensor]) -> Callable[[TfliteNetwork, Operator], PreparedCall]:
    return lambda network, operator: (function, operator.inputs)


BUILDERS: Mapping[str, Callable[[TfliteNetwork, Operator], PreparedCall]] = {
    "ADD": _arithmetic,
    "AVERAGE_POOL_2D": _pool,
    "CONCATENATION": _concatenate,
    "CONV_2D": _convolution,
    "Convolution2DTransposeBias": _transposed_convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "DEPTH_TO_SPACE": _depth_to_space,
    "HARD_SWISH": _plain(nn.functional.hardswish),
    "LOGISTIC": _plain(torch.sigmoid),
    "Landmarks2TransformMatrix": _landmarks_to_matrix,
    "MAX_POOL_2D": _pool,
    "MUL": _arithmetic,
    "PAD": _pad,
    "PRELU": _prelu,
    "RELU": _plain(torch.relu),
    "RESHAPE": _reshape,
    "RESIZE_BILINEAR": _resize,
    "STRIDED_SLICE": _strided_slice,
    "TransformLandmarks": _transform_landmarks,
    "TransformTensorBilinear": _sample_window,
}
"""Operator -> function that prepares a call of it."""
