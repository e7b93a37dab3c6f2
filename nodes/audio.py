"""Sound: from core's AUDIO to what the motion models hear."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from . import host, sockets
from .sockets import field, number, result, schema
from .values import cut, waveform

CATEGORY = "GoHD/audio"


class EncodeAudio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDEncodeAudio",
            display_name="Encode Audio",
            category=CATEGORY,
            description="Turns speech into the features that head, lips and eyes are made from.",
            search_aliases=["gohd", "speech", "mel", "voice"],
            inputs=[
                field(io.Audio, "audio", "Speech or song at any sample rate; channels are averaged."),
                number("start", "Where to begin, in seconds.", 0.0, (0.0, 36_000.0, 0.01)),
                number(
                    "duration",
                    "How much to take, in seconds; 0 takes all the rest.",
                    0.0,
                    (0.0, 36_000.0, 0.01),
                ),
                field(
                    io.Boolean,
                    "match_loudness",
                    "Bring quiet or loud recordings to one loudness before they are analysed, which makes "
                    "lips open alike. The sound that is passed on stays as it is.",
                    default=False,
                    advanced=True,
                ),
                number(
                    "loudness",
                    "That loudness in LUFS, -60 (faint) to 0; speech is often at -23.",
                    -23.0,
                    (-60.0, 0.0, 0.5),
                    advanced=True,
                ),
            ],
            outputs=[
                result(
                    sockets.Sound, "features", "What the motion models hear, 25 frames a second, for GoHD."
                ),
                result(io.Audio, "audio", "The same stretch of sound, for the video."),
                result(io.Float, "seconds", "How long it is."),
            ],
        )

    @classmethod
    @host.translate_errors
    def execute(
        cls, audio: Any, start: float, duration: float, match_loudness: bool, loudness: float
    ) -> io.NodeOutput:
        from gohd_core.audio import audio_features

        sound, rate = waveform(audio)
        part = cut(sound, rate, start, duration)
        features = audio_features(part, rate, loudness=loudness if match_loudness else None)
        passed = {"waveform": host.intermediate(part[None]), "sample_rate": rate}
        return io.NodeOutput(features, passed, features.duration)


NODES = (EncodeAudio,)
