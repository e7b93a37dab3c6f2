"""Motion as a picture of curves."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io, ui

from . import host, sockets
from .sockets import field, number, result, schema


class PlotMotion(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDPlotMotion",
            display_name="Plot Motion",
            category="GoHD/motion",
            description="Draws head, expression and gaze over time, to see what a motion does.",
            search_aliases=["gohd", "graph", "curves"],
            has_intermediate_output=True,
            inputs=[
                field(sockets.Motion, "motion", "The motion to draw."),
                number("width", "Width of the picture in pixels.", 960, (320, 4096, 8)),
                number("height", "Height of the picture in pixels.", 640, (240, 4096, 8)),
            ],
            outputs=[
                result(
                    io.Image,
                    "plot",
                    "Curves over seconds: head in degrees, its position, the expression coefficients that "
                    "move most, gaze in degrees. Frames without a face have a red ground.",
                )
            ],
        )

    @classmethod
    @host.translate_errors
    def execute(cls, motion: Any, width: int, height: int) -> io.NodeOutput:
        from gohd_core.render.plot import plot_motion

        picture = torch.from_numpy(plot_motion(motion, width, height).copy())[None].float() / 255
        return io.NodeOutput(host.intermediate(picture), ui=ui.PreviewImage(picture, cls=cls))


NODES = (PlotMotion,)
