"""Motion files: what was made once is saved, edited and used again."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io, ui

from . import host, sockets
from .sockets import field, result, schema

CATEGORY = "GoHD/motion"


class SaveMotion(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDSaveMotion",
            display_name="Save Motion",
            category=CATEGORY,
            description="Writes a motion to a file, which Load Motion reads again.",
            search_aliases=["gohd", "export motion"],
            is_output_node=True,
            inputs=[
                field(sockets.Motion, "motion", "The motion to write."),
                field(
                    io.String,
                    "filename_prefix",
                    "Beginning of the file's name, in ComfyUI's output folder; a number is added. Load "
                    "Motion lists what lies in its gohd folder.",
                    default="gohd/motion",
                ),
            ],
            outputs=[
                result(sockets.Motion, "motion", "The same motion, to go on with."),
                result(io.String, "path", "Where the file lies."),
            ],
        )

    @classmethod
    @host.translate_errors
    def execute(cls, motion: Any, filename_prefix: str) -> io.NodeOutput:
        from gohd_core.motion.file import save_motion

        path, _ = host.output_path(filename_prefix, ".safetensors")
        save_motion(path, motion, {"made_by": "ComfyUI-GoHD"})
        return io.NodeOutput(motion, str(path), ui=ui.PreviewText(f"{path.name}: {len(motion)} frames"))


class LoadMotion(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDLoadMotion",
            display_name="Load Motion",
            category=CATEGORY,
            description="Reads a motion that was saved before.",
            search_aliases=["gohd", "import motion"],
            inputs=[
                field(
                    io.Combo,
                    "file",
                    "A motion file (.safetensors) in ComfyUI's input folder, or in output/gohd where Save "
                    "Motion puts them. Press R for new ones.",
                    options=host.names_of("safetensors"),
                )
            ],
            outputs=[
                result(sockets.Motion, "motion", "The motion, with its own frame rate."),
                result(sockets.Pose, "pose", "Its head movement alone."),
                result(sockets.Expression, "expression", "Its expressions alone."),
                result(sockets.Gaze, "gaze", "Its gaze alone."),
                result(io.Float, "fps", "Its frames a second."),
                result(io.Int, "frames", "Its number of frames."),
            ],
        )

    @classmethod
    def validate_inputs(cls, file: str) -> bool | str:
        return host.file_problem(file, "motion file", "save one with Save Motion, or press R.") or True

    @classmethod
    def fingerprint_inputs(cls, file: str | None) -> str:
        return host.files_fingerprint(file, "safetensors")

    @classmethod
    @host.translate_errors
    def execute(cls, file: str) -> io.NodeOutput:
        from gohd_core.motion.file import load_motion

        motion = load_motion(host.annotated_path(file))
        parts = (motion.pose, motion.expression, motion.gaze)
        return io.NodeOutput(motion, *parts, float(motion.fps), len(motion))


NODES = (SaveMotion, LoadMotion)
