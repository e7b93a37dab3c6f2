"""Faces and voices that ship with the pack, so that a first result needs no files."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from . import host
from .assets import asset, asset_problem
from .made_video import MadeVideo
from .sockets import combo, number, result, schema

CATEGORY = "GoHD/samples"
AVATARS = 24
SPEECHES = ["hello", "pangram", "numbers"]
VIDEO = "driving_sample.mp4"


class SampleAvatar(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDSampleAvatar",
            display_name="Sample Avatar",
            category=CATEGORY,
            description="A drawn portrait that ships with the pack; no weights were trained on it.",
            search_aliases=["gohd", "example portrait", "test image"],
            inputs=[
                number(
                    "number",
                    f"Which person: a number from 1 to {AVATARS}.",
                    1,
                    (1, AVATARS),
                    control_after_generate=True,
                )
            ],
            outputs=[result(io.Image, "image", "A square picture of a head, for Prepare Portrait.")],
        )

    @classmethod
    def validate_inputs(cls, number: int) -> bool | str:
        return number is None or asset_problem(f"portraits/{number:02d}.jpg") or True

    @classmethod
    @host.translate_errors
    def execute(cls, number: int) -> io.NodeOutput:
        import numpy as np
        from PIL import Image

        with Image.open(asset(f"portraits/{number:02d}.jpg")) as picture:
            pixels = torch.from_numpy(np.array(picture.convert("RGB"), np.float32) / 255)
        return io.NodeOutput(host.intermediate(pixels[None]))


class SampleSpeech(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDSampleSpeech",
            display_name="Sample Speech",
            category=CATEGORY,
            description="A synthesised sentence that ships with the pack.",
            search_aliases=["gohd", "example voice", "test audio"],
            inputs=[
                combo(
                    "sentence",
                    "Which sentence: a greeting, one with every letter, or one with numbers and many lip "
                    "sounds.",
                    SPEECHES,
                )
            ],
            outputs=[result(io.Audio, "audio", "The sentence, a few seconds long, for Encode Audio.")],
        )

    @classmethod
    def validate_inputs(cls, sentence: str) -> bool | str:
        if sentence is not None and sentence not in SPEECHES:
            return f"There is no sentence {sentence!r}; choose one of {', '.join(SPEECHES)}."
        return sentence is None or asset_problem(f"speech/{sentence}.flac") or True

    @classmethod
    @host.translate_errors
    def execute(cls, sentence: str) -> io.NodeOutput:
        from gohd_core.audio import load_audio

        samples, rate = load_audio(asset(f"speech/{sentence}.flac"))
        waveform: Any = host.intermediate(torch.from_numpy(samples)[None])
        return io.NodeOutput({"waveform": waveform, "sample_rate": rate})


class SampleVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDSampleVideo",
            display_name="Sample Driving Video",
            category=CATEGORY,
            description="A drawn head that talks and looks around; it ships with the pack.",
            search_aliases=["gohd", "example video", "test video", "driving video"],
            inputs=[],
            outputs=[
                result(
                    io.Video, "video", "A few seconds with sound at 25 frames a second, to read motion from."
                )
            ],
        )

    @classmethod
    def validate_inputs(cls) -> bool | str:
        return asset_problem(VIDEO) or True

    @classmethod
    @host.translate_errors
    def execute(cls) -> io.NodeOutput:
        return io.NodeOutput(MadeVideo(str(asset(VIDEO))))


NODES = (SampleAvatar, SampleSpeech, SampleVideo)
