"""Reads a `.tflite` file into a plain description: tensors, constants, operators with their options.

Compressed constants are expanded here: float16 becomes float32 (DEQUANTIZE) and sparse dense (DENSIFY), so
that neither is left among the operators.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from gohd_core.errors import BadCheckpoint

_TYPES = {0: np.float32, 1: np.float16, 2: np.int32, 3: np.uint8, 4: np.int64}
"""tflite's TensorType -> numpy."""

_ACTIVATIONS = {0: None, 1: "relu", 3: "relu6"}
_DENSE = 0

_OPTIONS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "ADD": ("AddOptions", {"activation": "FusedActivationFunction"}),
    "MUL": ("MulOptions", {"activation": "FusedActivationFunction"}),
    "CONCATENATION": ("ConcatenationOptions", {"axis": "Axis", "activation": "FusedActivationFunction"}),
    "DEPTH_TO_SPACE": ("DepthToSpaceOptions", {"block": "BlockSize"}),
    "RESIZE_BILINEAR": (
        "ResizeBilinearOptions",
        {"align_corners": "AlignCorners", "half_pixel_centers": "HalfPixelCenters"},
    ),
    "STRIDED_SLICE": (
        "StridedSliceOptions",
        {
            "begin_mask": "BeginMask",
            "end_mask": "EndMask",
            "ellipsis_mask": "EllipsisMask",
            "new_axis_mask": "NewAxisMask",
            "shrink_axis_mask": "ShrinkAxisMask",
        },
    ),
    "CONV_2D": (
        "Conv2DOptions",
        {
            "stride_h": "StrideH",
            "stride_w": "StrideW",
            "dilation_h": "DilationHFactor",
            "dilation_w": "DilationWFactor",
            "padding": "Padding",
            "activation": "FusedActivationFunction",
        },
    ),
    "DEPTHWISE_CONV_2D": (
        "DepthwiseConv2DOptions",
        {
            "stride_h": "StrideH",
            "stride_w": "StrideW",
            "dilation_h": "DilationHFactor",
            "dilation_w": "DilationWFactor",
            "padding": "Padding",
            "activation": "FusedActivationFunction",
        },
    ),
    "MAX_POOL_2D": (
        "Pool2DOptions",
        {
            "stride_h": "StrideH",
            "stride_w": "StrideW",
            "filter_h": "FilterHeight",
            "filter_w": "FilterWidth",
            "padding": "Padding",
            "activation": "FusedActivationFunction",
        },
    ),
}
_OPTIONS = {**_OPTIONS, "AVERAGE_POOL_2D": _OPTIONS["MAX_POOL_2D"]}
"""Operators with options: the table that holds them, and our name -> its name for each."""

_DAMAGED = (
    struct.error,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    KeyError,
    OverflowError,
    MemoryError,
)
"""Errors of the parser where offsets lead out of the file or to something else."""


@dataclass(frozen=True)
class Operator:
    """One step of a graph.

    Attributes:
        name: tflite's name, or a custom operator's.
        inputs, outputs: numbers of tensors; -1 where an optional input is left out.
        options: by name; `activation` is None, "relu" or "relu6", `padding` "same" or "valid".
    """

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Graph:
    """A network as its file describes it; pictures are [1, H, W, C] there.

    Attributes:
        shapes: of each tensor by number.
        constants: values of those tensors that the file holds.
        operators: in the order in which they run.
        inputs, outputs: tensor numbers by name, in the file's order.
    """

    shapes: Mapping[int, tuple[int, ...]]
    constants: Mapping[int, np.ndarray]
    operators: tuple[Operator, ...]
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]


