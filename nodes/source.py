"""Where a face comes from: a portrait, cropped and read."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from . import faces, host, sockets
from .sockets import field, result, schema
from .values import mask_box

CATEGORY = "GoHD/source"


class PreparePortrait(io.ComfyNode):
    """Prepare Portrait."""

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
                field(
                    io.Image,
                    "image",
                    "The picture. A square picture of a head is used whole; for any other give face_mask. "
                    "Transparent parts count as mid grey.",
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
                    "Where the face is, from forehead to chin: paint it in the mask editor. Its bounding box "
                    "is grown to a square with a margin of 40 % on each side. Without it, or where it is "
                    "empty, a square picture is used whole.",
                    optional=True,
                ),
                field(
                    io.Int,
                    "index",
                    "Which picture of a batch, counted from 0.",
                    default=0,
                    min=0,
                    max=100_000,
                    advanced=True,
                ),
                faces.landmarks_field(
                    "Where the face is, from ComfyUI's Detect Face Landmarks (MediaPipe). Official weights "
                    "need this, or the face detector's weights in models/gohd.",
                    optional=True,
                ),
                *faces.choice_fields(),
            ],
            outputs=[
                result(sockets.Portrait, "portrait", "The portrait with its own pose, expression and gaze."),
                result(io.Image, "crop", "The face crop that will be animated, to check it."),
            ],
        )

    @classmethod
    @host.explained
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
    ) -> io.NodeOutput:
        from gohd_core.face import photograph_warning, prepare_portrait

        reader, gaze_reader = host.ready(extractor, gaze_estimator)
        box = mask_box(face_mask, image, index)
        choice = faces.choice_of(face, face_number, box)
        landmarks = faces.portrait_landmarks(face_landmarks, index, choice)
        detector = None
        if landmarks is None:
            detector = faces.detector_for(reader, box, image.shape[1:3])
        portrait = prepare_portrait(
            image,
            landmarks=landmarks,
            box=box,
            detector=detector,
            face=choice,
            index=index,
            extractor=reader,
            gaze_estimator=gaze_reader,
        )
        host.tell(photograph_warning(portrait, reader.space))
        return io.NodeOutput(portrait, host.intermediate(portrait.crop[None]))


NODES = (PreparePortrait,)
