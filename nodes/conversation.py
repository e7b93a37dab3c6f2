"""Conversation: several faces of one picture speak and listen, in one video."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from gohd_core.errors import BadInput

from . import host
from .drawing import encode_video, mark_fields
from .faces import face_reader, size_field
from .family import family_field, family_fingerprint, family_problem, load_family, models_of
from .made_video import MadeVideo
from .motion_from_audio import scale_field, seed_field
from .render import fps_field
from .sockets import field, growing, result, schema
from .values import check_single, waveform

MOST = 8
"""Speakers in one picture."""
_VOICE = "What the {} face from the left says; connect silence to a face that only listens."
_MORE = ("third", "fourth")


class Conversation(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDConversation",
            display_name="Conversation",
            category="GoHD",
            description="Lets several faces of one picture talk, each by its own voice, while others listen.",
            search_aliases=["gohd", "several speakers", "dialogue", "podcast", "two people", "multi talk"],
            inputs=[
                field(io.Image, "image", "A picture with several faces; the largest ones speak."),
                field(
                    io.Audio,
                    "voice_1",
                    "What the leftmost face says; or one sound with all voices, where speakers says who "
                    "speaks when.",
                ),
                field(io.Audio, "voice_2", _VOICE.format("second"), optional=True),
                field(
                    io.String,
                    "speakers",
                    "Who speaks when in voice_1, if that has all voices: one turn a line, as 0.0-2.3 1 and "
                    "2.3-5 2, in seconds, faces counted from the left; or JSON or RTTM. Empty: each voice "
                    "has an input.",
                    default="",
                    multiline=True,
                ),
                family_field(),
                seed_field(),
                scale_field("head_scale", "Factor on head movement: 0 is still, 1 as sampled."),
                scale_field("expression_scale", "Factor on the expression: 0 is neutral, 1 as predicted."),
                fps_field("Frames a second, 1 to 120."),
                *mark_fields(optional=True),
                size_field(),
                *growing(
                    io.Audio,
                    "voice_",
                    "What one more face says, counted from the left.",
                    {f"voice_{k}": _VOICE.format(name) for k, name in enumerate(_MORE, 3)},
                    range(3, MOST + 1),
                ),
            ],
            outputs=[
                result(io.Video, "video", "The picture with all of them, and their voices, for Save Video."),
                result(io.Audio, "audio", "All voices over one another."),
                result(io.Int, "faces", "How many faces the picture has that could be drawn."),
            ],
        )

    @classmethod
    def validate_inputs(cls, weights: str, speakers: str, more_voices: Any = None) -> bool | str:
        from gohd_core.audio.turns import parse_turns

        try:
            if speakers and speakers.strip():
                parse_turns(speakers)
        except BadInput as problem:
            return str(problem)
        return family_problem(weights) or True

    @classmethod
    def fingerprint_inputs(cls, weights: str | None, **others: Any) -> str:
        return family_fingerprint(weights)

    @classmethod
    @host.translate_errors
    def execute(
        cls,
        image: Any,
        voice_1: Any,
        speakers: str,
        weights: str,
        seed: int,
        head_scale: float,
        expression_scale: float,
        fps: float,
        invisible_mark: bool = True,
        visible_mark: str = "",
        size: int = 0,
        **voices: Any,
    ) -> io.NodeOutput:
        import torch

        from gohd_core.conversation import converse, speakers_among
        from gohd_core.portraits import prepare_portraits
        from gohd_core.render import Mark, marked
        from gohd_core.talk_options import TalkOptions

        check_single(image)
        spoken, sound = _voices(voice_1, speakers, voices)
        models = models_of(load_family(weights))
        portraits = prepare_portraits(image, least=len(spoken), reader=face_reader(), size=size or None)
        bar = host.Progress(pose=2, expression=1, frames=15)
        options = TalkOptions(seed=seed, pose_scale=head_scale, expression_scale=expression_scale, fps=fps)
        progress = {"progress": bar.stage, "should_stop": bar.should_stop}
        motions, frames = converse(portraits, speakers_among(portraits, spoken), models, options, **progress)
        frames = marked(bar.watched(frames), Mark(invisible_mark, visible_mark))
        video = encode_video(frames, motions[0].fps, sound, 18, bar)
        audio = {"waveform": torch.from_numpy(sound[0])[None], "sample_rate": sound[1]}
        return io.NodeOutput(MadeVideo(str(video)), audio, len(portraits))


def _voices(first: Any, speakers: str, others: dict[str, Any]) -> tuple[list[Any], tuple[Any, int]]:
    """A voice for each speaker, and all of them as one sound."""
    from gohd_core.audio.turns import count_speakers, mix_voices, parse_turns, split_by_speaker

    given = {**others, **(others.get("more_voices") or {})}
    more = [given[name] for name in (f"voice_{k}" for k in range(2, MOST + 1)) if given.get(name) is not None]
    if speakers.strip():
        if more:
            raise BadInput("speakers tells one sound apart; disconnect the other voices, or empty it.")
        turns = parse_turns(speakers)
        voices = split_by_speaker(waveform(first), turns, count_speakers(turns))
    else:
        voices = [waveform(each) for each in (first, *more)]
    return voices, mix_voices(voices)


NODES = (Conversation,)
