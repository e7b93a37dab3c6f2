"""Talking Portrait: a picture and a voice become a video, in one node."""

from __future__ import annotations

import math
from typing import Any

from comfy_api.latest import io

from gohd_core.choices import GAZES, MOODS

from . import host, sockets
from .drawing import encode_video, finishing_fields
from .faces import portrait_of, size_field
from .family import family_field, family_fingerprint, family_problem, load_family, models_of
from .made_video import MadeVideo
from .motion_from_audio import scale_field, seed_field
from .render import fps_field
from .sockets import branching, combo, field, number, result, schema
from .values import check_single, mask_box, waveform

_MOOD = (
    "A mood over the whole clip, as in Set Mood, with the lips in sync; neutral is none. Built-in weights "
    "only."
)


def _mood_fields() -> list[Any]:
    """A mood; how much of it is asked where there is one."""
    amount = number(
        "mood_amount",
        "How much of the mood: 1 is it in full, less than 0 the opposite.",
        0.7,
        (-1.0, 2.0, 0.05),
        optional=True,
    )
    plain = combo("mood", _MOOD, MOODS, optional=True)
    branches = {mood: [amount] if mood != MOODS[0] else [] for mood in MOODS}
    return branching("mood", _MOOD, branches, [plain, amount])


class TalkingPortrait(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDTalkingPortrait",
            display_name="Talking Portrait",
            category="GoHD",
            description="Makes a portrait say a sound: the whole of GoHD in one node.",
            search_aliases=["gohd", "talking head", "lip sync", "audio to video", "avatar"],
            essentials_category="Video Tools",
            inputs=[
                field(
                    io.Image,
                    "image",
                    "The portrait: a photograph, painting or drawing of any size with a face in it.",
                ),
                field(io.Audio, "audio", "What it says; the video lasts as long."),
                family_field(),
                seed_field(),
                combo(
                    "gaze",
                    "hold keeps the portrait's own gaze, sample makes one that suits the speech, set looks "
                    "where pitch and yaw say.",
                    [*GAZES, "set"],
                    default=GAZES[0],
                ),
                number("pitch", "For gaze `set`: degrees up (positive) or down.", 0.0, (-60.0, 60.0, 0.5)),
                number(
                    "yaw",
                    "For gaze `set`: degrees towards the left edge of the picture (positive) or the right.",
                    0.0,
                    (-60.0, 60.0, 0.5),
                ),
                scale_field("head_scale", "Factor on head movement: 0 is still, 1 as sampled."),
                scale_field("expression_scale", "Factor on the expression: 0 is neutral, 1 as predicted."),
                fps_field("Frames a second, 1 to 120."),
                field(
                    io.Mask,
                    "face_mask",
                    "Which face, where there are several: painted over, from forehead to chin. Without it, "
                    "or where it is empty, the largest.",
                    optional=True,
                ),
                *finishing_fields(),
                size_field(),
                scale_field(
                    "mouth_scale",
                    "Factor on the mouth, on top of expression_scale.",
                    optional=True,
                    advanced=True,
                ),
                scale_field(
                    "eyes_scale",
                    "Factor on brows and lids, on top of expression_scale; blinks stay whole from 0.25 on.",
                    optional=True,
                    advanced=True,
                ),
                *_mood_fields(),
            ],
            outputs=[
                result(io.Video, "video", "The talking portrait with its sound, for Save Video."),
                result(sockets.Motion, "motion", "Its motion, to plot, edit, save and use again."),
            ],
        )

    @classmethod
    def validate_inputs(cls, weights: str, mood: Any = None) -> bool | str:
        # A choice with widgets of its own is handed over by ComfyUI whether it is asked for or not.
        return family_problem(weights) or True

    @classmethod
    def fingerprint_inputs(cls, weights: str, **others: Any) -> str:
        return family_fingerprint(weights)

    @classmethod
    @host.translate_errors
    def execute(
        cls,
        image: Any,
        audio: Any,
        weights: str,
        seed: int,
        gaze: str,
        pitch: float,
        yaw: float,
        head_scale: float,
        expression_scale: float,
        fps: float,
        face_mask: Any = None,
        full_frame: bool = True,
        invisible_mark: bool = True,
        visible_mark: str = "",
        size: int = 0,
        mouth_scale: float = 1.0,
        eyes_scale: float = 1.0,
        mood: Any = MOODS[0],
        mood_amount: float = 0.7,
    ) -> io.NodeOutput:
        from gohd_core.audio import audio_features
        from gohd_core.pipeline import finish, talk

        check_single(image)
        sound, models = waveform(audio), models_of(load_family(weights))
        portrait = _portrait(image, face_mask, size, models)
        look = (math.radians(pitch), math.radians(yaw)) if gaze == "set" else gaze
        scales = {"expression_scale": expression_scale, "mouth_scale": mouth_scale, "eyes_scale": eyes_scale}
        options = _options(mood, mood_amount, seed=seed, gaze=look, pose_scale=head_scale, fps=fps, **scales)
        features = audio_features(*sound, models.pose.alignment)
        bar = host.Progress(pose=2, expression=1, gaze=2, frames=15)
        progress = {"progress": bar.stage, "should_stop": bar.should_stop}
        motion, frames = talk(portrait, features, models, options, **progress)
        marks = {"invisible_mark": invisible_mark, "visible_mark": visible_mark}
        frames = finish(bar.watched(frames), portrait, full_frame=full_frame, **marks)
        return io.NodeOutput(MadeVideo(str(encode_video(frames, motion.fps, sound, 18, bar))), motion)


def _portrait(image: Any, face_mask: Any, size: int, models: Any) -> Any:
    """The picture's portrait; warns the user of its faults."""
    from gohd_core.portraits import portrait_warning

    readers, box = (models.extractor, models.gaze_estimator), mask_box(face_mask, image, 0)
    portrait = portrait_of(image, *readers, box=box, size=size or None)
    host.warn_user(portrait_warning(portrait, models.animator.space))
    return portrait


def _options(mood: Any, mood_amount: float, **others: Any) -> Any:
    """The clip's options; hosts that know choices with further widgets hand a dictionary over as mood."""
    from gohd_core.talk_options import TalkOptions

    if isinstance(mood, dict):
        mood, mood_amount = mood["mood"], mood.get("mood_amount", mood_amount)
    return TalkOptions(mood=mood, mood_amount=mood_amount, **others)


NODES = (TalkingPortrait,)
