"""Motion files: what was made once is saved, edited and used again."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io, ui

from . import host, sockets
from .sockets import field, result, schema

CATEGORY = "GoHD/motion"


class SaveMotion(io.ComfyNode):
    """Save Motion."""

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
    @host.explained
    def execute(cls, motion: Any, filename_prefix: str) -> io.NodeOutput:
        from gohd_core.motion.file import save_motion

        path, _ = host.output_path(filename_prefix, ".safetensors")
        save_motion(path, motion, {"made_by": "ComfyUI-GoHD"})
        return io.NodeOutput(motion, str(path), ui=ui.PreviewText(f"{path.name}: {len(motion)} frames"))


class LoadMotion(io.ComfyNode):
    """Load Motion."""

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
                    options=host.motion_names(),
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
        from gohd_core.errors import BadInput

        if file is None:
            return True
        try:
            path = host.annotated_path(file)
        except BadInput as problem:
            return str(problem)
        return path.is_file() or f"There is no motion file {path}; save one with Save Motion, or press R."

    @classmethod
    def fingerprint_inputs(cls, file: str | None) -> str:
        # None while it is wired, and not known yet: any of the files may be meant.
        names = host.motion_names() if file is None else [file]
        return " ".join(host.fingerprint(host.annotated_path(name)) for name in names)

    @classmethod
    @host.explained
    def execute(cls, file: str) -> io.NodeOutput:
        from gohd_core.motion.file import load_motion

        motion = load_motion(host.annotated_path(file))
        parts = (motion.pose, motion.expression, motion.gaze)
        return io.NodeOutput(motion, *parts, float(motion.fps), len(motion))


NODES = (SaveMotion, LoadMotion)
