"""A face set by hand: sliders with the portrait drawn beside them, and the same along keys in time."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from gohd_core.choices import MOODS
from gohd_core.motion.adjusting import AMOUNTS, CONTROLS

from . import face_preview, host, sockets
from .sockets import combo, field, number, result, schema

CATEGORY = "GoHD/motion by hand"
EXAMPLE = "0.0\n0.6  smile_left=0.7\n2.2  smile_left=0.7\n2.4  smile_left=0.7 blink_left=1\n2.8"

TOOLTIPS = {
    "nod": "Head: nods down by so many degrees; less than 0 looks up.",
    "turn": "Head: turns to the picture's right by so many degrees.",
    "tilt": "Head: tilts counter-clockwise in the picture by so many degrees.",
    "shift_right": "Head: moves to the right, in percent of the face crop's side.",
    "shift_up": "Head: moves up, in percent of the face crop's side.",
    "distance": "Head: goes farther away, in percent of its distance; less than 0 comes nearer.",
    "look_up": "Eyes: look up by so many degrees.",
    "look_left": "Eyes: look towards the picture's left by so many degrees.",
    "jaw": "Mouth: how far the jaw opens, 1 in full; less than 0 shuts an open mouth.",
    "smile_left": "Mouth: raises its left corner, the person's own left; less than 0 lowers it.",
    "smile_right": "Mouth: raises its right corner, the person's own right; less than 0 lowers it.",
    "pucker": "Mouth: rounds and pushes the lips forward, as for a kiss.",
    "spread": "Mouth: pulls both corners sideways, as for ee.",
    "press": "Mouth: presses the lips together.",
    "upper_lip": "Mouth: raises the upper lip; less than 0 lowers it.",
    "lower_lip": "Mouth: drops the lower lip; less than 0 raises it.",
    "blink_left": "Eyes: shuts the person's left eye; less than 0 opens it wide.",
    "blink_right": "Eyes: shuts the person's right eye; less than 0 opens it wide.",
    "brow_left": "Brows: raises the person's left brow; less than 0 lowers it.",
    "brow_right": "Brows: raises the person's right brow; less than 0 lowers it.",
    "brow_inner": "Brows: raises their inner ends, as in sadness or a question.",
    "frown": "Brows: draws them together and down.",
    "cheek_raise": "Cheeks: raises them and narrows the eyes, as in a genuine smile. Photographs only.",
    "cheek_puff": "Cheeks: puffs them out; less than 0 sucks them in. Photographs only.",
    "nose_wrinkle": "Nose: wrinkles it, its wings rise. Photographs only.",
    "mouth_left": "Mouth: moves to the person's own left; less than 0 to the right. Photographs only.",
    "jaw_left": "Jaw: moves to the person's own left; less than 0 to the right. Photographs only.",
}
"""Tooltip of each slider; drawn heads of the kind that ships have no cheeks or nose that move."""

LAST = ("mouth_left", "jaw_left")
"""Sliders that came later: saved workflows hold values by place."""


def _slider(name: str) -> Any:
    low, high = CONTROLS[name].low, CONTROLS[name].high
    step = 0.05 if CONTROLS[name].movement else 0.5
    return number(name, TOOLTIPS[name], 0.0, (low, high, step), display_mode=io.NumberDisplay.slider)


class ExpressionEditor(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDExpressionEditor",
            display_name="Expression Editor",
            category=CATEGORY,
            description="Sets a face by sliders: head, eyes, brows, mouth and mood, drawn as you move them.",
            search_aliases=["gohd", "face sliders", "live portrait", "wink", "smile", "pose", "puppet"],
            is_output_node=True,
            inputs=[
                field(
                    sockets.Animator, "animator", "The face animator; of the portrait's family of weights."
                ),
                field(sockets.Portrait, "portrait", "Whose face it is, from Prepare Portrait."),
                *(_slider(name) for name in CONTROLS if name not in LAST),
                combo("mood", "A mood under the sliders, as in Set Mood; neutral is none.", MOODS),
                number(
                    "mood_amount",
                    "How much of the mood: 1 is it in full, less than 0 the opposite.",
                    0.7,
                    (*AMOUNTS, 0.05),
                    display_mode=io.NumberDisplay.slider,
                ),
                field(
                    io.Boolean,
                    "full_frame",
                    "The whole picture with the face pasted back; off gives the face crop alone.",
                    default=True,
                ),
                field(
                    io.Boolean,
                    "invisible_mark",
                    "Marks the picture as generated, with a faint pattern that Read Watermark finds. On "
                    "unless you switch it off.",
                    default=True,
                ),
                *map(_slider, LAST),
            ],
            outputs=[
                result(io.Image, "image", "The picture with that face."),
                result(
                    sockets.Motion, "motion", "The face as one frame of motion; any motion node takes it."
                ),
                result(sockets.Pose, "pose", "Its head alone."),
                result(sockets.Expression, "expression", "Its expression alone."),
                result(sockets.Gaze, "gaze", "Its gaze alone."),
            ],
        )

    @classmethod
    @host.translate_errors
    def execute(
        cls,
        animator: host.Managed,
        portrait: Any,
        mood: str,
        mood_amount: float,
        full_frame: bool,
        invisible_mark: bool,
        **sliders: float,
    ) -> io.NodeOutput:
        from gohd_core.motion.adjusting import adjusted
        from gohd_core.pipeline import draw, finish

        values = sliders if mood == MOODS[0] else {**sliders, mood: mood_amount}
        motion = adjusted(portrait.motion, values)
        (model,) = host.ready(animator)
        frames = finish(
            draw(model, portrait, motion), portrait, full_frame=full_frame, invisible_mark=invisible_mark
        )
        image = host.image_batch(frames)
        shown = face_preview.keep(animator, portrait, portrait.motion)
        return io.NodeOutput(image, motion, motion.pose, motion.expression, motion.gaze, ui=shown)


class ExpressionPath(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDExpressionPath",
            display_name="Expression Path",
            category=CATEGORY,
            description="Adds faces that come and go along keys in time to any motion: a wink at 2.4 s.",
            search_aliases=["gohd", "keyframes", "wink", "expression over time", "time line"],
            is_output_node=True,
            inputs=[
                field(sockets.Motion, "motion", "The motion to add to; made with the built-in weights."),
                field(
                    io.String,
                    "keys",
                    "One key a line: seconds, then name=value for what is set, and if wanted how to go on: "
                    "smooth (eased, also when nothing is written), linear or hold. A key is a whole face: "
                    "what it does not name is 0. Names are the sliders of Expression Editor, and moods. What "
                    "follows # is a note.",
                    default=EXAMPLE,
                    multiline=True,
                ),
                field(
                    sockets.Animator,
                    "animator",
                    "For the picture in the node: the face animator.",
                    optional=True,
                ),
                field(
                    sockets.Portrait,
                    "portrait",
                    "For the picture in the node: whose face it is.",
                    optional=True,
                ),
            ],
            outputs=[result(sockets.Motion, "motion", "The motion with these faces on top of it.")],
        )

    @classmethod
    def validate_inputs(cls, keys: str) -> bool | str:
        from gohd_core.motion.adjusting import parse_path

        return host.text_problem(parse_path, keys)

    @classmethod
    @host.translate_errors
    def execute(cls, motion: Any, keys: str, animator: Any = None, portrait: Any = None) -> io.NodeOutput:
        from gohd_core.motion.adjusting import adjusted, parse_path

        made = adjusted(motion, parse_path(keys))
        if animator is None or portrait is None:
            return io.NodeOutput(made)
        return io.NodeOutput(made, ui=face_preview.keep(animator, portrait, motion))


NODES = (ExpressionEditor, ExpressionPath)
