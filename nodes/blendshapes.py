"""Motion for other tools: ARKit's blendshapes, VRM and Blender, out and in."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io, ui

from gohd_core.choices import FACE_FILES

from . import host, sockets
from .render import fps_field
from .sockets import combo, field, result, schema

CATEGORY = "GoHD/motion"
ENDINGS = ("csv", "json")


class SaveBlendshapes(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDSaveBlendshapes",
            display_name="Save Blendshapes",
            category=CATEGORY,
            description="Writes a motion for other programs: ARKit's 52 blendshapes, VRM avatars, Blender.",
            search_aliases=[
                "gohd",
                "arkit",
                "live link face",
                "export",
                "unreal",
                "blender",
                "vrm",
                "vtuber",
            ],
            is_output_node=True,
            inputs=[
                field(sockets.Motion, "motion", "The motion to write, made with the built-in weights."),
                field(
                    io.String,
                    "filename_prefix",
                    "Beginning of the file's name, in ComfyUI's output folder; a number is added.",
                    default="gohd/face",
                ),
                combo(
                    "format",
                    "csv as Live Link Face writes it; json with names, frame rate and the head's place; vrm: "
                    "preset expressions of an avatar, as JSON; blender: curves of shape keys, as JSON.",
                    FACE_FILES,
                ),
                fps_field("Frames a second of the file, 1 to 120."),
            ],
            outputs=[result(io.String, "path", "Where the file lies.")],
        )

    @classmethod
    @host.translate_errors
    def execute(cls, motion: Any, filename_prefix: str, format: str, fps: float) -> io.NodeOutput:
        from gohd_core.driving.face_files import ending_of, save_blendshapes

        path, _ = host.output_path(filename_prefix, ending_of(format))
        save_blendshapes(path, motion, form=format, fps=fps)
        return io.NodeOutput(str(path), ui=ui.PreviewText(f"{path.name}: {motion.expression.duration:.2f} s"))


class LoadBlendshapes(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDLoadBlendshapes",
            display_name="Load Blendshapes",
            category=CATEGORY,
            description="Reads a recording of Live Link Face, or what Save Blendshapes wrote, as motion.",
            search_aliases=["gohd", "arkit", "live link face", "import", "iphone", "face capture"],
            inputs=[
                field(
                    io.Combo,
                    "file",
                    "A file (.csv, .json) in ComfyUI's input folder, or in output/gohd where Save "
                    "Blendshapes puts them. Press R for new ones.",
                    options=host.names_of(*ENDINGS),
                ),
                fps_field("Frames a second of a csv, 1 to 120: Live Link Face records 60. A json says it."),
            ],
            outputs=[
                result(sockets.Motion, "motion", "The motion, for Mix Motion (pose relative)."),
                result(io.Int, "frames", "Its number of frames."),
            ],
        )

    @classmethod
    def validate_inputs(cls, file: str) -> bool | str:
        return host.file_problem(file, "file", "put it into the input folder and press R.") or True

    @classmethod
    def fingerprint_inputs(cls, file: str | None, **others: Any) -> str:
        return host.files_fingerprint(file, *ENDINGS)

    @classmethod
    @host.translate_errors
    def execute(cls, file: str, fps: float) -> io.NodeOutput:
        from gohd_core.driving.face_files import load_blendshapes
        from gohd_core.motion.editing import exact_fps

        motion = load_blendshapes(host.annotated_path(file), fps=exact_fps(fps))
        return io.NodeOutput(motion, len(motion))


NODES = (SaveBlendshapes, LoadBlendshapes)
