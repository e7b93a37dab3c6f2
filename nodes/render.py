"""From motion to pictures: frames, a video, or a strip."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from gohd_core.errors import BadInput

from . import host, sockets
from .drawing import draw_frames, dub_frames, encode_video, face_mask, finishing_fields
from .faces import film_of
from .made_video import MadeVideo
from .sockets import either, field, number, result, schema
from .values import waveform

CATEGORY = "GoHD/render"

_ANIMATOR = "The face animator; of the same family of weights as the portrait and the motion."
_PORTRAIT = "Who moves, from Prepare Portrait."
_MOTION = "What to do, from Mix Motion or Load Motion."
_FPS = "Frames a second, 1 to 120; 23.976, 29.97 and 59.94 are exact. Motion is resampled to it."
_STRENGTH = "Factor on all motion in the animator's latent space (Fig. 8): 0 is the portrait, 1 as it is."
_BATCH = "Frames drawn at once. More is faster on a GPU and takes more memory; the frames are the same."
_AUDIO = "Sound to go with the pictures."


def _who_moves() -> list[Any]:
    """First inputs of every node that draws."""
    return [
        field(sockets.Animator, "animator", _ANIMATOR),
        field(sockets.Portrait, "portrait", _PORTRAIT),
        field(sockets.Motion, "motion", _MOTION),
    ]


def fps_field(tooltip: str = _FPS, least: float = 1.0) -> Any:
    """The frame rate's widget."""
    return number("fps", tooltip, 25.0, (least, 120.0, 0.001), round=0.001)


def _drawing_fields() -> list[Any]:
    """Inputs of drawing."""
    return [
        number("strength", _STRENGTH, 1.0, (0.0, 2.0, 0.05), advanced=True),
        number("batch_size", _BATCH, 8, (1, 256), advanced=True),
    ]


class AnimatePortrait(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDAnimatePortrait",
            display_name="Animate Portrait",
            category=CATEGORY,
            description="Draws a motion as an image batch (§3.3). For long clips use Render Video.",
            search_aliases=["gohd", "talking head", "animate face"],
            inputs=[
                *_who_moves(),
                field(io.Audio, "audio", f"{_AUDIO} It is passed through.", optional=True),
                fps_field(),
                *_drawing_fields(),
                field(
                    io.Boolean,
                    "invisible_mark",
                    "Marks every frame as generated, with a faint pattern that Read Watermark finds in a "
                    "video of these frames. Pasted into a larger picture it is lost: use Add Watermark "
                    "there, last. On unless you switch it off.",
                    default=True,
                    optional=True,
                ),
            ],
            outputs=[
                result(io.Image, "images", "The frames of the face crop."),
                result(io.Audio, "audio", "The sound that came in, for Create Video."),
                result(io.Float, "fps", "Frames a second, for Create Video or Video Combine."),
                result(io.Int, "frames", "Number of frames."),
                result(
                    io.Mask,
                    "mask",
                    "Where the face may be in the frames, with a soft edge, to composite them by hand; Paste "
                    "Back has its own.",
                ),
            ],
        )

    @classmethod
    @host.translate_errors
    def execute(
        cls,
        animator: host.Managed,
        portrait: Any,
        motion: Any,
        fps: float,
        strength: float,
        batch_size: int,
        audio: Any = None,
        invisible_mark: bool = True,
    ) -> io.NodeOutput:
        from gohd_core.motion.editing import exact_fps
        from gohd_core.pipeline import finish

        bar, rate = host.Progress(), exact_fps(fps)
        options = {"fps": rate, "strength": strength, "batch_size": batch_size, "progress": bar}
        frames = draw_frames(animator, portrait, motion, bar, **options)
        frames = finish(frames, portrait, invisible_mark=invisible_mark)
        images = host.image_batch(frames)
        return io.NodeOutput(images, audio, float(rate), len(images), face_mask(portrait, images))


class RenderVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDRenderVideo",
            display_name="Render Video",
            category=CATEGORY,
            description="Draws a motion straight into a video; memory does not grow with its length.",
            search_aliases=["gohd", "mp4", "long video", "talking head"],
            inputs=[
                *_who_moves(),
                field(io.Audio, "audio", _AUDIO, optional=True),
                fps_field(f"{_FPS} 0: as the background video has it.", 0.0),
                number(
                    "crf", "H.264 quality, 0 (lossless) to 51 (worst); 18 looks like the source.", 18, (0, 51)
                ),
                *_drawing_fields(),
                *finishing_fields(),
                either(
                    "background",
                    [io.Image, io.Video],
                    "For full_frame: a video, or frames at fps, to paste the face into instead of the "
                    "portrait's picture. Set fps to the video's own, or 0.",
                    optional=True,
                ),
                field(
                    sockets.HeadTrack,
                    "track",
                    "For background: from Extract Motion with follow_head on; the face goes with that head.",
                    optional=True,
                ),
                field(
                    io.Boolean,
                    "own_face",
                    "With background: the face in that video stays its own, and only its lips, jaw and "
                    "cheeks follow the motion, as when a film is dubbed. Of the motion the expression alone "
                    "counts; neither portrait nor track is drawn.",
                    default=False,
                    optional=True,
                ),
            ],
            outputs=[result(io.Video, "video", "An MP4 in the temp folder, for Save Video.")],
        )

    @classmethod
    @host.translate_errors
    def execute(
        cls,
        animator: host.Managed,
        portrait: Any,
        motion: Any,
        fps: float,
        crf: int,
        strength: float,
        batch_size: int,
        audio: Any = None,
        full_frame: bool = True,
        invisible_mark: bool = True,
        visible_mark: str = "",
        background: Any = None,
        track: Any = None,
        own_face: bool = False,
    ) -> io.NodeOutput:
        from gohd_core.motion.editing import exact_fps
        from gohd_core.pipeline import finish

        bar = host.Progress()
        marks = {"invisible_mark": invisible_mark, "visible_mark": visible_mark}
        sound = None if audio is None else waveform(audio)
        film = _film(background, fps, own_face=own_face, track=track is not None)
        rate = film.fps if film is not None and not fps else exact_fps(fps)
        if own_face:
            frames, sound = dub_frames(film, motion.expression.scaled(strength), rate, sound, bar, marks)
            return io.NodeOutput(MadeVideo(str(encode_video(frames, rate, sound, crf, bar))))
        options = {"fps": rate, "strength": strength, "batch_size": batch_size, "progress": bar}
        frames = draw_frames(animator, portrait, motion, bar, **options)
        track = None if track is None else track.resampled(rate)
        into = {} if film is None else {"background": film.batches(rate), "track": track}
        frames = finish(frames, portrait, full_frame=full_frame, **marks, **into)
        colour = None if film is None else film.colour
        return io.NodeOutput(MadeVideo(str(encode_video(frames, rate, sound, crf, bar, colour))))


def _film(background: Any, fps: float, **needing: bool) -> Any:
    """The film to paste into, None without one; `BadInput` where an input that needs one is given."""
    if background is not None:
        return film_of(background, fps)
    for name, given in needing.items():
        if given:
            raise BadInput(f"{name} is for the face in a video; wire that video to background.")
    return None


class MotionStrip(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDMotionStrip",
            display_name="Motion Strip",
            category=CATEGORY,
            description="One frame of a motion at growing strength, side by side (Fig. 8 of the paper).",
            search_aliases=["gohd", "interpolation", "contact sheet"],
            inputs=[
                *_who_moves(),
                number(
                    "frame",
                    "Which frame of the motion, from 0; -1 takes the one that differs most from the first.",
                    -1,
                    (-1, 1_000_000),
                ),
                number("steps", "How many pictures, 2 to 64.", 6, (2, 64)),
                number(
                    "strength",
                    "Strength of the last picture; the first has 0. 1 is the motion as it is.",
                    1.0,
                    (0.1, 3.0, 0.05),
                ),
            ],
            outputs=[
                result(io.Image, "strip", "All pictures in one row."),
                result(io.Image, "images", "The same pictures as a batch."),
            ],
        )

    @classmethod
    @host.translate_errors
    def execute(
        cls, animator: host.Managed, portrait: Any, motion: Any, frame: int, steps: int, strength: float
    ) -> io.NodeOutput:
        from gohd_core.pipeline import encode
        from gohd_core.render.motion_strip import motion_strip

        (model,) = host.ready(animator)
        source = encode(model, portrait)
        chosen = None if frame < 0 else frame
        bar = host.Progress()
        options = {"progress": bar, "should_stop": bar.should_stop}
        made = motion_strip(model, source, motion, frame=chosen, steps=steps, strength=strength, **options)
        images = host.to_images(made)
        return io.NodeOutput(torch.cat(list(images), dim=1)[None], images)


NODES = (AnimatePortrait, RenderVideo, MotionStrip)
