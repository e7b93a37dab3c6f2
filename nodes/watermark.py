"""Watermarks on generated pictures, and their reader."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io, ui

from gohd_core.choices import CORNERS

from . import host
from .drawing import mark_fields
from .sockets import combo, either, field, number, result, schema

CATEGORY = "GoHD/render"
_AT_ONCE = 8


class AddWatermark(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDAddWatermark",
            display_name="Add Watermark",
            category=CATEGORY,
            description=(
                "Marks frames as generated: invisibly, so that Read Watermark finds it after H.264 and "
                "resizing, and, where wanted, with a visible text."
            ),
            search_aliases=["gohd", "provenance", "label", "ai generated"],
            inputs=[
                field(
                    io.Image,
                    "images",
                    "Frames to mark, best as the last step before the video. Those that carry the invisible "
                    "mark do not get it twice.",
                ),
                *mark_fields(optional=False),
                combo("corner", "Where the visible text stands.", CORNERS),
                number("opacity", "How much the visible text covers, from 0 to 1.", 0.6, (0.0, 1.0, 0.05)),
            ],
            outputs=[result(io.Image, "images", "The marked frames.")],
        )

    @classmethod
    @host.translate_errors
    def execute(
        cls, images: Any, invisible_mark: bool, visible_mark: str, corner: str, opacity: float
    ) -> io.NodeOutput:
        from gohd_core.render import Mark, marked, read_frames

        # Animate Portrait's frames may come straight here: twice the same pattern would be seen.
        invisible_mark = invisible_mark and not read_frames(images[:_AT_ONCE, ..., :3]).found
        mark = Mark(invisible_mark, visible_mark, corner, opacity)
        batches = images[..., :3].movedim(-1, 1).split(_AT_ONCE)
        bar, made, done = host.Progress(), [], 0
        for batch in marked(batches, mark, value_range=(0.0, 1.0)):
            made.append(batch.movedim(1, -1))
            done += len(batch)
            bar(done, len(images))
        return io.NodeOutput(torch.cat(made))


class ReadWatermark(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDReadWatermark",
            display_name="Read Watermark",
            category=CATEGORY,
            description="Tells whether pictures or a video carry GoHD's invisible mark.",
            search_aliases=["gohd", "provenance", "detect", "ai generated"],
            is_output_node=True,
            inputs=[
                either(
                    "media",
                    [io.Image, io.Video],
                    "Frames or a video, at any size from 192 pixels a side; not cropped.",
                )
            ],
            outputs=[
                result(io.Boolean, "found", "Whether the mark is there."),
                result(io.Float, "score", "Standard deviations above chance; 5 and more counts as found."),
                result(io.String, "report", "The same as one sentence."),
            ],
        )

    @classmethod
    @host.translate_errors
    def execute(cls, media: Any) -> io.NodeOutput:
        from gohd_core.render import read_frames, read_watermark

        if isinstance(media, torch.Tensor):
            reading = read_frames(media[..., :3])
        else:
            reading = read_watermark(media.get_stream_source(), **host.video_part(media))
        report = str(reading)
        return io.NodeOutput(reading.found, reading.score, report, ui=ui.PreviewText(report))


NODES = (AddWatermark, ReadWatermark)
