"""GoHD's nodes for ComfyUI, one topic to a file; host.py alone talks to ComfyUI's own modules."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from .audio import NODES as AUDIO
from .blendshapes import NODES as BLENDSHAPES
from .conversation import NODES as CONVERSATION
from .driver_frames import NODES as DRIVER_FRAMES
from .editing import NODES as EDITING
from .expression_editor import NODES as EXPRESSION_EDITOR
from .face_preview import open_route
from .gaze import NODES as GAZE
from .host import copy_samples, register_folder
from .load import NODES as LOAD
from .mixing import NODES as MIXING
from .mood import NODES as MOOD
from .motion_files import NODES as MOTION_FILES
from .motion_from_audio import NODES as MOTION_FROM_AUDIO
from .motion_from_video import NODES as MOTION_FROM_VIDEO
from .paste import NODES as PASTE
from .person_mask import NODES as PERSON_MASK
from .plot import NODES as PLOT
from .real_video import NODES as REAL_VIDEO
from .render import NODES as RENDER
from .samples import NODES as SAMPLES
from .source import NODES as SOURCE
from .splicing import NODES as SPLICING
from .talking import NODES as TALKING
from .watermark import NODES as WATERMARK

NODES: tuple[type[io.ComfyNode], ...] = (
    *LOAD,
    *SOURCE,
    *AUDIO,
    *MOTION_FROM_AUDIO,
    *MOTION_FROM_VIDEO,
    *GAZE,
    *MIXING,
    *EDITING,
    *SPLICING,
    *MOTION_FILES,
    *PLOT,
    *RENDER,
    *PASTE,
    *REAL_VIDEO,
    *WATERMARK,
    *TALKING,
    *SAMPLES,
    *MOOD,
    *BLENDSHAPES,
    *DRIVER_FRAMES,
    *EXPRESSION_EDITOR,
    *PERSON_MASK,
    *CONVERSATION,
)
"""Every node of the pack, in the order of the menu."""


class GohdExtension(ComfyExtension):
    """The extension that ComfyUI loads."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        # Here and not in on_load, which ComfyUI 0.8 never calls.
        register_folder()
        copy_samples()
        open_route()
        return list(NODES)
