"""A `.tflite` graph as a torch module: its constants are buffers, its operators run one after another."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gohd_core.errors import BadCheckpoint, BadInput
from gohd_core.face.mediapipe import operators
from gohd_core.face.mediapipe.graph import Graph, Operator, read_graph

_TORCH_AXES = {0: 0, 1: 2, 2: 3, 3: 1}
"""Axis of [B, H, W, C] -> axis of [B, C, H, W]."""


@dataclass(frozen=True)
class _Step:
    """A prepared call: the function, its inputs and its output as tensor numbers."""

    call: Callable[..., Tensor]
    takes: tuple[int, ...]
    gives: int
    done: tuple[int, ...]  # tensors that nothing needs afterwards


class TfliteNetwork(nn.Module):
    """Runs a graph on batches of pictures.

    Raises: `BadCheckpoint` where the graph holds an operator, or a form of one, that is not known here.
    """

    def __init__(self, graph: Graph, where: str = "the graph") -> None:
        super().__init__()
        self.graph, self.where = graph, where
        (self._input,) = graph.inputs.values()
        shape = graph.shapes[self._input]
        if len(shape) != 4 or shape[0] != 1 or shape[3] != 3:
            raise BadCheckpoint(f"{where} takes {list(shape)} and not one picture; it is of another version.")
        self.size: tuple[int, int] = shape[1:3]
        self._buffers_by_tensor: dict[int, str] = {}
        self._steps = self._compile()

    @classmethod
    def load(cls, path: str | Path) -> TfliteNetwork:
        """From a file; `BadCheckpoint` where it is damaged or of another kind."""
        return cls(read_graph(path), str(path))

    def options(self, operator: str) -> list[Mapping[str, Any]]:
        """The options of each operator of that name, in order."""
        return [item.options for item in self.graph.operators if item.name == operator]

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """[B, 3, H, W] -> the outputs by name, in the file's order of dimensions ([B, H, W, C])."""
        if pictures.ndim != 4 or tuple(pictures.shape[1:]) != (3, *self.size):
            raise BadInput(f"This network takes [B, 3, {self.size[0]}, {self.size[1]}] pictures.")
        values: dict[int, Any] = {i: getattr(self, name) for i, name in self._buffers_by_tensor.items()}
        values[-1] = None
        values[self._input] = pictures.contiguous(memory_format=torch.channels_last)
        for step in self._steps:
            values[step.gives] = step.call(*[values[i] for i in step.takes])
            for i in step.done:
                del values[i]
        found = {name: values[i] for name, i in self.graph.outputs.items()}
        return {name: v.permute(0, 2, 3, 1) if v.ndim == 4 else v for name, v in found.items()}

    def _compile(self) -> tuple[_Step, ...]:
        calls: list[tuple[Callable[..., Tensor], tuple[int, ...], int]] = []
        for operator in self.graph.operators:
            if operator.name not in _BUILDERS:
                raise BadCheckpoint(
                    f"{self.where} has the operator {operator.name}, which is not known here; "
                    "it is of another version."
                )
            call, takes = _BUILDERS[operator.name](self, operator)
            calls.append((call, takes, operator.outputs[0]))
        last = {i: k for k, (_, takes, _) in enumerate(calls) for i in takes}
        kept = {*self._buffers_by_tensor, *self.graph.outputs.values(), -1}
        return tuple(
            _Step(call, takes, gives, tuple(i for i in {*takes} if last[i] == k and i not in kept))
            for k, (call, takes, gives) in enumerate(calls)
        )

    def hold(self, tensor: int, value: Tensor) -> int:
        """Keeps a constant as a buffer, in the form in which torch takes it."""
        name = f"constant_{tensor}"
        self._buffers_by_tensor[tensor] = name
        self.register_buffer(name, value)
        return tensor

    def constant(self, tensor: int) -> Tensor:
        """A constant of the file."""
        if tensor not in self.graph.constants:
            raise BadCheckpoint(f"{self.where} computes what is a constant in the version known here.")
        return torch.from_numpy(self.graph.constants[tensor].copy())

    def require(self, met: bool, operator: Operator) -> None:
        """Refuses a form of an operator that no known file has."""
        if not met:
            raise BadCheckpoint(
                f"{self.where} uses {operator.name} in a way that is not known here; "
                "it is of another version."
            )


Built = tuple[Callable[..., Tensor], tuple[int, ...]]
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


