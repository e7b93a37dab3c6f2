"""Mood and idle life: what a face does beside speaking."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from gohd_core.choices import MOODS

from . import host, sockets
from .sockets import combo, field, number, result, schema

CATEGORY = "GoHD/motion"


class SetMood(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDSetMood",
            display_name="Set Mood",
            category=CATEGORY,
            description=(
                "Lays a mood over a motion: brows, lids, corners of the mouth and head; lips stay in sync."
            ),
            search_aliases=["gohd", "emotion", "expression", "smile", "angry", "sad"],
            inputs=[
                field(sockets.Motion, "motion", "The motion to change, made with the built-in weights."),
                combo(
                    "mood",
                    "Which mood, made of the facial action units that the literature names for it.",
                    MOODS,
                    default="happy",
                ),
                number(
                    "amount",
                    "How much of it: 0 is none, 1 in full, less than 0 the opposite.",
                    0.7,
                    (-1.0, 2.0, 0.05),
                ),
                field(
                    io.Boolean,
                    "head",
                    "Whether the head is held accordingly too, as bowed when sad.",
                    default=True,
                ),
                field(
                    io.String,
                    "keys",
                    "Moods over time instead, one key a line: a mood, seconds, an amount, and if wanted how "
                    "to go on: smooth, linear or hold. What follows # is a note. Empty: the mood above all "
                    "the time.",
                    default="",
                    multiline=True,
                ),
            ],
            outputs=[
                result(sockets.Motion, "motion", "The motion in that mood; the one that came in stays.")
            ],
        )

    @classmethod
    def validate_inputs(cls, keys: str) -> bool | str:
        from gohd_core.motion.keyframes import parse_schedule

        return host.text_problem(lambda text: parse_schedule(text, MOODS), keys)

    @classmethod
    @host.translate_errors
    def execute(cls, motion: Any, mood: str, amount: float, head: bool, keys: str) -> io.NodeOutput:
        from gohd_core.motion.keyframes import parse_schedule
        from gohd_core.motion.mood import with_mood

        return io.NodeOutput(with_mood(motion, parse_schedule(keys, MOODS) or {mood: amount}, head=head))


class IdleMotion(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDIdleMotion",
            display_name="Idle Motion",
            category=CATEGORY,
            description="A portrait that lives without speaking: it blinks, looks about and breathes.",
            search_aliases=["gohd", "idle loop", "listening", "breathing", "blink", "silence"],
            inputs=[
                field(sockets.Portrait, "portrait", "Whose life it is; it moves around how this one looks."),
                number("duration", "How long, in seconds.", 10.0, (2.0, 3600.0, 0.04)),
                number(
                    "seed",
                    "The same seed moves the same way.",
                    1,
                    (0, 2**31 - 1),
                    control_after_generate=True,
                ),
                number(
                    "amount",
                    "Factor on the movement of head and gaze: 0 blinks alone, 1 is calm.",
                    1.0,
                    (0.0, 3.0, 0.05),
                ),
                field(
                    io.Boolean,
                    "loop",
                    "The last frame goes on into the first, so that the video may be played round and round.",
                    default=True,
                ),
            ],
            outputs=[
                result(sockets.Motion, "motion", "The motion at 25 frames a second, for Animate Portrait."),
                result(io.Int, "frames", "Its number of frames."),
            ],
        )

    @classmethod
    @host.translate_errors
    def execute(cls, portrait: Any, duration: float, seed: int, amount: float, loop: bool) -> io.NodeOutput:
        from gohd_core.motion.idle import idle_motion

        made = idle_motion(portrait.motion, duration, seed=seed, amount=amount, loop=loop)
        return io.NodeOutput(made, len(made))


NODES = (SetMood, IdleMotion)
