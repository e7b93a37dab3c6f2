"""A drawn head as the driving video of other models."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from gohd_core.choices import FRAMINGS

from . import host, sockets
from .drawing import draw_frames
from .render import CATEGORY, fps_field
from .sockets import combo, field, number, result, schema


class DriverFrames(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDDriverFrames",
            display_name="Driving Frames for Other Models",
            category=CATEGORY,
            description=(
                "Draws a motion in the framing that models which are driven by a face's video take, "
                "LivePortrait and Wan Animate."
            ),
            search_aliases=["gohd", "liveportrait", "wan animate", "face video", "driving video"],
            inputs=[
                field(sockets.Animator, "animator", "The face animator; of the portrait's family."),
                field(sockets.Portrait, "portrait", "Who drives, best a face that looks ahead."),
                field(sockets.Motion, "motion", "What the other model is to do, from any source."),
                combo(
                    "framing",
                    "liveportrait: head and shoulders, still. wan animate: the face alone, followed in each "
                    "frame, for the face_video of WanAnimateToVideo.",
                    FRAMINGS,
                ),
                fps_field("Frames a second, 1 to 120, those of the other model; Wan Animate often has 16."),
                number(
                    "neutral_start",
                    "Seconds over which it begins from a face at rest with its mouth shut: LivePortrait "
                    "takes the first frame as neutral. Range: 0 to 2.",
                    0.2,
                    (0.0, 2.0, 0.04),
                ),
                field(
                    io.Boolean,
                    "invisible_mark",
                    "Marks every frame as generated, with a faint pattern that Read Watermark finds.",
                    default=True,
                ),
            ],
            outputs=[
                result(io.Image, "images", "512 x 512 pixels each, for the other model."),
                result(io.Float, "fps", "Frames a second."),
                result(io.Int, "frames", "Number of frames."),
            ],
        )

    @classmethod
    @host.translate_errors
    def execute(
        cls,
        animator: host.Managed,
        portrait: Any,
        motion: Any,
        framing: str,
        fps: float,
        neutral_start: float,
        invisible_mark: bool,
    ) -> io.NodeOutput:
        from gohd_core.motion.editing import exact_fps
        from gohd_core.pipeline import finish
        from gohd_core.render import Mark, marked
        from gohd_core.render.driver_framing import driver_boxes, framed, from_rest

        bar = host.Progress()
        motion = from_rest(motion, portrait, neutral_start).resampled(exact_fps(fps))
        frames = finish(
            draw_frames(animator, portrait, motion, bar, progress=bar),
            portrait,
            full_frame=True,
            invisible_mark=False,
        )
        frames = marked(framed(frames, driver_boxes(portrait, motion, framing)), Mark(invisible_mark, ""))
        images = host.image_batch(frames)
        return io.NodeOutput(images, float(motion.fps), len(images))


NODES = (DriverFrames,)
