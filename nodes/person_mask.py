"""Masks of people in pictures, to give them another background."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from comfy_api.latest import io

from . import faces, host
from .render import CATEGORY
from .sockets import field, number, result, schema


class PersonMask(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDPersonMask",
            display_name="Person Mask",
            category=CATEGORY,
            description="Tells people from what is behind them, frame by frame, to change the background.",
            search_aliases=["gohd", "matte", "remove background", "segmentation", "green screen"],
            inputs=[
                field(io.Image, "images", "Pictures, or the frames of a video, with a person."),
                number(
                    "sharpness",
                    "How hard the edge is, from 0 (as soft as it was seen) to 1 (a cut).",
                    0.5,
                    (0.0, 1.0, 0.05),
                ),
            ],
            outputs=[
                result(io.Mask, "mask", "1 where the person is, a mask for each picture."),
                result(io.Mask, "background_mask", "The same turned round: 1 where the background is."),
            ],
        )

    @classmethod
    @host.translate_errors
    def execute(cls, images: Any, sharpness: float) -> io.NodeOutput:
        from gohd_core.face.segmentation.matting import person_masks

        bar = host.Progress()
        pictures = (image[..., :3].cpu().numpy() for image in images)
        options = {"sharpness": sharpness, "should_stop": bar.should_stop}
        made = []
        for mask in person_masks(pictures, faces.needed_reader(), **options):
            made.append(torch.from_numpy(np.ascontiguousarray(mask)))
            bar(len(made), len(images))
        masks = host.intermediate(torch.stack(made))
        return io.NodeOutput(masks, 1 - masks)


NODES = (PersonMask,)
