"""Nodes for videos of real people: eye contact, and whether lips and sound are in step."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io, ui

from . import faces, host, sockets
from .drawing import encode_video
from .made_video import MadeVideo
from .sockets import either, field, number, result, schema
from .values import as_audio, waveform

CATEGORY = "GoHD/real video"
LIMIT = 30.0
"""Degrees beside the camera that eyes may be sent to look."""

_QUALITY = 16
"""H.264 quality of videos, as of `gohd gaze`."""
_FPS = "Frames a second of a batch of images; a VIDEO knows its own. Range: 1 to 120."


def _video_fields(tooltip: str) -> list[Any]:
    return [
        either("video", [io.Image, io.Video], tooltip),
        number("fps", _FPS, 25.0, (1.0, 120.0, 0.001), round=0.001),
    ]


class EyeContact(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDEyeContact",
            display_name="Eye Contact",
            category=CATEGORY,
            description=(
                "Turns the eyes of a real person in a video or picture to the viewer, or along a gaze path; "
                "nothing outside the eyes changes."
            ),
            search_aliases=["gohd", "gaze correction", "gaze redirection", "look at camera"],
            essentials_category="Video Tools",
            inputs=[
                *_video_fields("A video or pictures of a person, seen from the front or a little aside."),
                number(
                    "strength",
                    "Share of the change that is made: 0 leaves the eyes, 1 turns them whole.",
                    1.0,
                    (0.0, 1.0, 0.05),
                ),
                number(
                    "look_up",
                    "How far above the camera they look, in degrees, -30 to 30; 0 looks into it.",
                    0.0,
                    (-LIMIT, LIMIT, 0.5),
                ),
                number(
                    "look_left",
                    "How far beside the camera they look, towards the left edge of the picture, in degrees, "
                    "-30 to 30.",
                    0.0,
                    (-LIMIT, LIMIT, 0.5),
                ),
                field(
                    sockets.Gaze,
                    "gaze",
                    "A path to look along instead, from Gaze Path or Extract Motion from Video.",
                    optional=True,
                ),
                *faces.choice_fields(),
                field(
                    io.Boolean,
                    "make_video",
                    "On: a video with its own sound, written frame by frame, so that long ones need no more "
                    "memory than short ones. Off: images.",
                    default=False,
                    optional=True,
                ),
            ],
            outputs=[
                result(io.Image, "images", "The frames with their eyes turned, where make_video is off."),
                result(io.Float, "fps", "Frames a second of the video."),
                result(io.String, "report", "Frames without a face, and looks too far aside to be turned."),
                result(io.Video, "video", "The same with its sound, for Save Video, where make_video is on."),
            ],
        )

    @classmethod
    @host.translate_errors
    def execute(
        cls,
        video: Any,
        fps: float,
        strength: float,
        look_up: float,
        look_left: float,
        gaze: Any = None,
        face: str = "largest",
        face_number: int = 0,
        make_video: bool = False,
    ) -> io.NodeOutput:
        from gohd_core.driving.eye_contact import read_eyes, turn_eyes

        film, bar = faces.film_of(video, fps), host.Progress()
        watch = {"progress": bar, "should_stop": bar.should_stop}
        read = read_eyes(film, faces.needed_reader(), faces.choice_of(face, face_number), **watch)
        straight = tuple(
            torch.deg2rad(torch.tensor([look_up, look_left], dtype=torch.float64, device="cpu")).tolist()
        )
        made, report = turn_eyes(film, read, straight if gaze is None else gaze, strength)
        frames, told = made.batches(film.fps), (float(film.fps), str(report))
        if not make_video:
            return io.NodeOutput(
                host.image_batch(frames), *told, host.unmade("video", "Switch make_video on.")
            )
        path = encode_video(frames, film.fps, faces.soundtrack(video), _QUALITY, bar, film.colour)
        return io.NodeOutput(host.unmade("images", "Switch make_video off."), *told, MadeVideo(str(path)))


class LipSync(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDCheckLipSync",
            display_name="Check Lip Sync",
            category=CATEGORY,
            description="Tells how far lips and sound of a talking person are apart, and shifts the sound.",
            search_aliases=["gohd", "audio video sync", "lip sync offset", "out of sync"],
            has_intermediate_output=True,
            inputs=[
                *_video_fields("A video of a person who talks, three seconds long at least."),
                field(
                    io.Audio,
                    "audio",
                    "The sound of images from the first frame on, or another than the VIDEO's own.",
                    optional=True,
                ),
                field(
                    sockets.ExpressionModel,
                    "expression_model",
                    "The built-in expression predictor: it says what the sound makes lips do.",
                ),
                *faces.choice_fields(),
            ],
            outputs=[
                result(io.Float, "milliseconds", "By how much the lips come after the sound; 0 if unknown."),
                result(io.Float, "confidence", "0 to 1; from 0.5 on the lag is known."),
                result(io.Boolean, "known", "Whether the lag is known."),
                result(io.Audio, "audio", "The sound put right, where the lag is known; else as it came."),
                result(io.String, "report", "The same in a sentence."),
            ],
        )

    @classmethod
    @host.translate_errors
    def execute(
        cls,
        video: Any,
        fps: float,
        expression_model: host.Managed,
        audio: Any = None,
        face: str = "largest",
        face_number: int = 0,
    ) -> io.NodeOutput:
        from gohd_core.driving import extract_by_meshes
        from gohd_core.driving.sync import delay, lip_lag

        (predictor,) = host.ready(expression_model)
        audio = as_audio(faces.soundtrack(video)) if audio is None else audio
        sound, rate = waveform(audio)
        film, bar = faces.film_of(video, fps), host.Progress()
        watch = {"progress": bar, "should_stop": bar.should_stop}
        driving = extract_by_meshes(film, faces.needed_reader(), faces.choice_of(face, face_number), **watch)
        found = lip_lag(driving, (sound.cpu().numpy(), rate), predictor)
        if found.known:
            shifted = delay(sound.cpu().numpy(), round(found.milliseconds / 1000 * rate))
            audio = {"waveform": torch.from_numpy(shifted)[None], "sample_rate": rate}
        lag = found.milliseconds if found.known else 0.0
        shown = ui.PreviewText(str(found))
        return io.NodeOutput(lag, found.confidence, found.known, audio, str(found), ui=shown)


NODES = (EyeContact, LipSync)
