"""One motion from several sources: head, face, eyes and gaze, each by one wire."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from gohd_core.choices import FILLS, LENGTHS, MIXED_PARTS

from . import host, sockets, weight_files
from .sockets import combo, either, field, number, result, schema
from .values import part

CATEGORY = "GoHD/motion"
MODES = ["absolute", "relative"]

_SOURCES = {
    "pose": (sockets.Pose, "Where head movement comes from: sampled poses, or any motion."),
    "expression": (
        sockets.Expression,
        "Where the whole face comes from, lips first of all: predicted expressions, or any motion.",
    ),
    "eyes": (
        sockets.Expression,
        "Where lids and brows come from instead, if not from expression. With official weights this needs "
        "BFM_model_front.mat in models/gohd.",
    ),
    "gaze": (sockets.Gaze, "Where the eyes look: sampled, set, a path, or any motion."),
}
_SCHEDULE = (
    "Weights over time, on top of the sliders: one key a line, written as part, seconds, weight, and if "
    "wanted smooth, linear or hold. For example `pose 0 0` and `pose 1 1` fade head movement in."
)


def _weight(name: str) -> Any:
    tooltip = f"How much of the {name} source is used: 0 keeps the portrait's own, 1 takes it, 2 exaggerates."
    return number(f"{name}_weight", tooltip, 1.0, (0.0, 2.0, 0.05), advanced=name == "eyes")


def _mode(name: str) -> Any:
    tooltip = (
        f"absolute takes the {name} as it is; relative takes only its change over its first frame and adds "
        "it to the portrait's own: choose it for another person's video."
    )
    return combo(f"{name}_mode", tooltip, MODES, advanced=True)


class MixMotion(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDMixMotion",
            display_name="Mix Motion",
            category=CATEGORY,
            description=(
                "Puts head, face, eyes and gaze together, each from its own source. What is not connected "
                "stays as in the portrait."
            ),
            search_aliases=["gohd", "combine motion", "retarget", "drive"],
            inputs=[
                field(sockets.Portrait, "portrait", "Whose own pose, expression and gaze fill the gaps."),
                *(
                    either(name, [kind, sockets.Motion], tooltip, optional=True)
                    for name, (kind, tooltip) in _SOURCES.items()
                ),
                *map(_weight, MIXED_PARTS),
                combo(
                    "length",
                    "How long the result is: as its longest or shortest source, or as one of them.",
                    [*LENGTHS, *MIXED_PARTS],
                    default=LENGTHS[0],
                ),
                combo(
                    "fill",
                    "What sources of another length do: hold their last frame, loop, go back and forth, or "
                    "retime: play all of it faster or slower to fit.",
                    FILLS,
                ),
                *map(_mode, MIXED_PARTS),
                field(io.String, "schedule", _SCHEDULE, default="", multiline=True, advanced=True),
            ],
            outputs=[
                result(sockets.Motion, "motion", "The motion, for Animate Portrait and Render Video."),
                result(io.Float, "fps", "Its frames a second."),
                result(io.Int, "frames", "Its number of frames."),
            ],
        )

    @classmethod
    def validate_inputs(cls, schedule: str) -> bool | str:
        from gohd_core.motion.keyframes import parse_schedule

        return host.text_problem(lambda text: parse_schedule(text, MIXED_PARTS), schedule)

    @classmethod
    @host.translate_errors
    def execute(cls, portrait: Any, schedule: str = "", **inputs: Any) -> io.NodeOutput:
        from gohd_core.motion.mixing import MixSettings, mix_motion, weighted_schedule

        own = portrait.motion
        sliders = {name: inputs[f"{name}_weight"] for name in MIXED_PARTS}
        settings = MixSettings(
            weights=weighted_schedule(sliders, schedule),
            relative=frozenset(name for name in MIXED_PARTS if inputs[f"{name}_mode"] == "relative"),
            length=inputs["length"],
            fill=inputs["fill"],
        )
        sources = {
            name: part(inputs.get(name), "expression" if name == "eyes" else name) for name in MIXED_PARTS
        }
        model = None if sources["eyes"] is None else weight_files.morphable_model(own.space)
        motion = mix_motion(own, **sources, settings=settings, model=model)
        return io.NodeOutput(motion, float(motion.fps), len(motion))


NODES = (MixMotion,)
