"""Stands in for comfy_api.latest.io: sockets, widgets, schemas and the node's base class."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class NumberDisplay(str, Enum):
    number = "number"
    slider = "slider"


class Input:
    def __init__(
        self,
        id: str,
        display_name: str | None = None,
        optional: bool = False,
        tooltip: str | None = None,
        advanced: bool | None = None,
    ) -> None:
        self.id, self.optional, self.tooltip, self.advanced = id, optional, tooltip, advanced

    def get_io_type(self) -> str:
        return self.io_type

    def widget_options(self) -> dict[str, Any]:
        plain = {k: v for k, v in vars(self).items() if k not in ("id", "optional", "tooltip", "kinds")}
        return {key: value for key, value in plain.items() if value is not None}


class Output:
    def __init__(
        self, id: str | None = None, display_name: str | None = None, tooltip: str | None = None
    ) -> None:
        self.id, self.display_name, self.tooltip = id, display_name, tooltip


def _kind(name: str, *widget: str) -> type:
    """A socket type; its inputs take the given widget options besides the usual ones."""

    class Kind:
        io_type = name

        class Input(Input):
            io_type = name

            def __init__(self, id: str, **options: Any) -> None:
                unknown = set(options) - {"display_name", "optional", "tooltip", "advanced", *widget}
                if unknown:
                    raise TypeError(f"{name}.Input has no {', '.join(sorted(unknown))}")
                own = {key: options.pop(key) for key in widget if key in options}
                super().__init__(id, **options)
                self.__dict__.update(own)

        class Output(Output):
            io_type = name

    Kind.Input.widget = bool(widget)
    return Kind


def Custom(io_type: str) -> type:
    return _kind(io_type)


Image, Mask, Audio, Video = (_kind(name) for name in ("IMAGE", "MASK", "AUDIO", "VIDEO"))
_NUMBER = ("default", "min", "max", "step", "display_mode")
Int = _kind("INT", *_NUMBER, "control_after_generate")
Float = _kind("FLOAT", *_NUMBER, "round")
String = _kind("STRING", "default", "multiline", "placeholder")
Boolean = _kind("BOOLEAN", "default", "label_on", "label_off")
Combo = _kind("COMBO", "default", "options")


class MultiType:
    class Input(Input):
        widget = False

        def __init__(self, id: str, types: list[type], **options: Any) -> None:
            super().__init__(id, **options)
            self.kinds = types

        def get_io_type(self) -> str:
            return ",".join(kind.io_type for kind in self.kinds)


@dataclass
class Schema:
    node_id: str
    display_name: str | None = None
    category: str = "sd"
    inputs: list[Input] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    hidden: list[Any] = field(default_factory=list)
    description: str = ""
    search_aliases: list[str] = field(default_factory=list)
    is_output_node: bool = False
    essentials_category: str | None = None
    has_intermediate_output: bool = False


class NodeOutput:
    def __init__(self, *args: Any, ui: Any = None) -> None:
        self.args, self.ui = args, ui

    @property
    def result(self) -> tuple[Any, ...]:
        return self.args


class ComfyNode:
    @classmethod
    def define_schema(cls) -> Schema:
        raise NotImplementedError

    @classmethod
    def execute(cls, **inputs: Any) -> NodeOutput:
        raise NotImplementedError
