"""A `.tflite` graph as a torch module: its constants are buffers, its operators run one after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gohd_core.errors import BadCheckpoint, BadInput
from gohd_core.face.mediapipe.calls import BUILDERS
from gohd_core.face.mediapipe.graph import Graph, Operator, read_graph


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
            if operator.name not in BUILDERS:
                raise BadCheckpoint(
                    f"{self.where} has the operator {operator.name}, which is not known here; "
                    "it is of another version."
                )
            call, takes = BUILDERS[operator.name](self, operator)
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