def read_graph(path: str | Path) -> Graph:
    """Reads the file's one graph.

    Raises: `BadCheckpoint` when it is missing, no `.tflite` file, cut off, or holds unknown operators.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadCheckpoint(f"{path} can't be read ({error.strerror or error}); check the path.") from error
    if content[4:8] != b"TFL3":
        raise BadCheckpoint(f"{path} is not a .tflite file; get the one that its name says.")
    try:
        return _read(content, path)
    except BadCheckpoint:
        raise
    except _DAMAGED as error:
        raise BadCheckpoint(
            f"{path} is damaged or cut off ({type(error).__name__}); delete it and get it again."
        ) from error


def _read(content: bytes, path: Path) -> Graph:
    import tflite

    model = tflite.Model.GetRootAsModel(content, 0)
    if model.Version() != 3 or model.SubgraphsLength() != 1:
        raise BadCheckpoint(f"{path} is of another kind of .tflite than is read here; get the released one.")
    graph = model.Subgraphs(0)
    tensors = [graph.Tensors(i) for i in range(graph.TensorsLength())]
    shapes = {i: tuple(map(int, _vector(tensor.ShapeAsNumpy()))) for i, tensor in enumerate(tensors)}
    constants: dict[int, np.ndarray] = {}
    for i, tensor in enumerate(tensors):
        data = model.Buffers(tensor.Buffer())
        if data.DataLength():
            values = data.DataAsNumpy().view(_TYPES[tensor.Type()])
            sparsity = tensor.Sparsity()
            constants[i] = (
                values.reshape(shapes[i]) if sparsity is None else _dense(values, sparsity, shapes[i], path)
            )
    operators = []
    kinds = [_kind(model.OperatorCodes(i)) for i in range(model.OperatorCodesLength())]
    for i in range(graph.OperatorsLength()):
        operator = _operator(kinds, graph.Operators(i))
        if operator.name in ("DENSIFY", "DEQUANTIZE") and operator.inputs[0] in constants:
            value = constants[operator.inputs[0]]
            constants[operator.outputs[0]] = value if operator.name == "DENSIFY" else value.astype(np.float32)
        else:
            operators.append(operator)

    def named(numbers: Any) -> dict[str, int]:
        return {tensors[i].Name().decode(): int(i) for i in _vector(numbers)}

    return Graph(
        shapes, constants, tuple(operators), named(graph.InputsAsNumpy()), named(graph.OutputsAsNumpy())
    )


def _vector(values: Any) -> Any:
    """A vector that is not in the file is read as the number 0."""
    return () if isinstance(values, int) else values


def _kind(code: Any) -> tuple[str, dict[str, Any]]:
    """Name of an operator; of a custom one also its version, which says which form of it is meant."""
    # The narrow field is what older writers fill; the wide one is 0 (ADD) there.
    name = _operator_names()[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
    return (code.CustomCode().decode(), {"version": code.Version()}) if name == "CUSTOM" else (name, {})


def _operator(kinds: Sequence[tuple[str, dict[str, Any]]], operator: Any) -> Operator:
    name, version = kinds[operator.OpcodeIndex()]
    options = version | _custom_options(name, operator) if version else _builtin_options(name, operator)
    inputs, outputs = (
        tuple(map(int, _vector(v))) for v in (operator.InputsAsNumpy(), operator.OutputsAsNumpy())
    )
    return Operator(name, inputs, outputs, options)


@lru_cache(maxsize=1)
def _operator_names() -> dict[int, str]:
    import tflite

    return {value: key for key, value in vars(tflite.BuiltinOperator).items() if isinstance(value, int)}


def _builtin_options(name: str, operator: Any) -> dict[str, Any]:
    import tflite

    if name not in _OPTIONS:
        return {}
    kind, fields = _OPTIONS[name]
    table, place = getattr(tflite, kind)(), operator.BuiltinOptions()
    if place is not None:
        table.Init(place.Bytes, place.Pos)
    options = {ours: getattr(table, theirs)() for ours, theirs in fields.items()}
    if "activation" in options:
        options["activation"] = _ACTIVATIONS[options["activation"]]
    if "padding" in options:
        options["padding"] = "same" if options["padding"] == 0 else "valid"
    return options


def _custom_options(name: str, operator: Any) -> dict[str, Any]:
    """Options of a custom operator: a flexbuffer map, or a struct of three int32."""
    if not operator.CustomOptionsLength():
        return {}
    content = operator.CustomOptionsAsNumpy().tobytes()
    if name == "Convolution2DTransposeBias":
        padding, stride_w, stride_h = struct.unpack("<3i", content)
        return {"padding": "same" if padding == 1 else "valid", "stride_h": stride_h, "stride_w": stride_w}
    from flatbuffers import flexbuffers

    return dict(flexbuffers.Loads(content))


def _dense(values: np.ndarray, sparsity: Any, shape: tuple[int, ...], path: Path) -> np.ndarray:
    """The dense form of a sparse constant: each dimension is whole, or compressed as in CSR."""
    order = list(_vector(sparsity.TraversalOrderAsNumpy()))
    if order != list(range(len(shape))) or sparsity.BlockMapLength():
        raise BadCheckpoint(f"{path} holds a blockwise sparse constant, which is not known here.")
    dimensions = [sparsity.DimMetadata(i) for i in range(sparsity.DimMetadataLength())]
    # Flat index of each entry that is kept so far, from the outermost dimension inwards.
    index = np.zeros(1, np.int64)
    for size, dimension in zip(shape, dimensions, strict=True):
        if dimension.Format() == _DENSE:
            index = (index[:, None] * size + np.arange(size)).reshape(-1)
            continue
        segments = _integers(dimension.ArraySegments(), dimension.ArraySegmentsType())
        indices = _integers(dimension.ArrayIndices(), dimension.ArrayIndicesType())
        index = np.repeat(index, np.diff(segments)) * size + indices
    dense = np.zeros(int(np.prod(shape)), values.dtype)
    dense[index] = values
    return dense.reshape(shape)


def _integers(place: Any, kind: int) -> np.ndarray:
    """A vector of a `SparseIndexVector` union."""
    import tflite

    vector = {1: tflite.Int32Vector, 2: tflite.Uint16Vector, 3: tflite.Uint8Vector}[kind]()
    vector.Init(place.Bytes, place.Pos)
    return np.asarray(_vector(vector.ValuesAsNumpy()), np.int64)
