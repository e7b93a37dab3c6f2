"""Gaze by hand: one direction, or a path of keys."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from . import host, sockets
from .sockets import field, number, result, schema

CATEGORY = "GoHD/motion by hand"
LIMIT = 60.0
LONGEST = 36_000.0
"""Degrees that a widget goes to, and seconds of the longest path."""
EXAMPLE_PATH = "0.0   0   0\n1.0   0  25\n2.0   0 -25\n3.0   0   0"

_PORTRAIT = "Whose eyes they are; says where zero is when relative is on, and which coefficient space."
_RELATIVE = "On: the angles are added to where the portrait looks already. Off: 0, 0 looks at the viewer."


class SetGaze(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDSetGaze",
            display_name="Set Gaze",
            category=CATEGORY,
            description="Lets the eyes look in one direction all the time (Fig. 1 of the paper).",
            search_aliases=["gohd", "look at", "eye direction", "eye contact"],
            inputs=[
                field(sockets.Portrait, "portrait", _PORTRAIT),
                number(
                    "pitch",
                    "Up or down in degrees: positive looks up. Beyond 25 the eyes leave what the networks "
                    "have seen.",
                    0.0,
                    (-LIMIT, LIMIT, 0.5),
                ),
                number(
                    "yaw",
                    "Sideways in degrees: positive looks towards the left edge of the picture.",
                    0.0,
                    (-LIMIT, LIMIT, 0.5),
                ),
                field(io.Boolean, "relative", _RELATIVE, default=False),
            ],
            outputs=[
                result(sockets.Gaze, "gaze", "One direction; Mix Motion holds it for as long as it takes.")
            ],
        )

    @classmethod
    @host.translate_errors
    def execute(cls, portrait: Any, pitch: float, yaw: float, relative: bool) -> io.NodeOutput:
        from gohd_core.motion.keyframes import Keyframes

        return io.NodeOutput(_gaze(portrait, Keyframes.constant(pitch, yaw), 1, relative))


class GazePath(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDGazePath",
            display_name="Gaze Path",
            category=CATEGORY,
            description="Moves the eyes along keys: where to look, and when.",
            search_aliases=["gohd", "keyframes", "eye movement", "look around"],
            inputs=[
                field(sockets.Portrait, "portrait", _PORTRAIT),
                field(
                    io.String,
                    "keys",
                    "One key a line: seconds, pitch, yaw in degrees, and if wanted how to go on: smooth "
                    "(eased, also when nothing is written), linear or hold. Positive pitch looks up, "
                    "positive yaw towards the left edge of the picture. What follows # is a note.",
                    default=EXAMPLE_PATH,
                    multiline=True,
                ),
                number(
                    "duration",
                    "Length in seconds; 0 ends with the last key. A longer path holds its last key.",
                    0.0,
                    (0.0, LONGEST, 0.04),
                ),
                field(io.Boolean, "relative", _RELATIVE, default=False),
            ],
            outputs=[result(sockets.Gaze, "gaze", "The path at 25 values a second, for Mix Motion.")],
        )

    @classmethod
    def validate_inputs(cls, keys: str) -> bool | str:
        return host.text_problem(_path, keys)

    @classmethod
    @host.translate_errors
    def execute(cls, portrait: Any, keys: str, duration: float, relative: bool) -> io.NodeOutput:
        from gohd_core.constants import FPS

        path = _path(keys)
        frames = max(round((duration or path.duration) * FPS), 1)
        return io.NodeOutput(_gaze(portrait, path, frames, relative))


def _path(keys: str) -> Any:
    """Keys as a curve; `BadInput` for what can't be read, or would fill the memory."""
    from gohd_core.errors import BadInput
    from gohd_core.motion.keyframes import Keyframes

    path = Keyframes.parse(keys, 2)
    if path.duration > LONGEST:
        raise BadInput(f"The last key is at {path.duration:g} s; write times of at most {LONGEST:g} s.")
    return path


def _gaze(portrait: Any, path: Any, frames: int, relative: bool) -> Any:
    from gohd_core.motion.editing import gaze_path

    own = portrait.motion.gaze
    return gaze_path(path, frames, own=own, relative=relative)


NODES = (SetGaze, GazePath)