def _convolution(network: TfliteNetwork, operator: Operator) -> Built:
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


def _transposed(network: TfliteNetwork, operator: Operator) -> Built:
    x, kernel, bias = operator.inputs
    weight, pairs = network.constant(kernel), _pairs(operator.options)  # [O, H, W, I]
    # With a kernel as large as its stride nothing overlaps, and "same" pads nothing.
    network.require(tuple(weight.shape[1:3]) == pairs["stride"], operator)
    network.hold(kernel, weight.permute(3, 0, 1, 2).contiguous())
    network.hold(bias, network.constant(bias))
    return partial(operators.convolve_transposed, **pairs), (x, kernel, bias)


def _arithmetic(network: TfliteNetwork, operator: Operator) -> Built:
    function = operators.add if operator.name == "ADD" else operators.multiply
    whole = max(len(network.graph.shapes[i]) for i in operator.inputs)
    for i in operator.inputs:
        if i in network.graph.constants:
            value = network.constant(i)
            if whole == 4:
                value = value.reshape((1,) * (4 - value.ndim) + tuple(value.shape)).permute(0, 3, 1, 2)
            network.hold(i, value)
    return partial(function, activation=operator.options["activation"]), operator.inputs


def _pool(network: TfliteNetwork, operator: Operator) -> Built:
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


def _prelu(network: TfliteNetwork, operator: Operator) -> Built:
    slope = network.constant(operator.inputs[1])
    network.require(slope.numel() == slope.shape[-1], operator)
    network.hold(operator.inputs[1], slope.reshape(-1))
    return operators.prelu, operator.inputs


def _pad(network: TfliteNetwork, operator: Operator) -> Built:
    rows = network.constant(operator.inputs[1]).tolist()
    network.require(len(rows) == 4 and rows[0] == [0, 0], operator)
    _, height, width, channels = rows
    sides = (*width, *height, *channels)
    while sides and sides[-2:] == (0, 0):
        sides = sides[:-2]
    return partial(operators.pad, sides=sides), operator.inputs[:1]


def _reshape(network: TfliteNetwork, operator: Operator) -> Built:
    shape = network.graph.shapes[operator.outputs[0]]
    network.require(shape[:1] == (1,), operator)
    return partial(operators.reshape, shape=shape), operator.inputs[:1]


def _concatenate(network: TfliteNetwork, operator: Operator) -> Built:
    n = len(network.graph.shapes[operator.inputs[0]])
    axis = operator.options["axis"] % n
    axis = _TORCH_AXES[axis] if n == 4 else axis
    call = partial(operators.concatenate, axis=axis, activation=operator.options["activation"])
    return call, operator.inputs


def _resize(network: TfliteNetwork, operator: Operator) -> Built:
    aligned = operator.options["align_corners"]
    network.require(aligned or operator.options["half_pixel_centers"], operator)
    size = tuple(network.constant(operator.inputs[1]).tolist())
    return partial(operators.resize, size=size, align_corners=aligned), operator.inputs[:1]


def _depth_to_space(network: TfliteNetwork, operator: Operator) -> Built:
    return partial(operators.depth_to_space, block=operator.options["block"]), operator.inputs


def _strided_slice(network: TfliteNetwork, operator: Operator) -> Built:
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


def _landmarks_to_matrix(network: TfliteNetwork, operator: Operator) -> Built:
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


def _sample_window(network: TfliteNetwork, operator: Operator) -> Built:
    options = operator.options
    network.require(options["version"] == 2, operator)
    size = (options["output_width"], options["output_height"])
    return partial(operators.sample_window, size=size), operator.inputs


def _transform_landmarks(network: TfliteNetwork, operator: Operator) -> Built:
    network.require(operator.options["version"] == 2, operator)
    return operators.transform_landmarks, operator.inputs


def _plain(function: Callable[..., Tensor]) -> Callable[[TfliteNetwork, Operator], Built]:
    return lambda network, operator: (function, operator.inputs)


_BUILDERS: Mapping[str, Callable[[TfliteNetwork, Operator], Built]] = {
    "ADD": _arithmetic,
    "AVERAGE_POOL_2D": _pool,
    "CONCATENATION": _concatenate,
    "CONV_2D": _convolution,
    "Convolution2DTransposeBias": _transposed,
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
"""Operator -> function that prepares a call of it; options and constants are read once, here."""
