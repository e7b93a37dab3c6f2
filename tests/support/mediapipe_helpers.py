"""Shared by the tests of MediaPipe's networks: the files where they are, and small graphs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gohd_core.checkpoints.face_files import find_face_files, missing_face_files

FOUND = find_face_files()
"""Looked for before the tests hide them from everything else (`tests/conftest.py`)."""

needs_files = pytest.mark.skipif(
    missing_face_files() is not None, reason="MediaPipe's face networks are not here: gohd download faces"
)


def face_file(name: str) -> Path:
    """One of the files, found where a reader without a folder finds it."""
    return FOUND[f"{name}.tflite"]


def faces_folder() -> Path:
    """The folder in which they lie."""
    return face_file("iris_landmark").parent


def tiny_tflite(
    kernel: np.ndarray, *, stride: int = 1, sparse: bool = False, code: int | None = None
) -> bytes:
    """A `.tflite` file with one CONV_2D ("same") of [1, 6, 6, 3], written by the schema's own builders.

    kernel: float16 [O, H, W, I], dequantised in the graph.
    sparse: the kernel is stored as a sparse tensor, of which the last dimension is compressed.
    code: another operator's number in the place of CONV_2D.
    """
    import flatbuffers
    import tflite

    build = flatbuffers.Builder(1024)
    out_side = -(-6 // stride)
    tensors: list[Any] = []
    buffers: list[Any] = [_buffer(build, b"")]

    def tensor(
        name: str, shape: tuple[int, ...], kind: int, content: bytes = b"", sparsity: Any = None
    ) -> int:
        if content:
            buffers.append(_buffer(build, content))
        place, dims = build.CreateString(name), _vector(build, np.array(shape, np.int32))
        tflite.TensorStart(build)
        tflite.TensorAddName(build, place)
        tflite.TensorAddShape(build, dims)
        tflite.TensorAddType(build, kind)
        tflite.TensorAddBuffer(build, len(buffers) - 1 if content else 0)
        if sparsity is not None:
            tflite.TensorAddSparsity(build, sparsity)
        tensors.append(tflite.TensorEnd(build))
        return len(tensors) - 1

    x = tensor("picture", (1, 6, 6, 3), 0)
    if sparse:
        rows = kernel.reshape(-1, kernel.shape[-1])
        filled = [np.flatnonzero(row) for row in rows]
        segments = np.cumsum([0, *map(len, filled)])
        stored = rows[rows != 0].tobytes()
        packed = tensor("packed", kernel.shape, 1, stored, _sparsity(build, kernel.shape, segments, filled))
    else:
        packed = tensor("packed", kernel.shape, 1, kernel.tobytes())
    steps = []
    if sparse:
        dense = tensor("dense", kernel.shape, 1)
        steps.append((1, [packed], [dense], None))
        packed = dense
    weight = tensor("weight", kernel.shape, 0)
    steps.append((2, [packed], [weight], None))
    bias = tensor("bias", kernel.shape[:1], 0, np.arange(kernel.shape[0], dtype=np.float32).tobytes())
    y = tensor("maps", (1, out_side, out_side, kernel.shape[0]), 0)
    steps.append((0, [x, weight, bias], [y], stride))
    operators = [_operator(build, *step) for step in steps]
    inputs, outputs = _vector(build, np.array([x], np.int32)), _vector(build, np.array([y], np.int32))
    tensor_vector, operator_vector = _offsets(build, tensors), _offsets(build, operators)
    tflite.SubGraphStart(build)
    tflite.SubGraphAddTensors(build, tensor_vector)
    tflite.SubGraphAddInputs(build, inputs)
    tflite.SubGraphAddOutputs(build, outputs)
    tflite.SubGraphAddOperators(build, operator_vector)
    graph = tflite.SubGraphEnd(build)
    names = tflite.BuiltinOperator
    kinds = (names.CONV_2D if code is None else code, names.DENSIFY, names.DEQUANTIZE)
    codes = _offsets(build, [_code(build, kind) for kind in kinds])
    graphs, buffer_vector = _offsets(build, [graph]), _offsets(build, buffers)
    tflite.ModelStart(build)
    tflite.ModelAddVersion(build, 3)
    tflite.ModelAddOperatorCodes(build, codes)
    tflite.ModelAddSubgraphs(build, graphs)
    tflite.ModelAddBuffers(build, buffer_vector)
    build.Finish(tflite.ModelEnd(build), file_identifier=b"TFL3")
    return bytes(build.Output())


def _vector(build: Any, values: np.ndarray) -> Any:
    return build.CreateNumpyVector(values)


def _offsets(build: Any, offsets: list[Any]) -> Any:
    build.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        build.PrependUOffsetTRelative(offset)
    return build.EndVector()


def _buffer(build: Any, content: bytes) -> Any:
    import tflite

    data = _vector(build, np.frombuffer(content, np.uint8)) if content else None
    tflite.BufferStart(build)
    if data is not None:
        tflite.BufferAddData(build, data)
    return tflite.BufferEnd(build)


def _code(build: Any, kind: int) -> Any:
    import tflite

    tflite.OperatorCodeStart(build)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(build, min(kind, 127))
    tflite.OperatorCodeAddBuiltinCode(build, kind)
    return tflite.OperatorCodeEnd(build)


def _operator(build: Any, code: int, inputs: list[int], outputs: list[int], stride: int | None) -> Any:
    import tflite

    options = None
    if stride is not None:
        tflite.Conv2DOptionsStart(build)
        tflite.Conv2DOptionsAddPadding(build, 0)
        tflite.Conv2DOptionsAddStrideH(build, stride)
        tflite.Conv2DOptionsAddStrideW(build, stride)
        tflite.Conv2DOptionsAddFusedActivationFunction(build, 1)
        options = tflite.Conv2DOptionsEnd(build)
    takes, gives = (_vector(build, np.array(v, np.int32)) for v in (inputs, outputs))
    tflite.OperatorStart(build)
    tflite.OperatorAddOpcodeIndex(build, code)
    tflite.OperatorAddInputs(build, takes)
    tflite.OperatorAddOutputs(build, gives)
    if options is not None:
        tflite.OperatorAddBuiltinOptionsType(build, tflite.BuiltinOptions.Conv2DOptions)
        tflite.OperatorAddBuiltinOptions(build, options)
    return tflite.OperatorEnd(build)


def _sparsity(build: Any, shape: tuple[int, ...], segments: np.ndarray, filled: list[np.ndarray]) -> Any:
    import tflite

    def indices(values: np.ndarray) -> Any:
        data = _vector(build, values.astype(np.int32))
        tflite.Int32VectorStart(build)
        tflite.Int32VectorAddValues(build, data)
        return tflite.Int32VectorEnd(build)

    dimensions = []
    for size in shape[:-1]:
        tflite.DimensionMetadataStart(build)
        tflite.DimensionMetadataAddDenseSize(build, size)
        dimensions.append(tflite.DimensionMetadataEnd(build))
    first, second = indices(segments), indices(np.concatenate(filled))
    tflite.DimensionMetadataStart(build)
    tflite.DimensionMetadataAddFormat(build, 1)
    tflite.DimensionMetadataAddArraySegmentsType(build, 1)
    tflite.DimensionMetadataAddArraySegments(build, first)
    tflite.DimensionMetadataAddArrayIndicesType(build, 1)
    tflite.DimensionMetadataAddArrayIndices(build, second)
    dimensions.append(tflite.DimensionMetadataEnd(build))
    order, places = _vector(build, np.arange(len(shape), dtype=np.int32)), _offsets(build, dimensions)
    tflite.SparsityParametersStart(build)
    tflite.SparsityParametersAddTraversalOrder(build, order)
    tflite.SparsityParametersAddDimMetadata(build, places)
    return tflite.SparsityParametersEnd(build)
