"""Motions one after another."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from . import host, sockets
from .sockets import field, number, result, schema

CATEGORY = "GoHD/motion"


class SpliceMotion(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDSpliceMotion",
            display_name="Splice Motion",
            category=CATEGORY,
            description="Plays motions one after another, joined without a jump and without losing a frame.",
            search_aliases=["gohd", "join", "concatenate", "append motion"],
            inputs=[
                field(sockets.Motion, "first", "What comes first; its frame rate is kept."),
                field(sockets.Motion, "second", "What follows, of the same family of weights."),
                field(sockets.Motion, "third", "What follows then.", optional=True),
                field(sockets.Motion, "fourth", "What comes last.", optional=True),
                number(
                    "blend",
                    "How many seconds on each side of a seam its jump is spread over; 0 leaves the jump.",
                    0.2,
                    (0.0, 10.0, 0.04),
                ),
            ],
            outputs=[
                result(sockets.Motion, "motion", "All of them as one motion."),
                result(io.Float, "fps", "Its frames a second."),
                result(io.Int, "frames", "Its number of frames."),
            ],
        )

    @classmethod
    @host.translate_errors
    def execute(
        cls, first: Any, second: Any, blend: float, third: Any = None, fourth: Any = None
    ) -> io.NodeOutput:
        from gohd_core.motion.splicing import spliced

        motions = [motion for motion in (first, second, third, fourth) if motion is not None]
        motion = spliced(motions, blend=blend)
        return io.NodeOutput(motion, float(motion.fps), len(motion))


NODES = (SpliceMotion,)
