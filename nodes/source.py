"""Prepare Portrait: a portrait, cropped and read."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from . import faces, host, sockets
from .sockets import either, field, number, result, schema
from .values import mask_box

CATEGORY = "GoHD/source"


class PreparePortrait(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDPreparePortrait",
            display_name="Prepare Portrait",
            category=CATEGORY,
            description=(
                "Crops the face of a picture and reads its own head pose, expression and gaze, from which "
                "all motion starts."
            ),
            search_aliases=["gohd", "portrait", "face crop", "source image"],
            inputs=[
                either(
                    "image",
                    [io.Image, io.Video],
                    "The picture: a photograph, painting or drawing of any size with a face in it, or a "
                    "VIDEO, of which one frame is taken. Transparent parts count as mid grey.",
                ),
                field(
                    sockets.Extractor,
                    "extractor",
                    "Reads head pose and expression. Its weights decide the coefficient space: built-in or "
                    "official.",
                ),
                field(
                    sockets.GazeEstimator,
                    "gaze_estimator",
                    "Reads where the eyes look. Of the same family of weights as the extractor.",
                ),
                field(
                    io.Mask,
                    "face_mask",
                    "Which face, where there are several: paint over it in the mask editor, from forehead to "
                    "chin. Empty for the one that face and face_number say.",
                    optional=True,
                ),
                number(
                    "index",
                    "Which picture of a batch or video, counted from 0.",
                    0,
                    (0, 100_000),
                    advanced=True,
                ),
                faces.landmarks_field(
                    "Where the face is, from ComfyUI's Detect Face Landmarks (MediaPipe). Official weights "
                    "need this, or the face detector's weights in models/gohd.",
                    optional=True,
                ),
                *faces.choice_fields(),
                faces.size_field(),
            ],
            outputs=[
                result(sockets.Portrait, "portrait", "The portrait with its own pose, expression and gaze."),
                result(io.Image, "crop", "The face crop that will be animated, to check it."),
                result(
                    io.String,
                    "report",
                    "How good the picture is: size and turn of the face, blur, eyes, mouth, cut edges, and "
                    "what of the result will suffer.",
                ),
            ],
        )

    @classmethod
    @host.translate_errors
    def execute(
        cls,
        image: Any,
        extractor: host.Managed,
        gaze_estimator: host.Managed,
        face_mask: Any = None,
        index: int = 0,
        face_landmarks: Any = None,
        face: str = "largest",
        face_number: int = 0,
        size: int = 0,
    ) -> io.NodeOutput:
        from gohd_core.mesh.picture.examine import picture_report
        from gohd_core.portraits import portrait_warning

        extract, gaze_reader = host.ready(extractor, gaze_estimator)
        if not hasattr(image, "shape"):
            image, index = faces.frame_of(image, index), 0
        box = mask_box(face_mask, image, index)
        choice = faces.choice_of(face, face_number, box)
        portrait = faces.portrait_of(
            image,
            extract,
            gaze_reader,
            landmarks=faces.portrait_landmarks(face_landmarks, index, choice),
            box=box,
            face=choice,
            index=index,
            size=size or None,
        )
        host.warn_user(portrait_warning(portrait, extract.space))
        return io.NodeOutput(portrait, host.intermediate(portrait.crop[None]), picture_report(portrait))


NODES = (PreparePortrait,)
