"""GoHD's socket types, and inputs and schemas that every supported ComfyUI takes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection
from typing import Any

from comfy_api.latest import io

Animator = io.Custom("GOHD_ANIMATOR")
PoseModel = io.Custom("GOHD_POSE_MODEL")
ExpressionModel = io.Custom("GOHD_EXPRESSION_MODEL")
GazeModel = io.Custom("GOHD_GAZE_MODEL")
Extractor = io.Custom("GOHD_EXTRACTOR")
GazeEstimator = io.Custom("GOHD_GAZE_ESTIMATOR")
Portrait = io.Custom("GOHD_PORTRAIT")
Sound = io.Custom("GOHD_AUDIO")
Pose = io.Custom("GOHD_POSE")
Expression = io.Custom("GOHD_EXPRESSION")
Gaze = io.Custom("GOHD_GAZE")
Motion = io.Custom("GOHD_MOTION")
HeadTrack = io.Custom("GOHD_TRACK")
FaceLandmarks = io.Custom("FACE_LANDMARKS")
"""ComfyUI core's own, from 0.23 on; see `gohd_core.face.mediapipe.points`."""

COUNTLESS = 100_000
NUMBER = r"-?\d+(?:\.\d+)?"

NEWER = frozenset({"advanced", "search_aliases", "essentials_category", "has_intermediate_output"})
"""Arguments that ComfyUI 0.8 does not know yet; they are left out there. Any other must be known."""


def field(kind: Any, name: str, tooltip: str, **options: Any) -> Any:
    """An input of a node."""
    return kind.Input(name, tooltip=tooltip, **_known(kind.Input, options))


def number(name: str, tooltip: str, default: float, limits: tuple[float, ...], **options: Any) -> Any:
    """A number within (lowest, highest, step), whole where its default is; its tooltip names these limits."""
    kind = io.Int if isinstance(default, int) else io.Float
    options |= zip(("min", "max", "step"), limits, strict=False)
    return field(kind, name, tooltip + _limits(tooltip, *limits[:2]), default=default, **options)


def combo(
    name: str, tooltip: str, choices: Collection[str], default: str | None = None, **options: Any
) -> Any:
    """A dropdown of choices, by default the first."""
    default = default or next(iter(choices))
    return field(io.Combo, name, tooltip, options=[*choices], default=default, **options)


def either(name: str, kinds: list[Any], tooltip: str, **options: Any) -> Any:
    """An input that takes several types of wires."""
    kind = io.MultiType.Input
    return kind(name, types=kinds, tooltip=tooltip, **_known(kind, options))


def growing(kind: Any, prefix: str, tooltip: str, fixed: dict[str, str], numbers: range) -> list[Any]:
    """Optional inputs PREFIX1, PREFIX2 ... of which there is always one more, where the host knows such; else
    those that are `fixed`, with tooltips of their own. They come by name, or within `more_PREFIXs`."""
    if not hasattr(io, "Autogrow"):
        return [field(kind, name, text, optional=True) for name, text in fixed.items()]
    # Not optional itself, or 0.8 finds no template: none of them is needed as min is 0.
    one = field(kind, prefix.rstrip("_"), tooltip)
    template = io.Autogrow.TemplateNames(one, names=[f"{prefix}{k}" for k in numbers], min=0)
    return [
        io.Autogrow.Input(f"more_{prefix.rstrip('_')}s", template=template, optional=True, tooltip=tooltip)
    ]


def branching(name: str, tooltip: str, branches: dict[str, list[Any]], plain: list[Any]) -> list[Any]:
    """An optional choice whose options bring widgets, where the host knows such; else the `plain` inputs. It
    comes as a mapping of its name and theirs, or by these names."""
    if not hasattr(io, "DynamicCombo"):
        return plain
    options = [io.DynamicCombo.Option(key, inputs) for key, inputs in branches.items()]
    return [io.DynamicCombo.Input(name, options=options, optional=True, tooltip=tooltip)]


def result(kind: Any, name: str, tooltip: str) -> Any:
    """An output of a node."""
    return kind.Output(name, display_name=name, tooltip=tooltip)


def schema(**options: Any) -> Any:
    """A node's schema."""
    return io.Schema(**_known(io.Schema, options))


def _limits(tooltip: str, low: float, high: float) -> str:
    """A number's limits where its tooltip lacks them, but for those of seeds and indices."""
    named = {f"{low:g}", f"{high:g}"} <= set(re.findall(NUMBER, tooltip))
    return "" if named or high >= COUNTLESS else f" Range: {low:g} to {high:g}."


def _known(target: Any, options: dict[str, Any]) -> dict[str, Any]:
    known = inspect.signature(target).parameters
    return {name: value for name, value in options.items() if name in known or name not in NEWER}
