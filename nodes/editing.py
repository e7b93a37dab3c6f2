"""Edits of motion: scale, smooth, retime, freeze, turn, loop, ease."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from gohd_core.choices import CENTRES, SMOOTHING, TRACKS

from . import host, sockets
from .sockets import combo, field, number, result, schema

CATEGORY = "GoHD/motion"
PARTS = {"everything": TRACKS, "pose": ("pose",), "expression": ("expression",), "gaze": ("gaze",)}


def _seconds(name: str, tooltip: str, **options: Any) -> Any:
    return number(name, tooltip, 0.0, (0.0, 3_600.0, 0.04), **options)


def _degrees(name: str, tooltip: str) -> Any:
    return number(name, tooltip, 0.0, (-90.0, 90.0, 0.5), advanced=True)


class EditMotion(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDEditMotion",
            display_name="Edit Motion",
            category=CATEGORY,
            description=(
                "Changes a motion, in this order: freeze, speed, smooth, scale, turn, loop, ease. The "
                "defaults change nothing."
            ),
            search_aliases=["gohd", "smooth", "retime", "jitter", "speed", "amplify"],
            inputs=[
                field(sockets.Motion, "motion", "The motion to change."),
                combo(
                    "part",
                    "What smoothing and scale apply to. Time is always changed for all parts alike.",
                    PARTS,
                    default="everything",
                ),
                number(
                    "scale",
                    "Factor on the movement: 0 is still, 1 as it is, 2 twice as far.",
                    1.0,
                    (0.0, 3.0, 0.05),
                ),
                combo(
                    "centre",
                    "What scale moves away from: the first frame, the mean of all, or zero (neutral).",
                    CENTRES,
                    default="first",
                    advanced=True,
                ),
                _seconds(
                    "smooth", "Takes out jitter: how slow is slow, in seconds. 0.04 to 0.2 is usual; 0 off."
                ),
                combo(
                    "smooth_method",
                    "gaussian is even and never lags; savitzky-golay keeps peaks; one-euro is calm at rest "
                    "and follows fast movement.",
                    SMOOTHING,
                    default="gaussian",
                    advanced=True,
                ),
                number(
                    "speed",
                    "Factor on the tempo, 0.1 to 10: above 1 is faster. The length changes with it.",
                    1.0,
                    (0.1, 10.0, 0.05),
                ),
                _seconds("freeze_from", "Holds the frame at this second ...", advanced=True),
                _seconds("freeze_to", "... until this second. Both equal: no freeze.", advanced=True),
                _seconds(
                    "loop",
                    "Makes the end meet the beginning: so many seconds of the end are blended into it and "
                    "cut off. 0 off.",
                    advanced=True,
                ),
                _seconds(
                    "ease_in", "Starts from the first frame's rest over so many seconds.", advanced=True
                ),
                _seconds(
                    "ease_out", "Comes back to the first frame's rest over so many seconds.", advanced=True
                ),
                _degrees("nod", "Turns the head by so many degrees: positive lowers the nose."),
                _degrees("turn", "Turns the head by so many degrees: positive takes the nose to the right."),
                _degrees("tilt", "Tilts the head by so many degrees: positive is counter-clockwise."),
                _degrees("look_up", "Turns the eyes by so many degrees: positive looks up."),
                _degrees(
                    "look_left", "Turns the eyes by so many degrees: positive looks to the picture's left."
                ),
            ],
            outputs=[
                result(sockets.Motion, "motion", "The changed motion; the one that came in stays as it is."),
                result(io.Int, "frames", "Its number of frames."),
            ],
        )

    @classmethod
    @host.translate_errors
    def execute(cls, motion: Any, part: str, **inputs: Any) -> io.NodeOutput:
        from gohd_core.motion.editing import Edits, edited

        edits = Edits(
            freeze=(inputs["freeze_from"], inputs["freeze_to"]),
            speed=inputs["speed"],
            smoothing=inputs["smooth"],
            smoothing_method=inputs["smooth_method"],
            scale=inputs["scale"],
            centre=inputs["centre"],
            head_turn=(inputs["nod"], inputs["turn"], inputs["tilt"]),
            gaze_turn=(inputs["look_up"], inputs["look_left"]),
            loop=inputs["loop"],
            ease=(inputs["ease_in"], inputs["ease_out"]),
            parts=PARTS[part],
        )
        made = edited(motion, edits)
        return io.NodeOutput(made, len(made))


NODES = (EditMotion,)
