"""GoHD's nodes for ComfyUI, one topic to a file; host.py alone talks to ComfyUI's own modules."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from . import (
    audio,
    blendshapes,
    conversation,
    driver_frames,
    editing,
    expression_editor,
    gaze,
    load,
    mixing,
    mood,
    motion_files,
    motion_from_audio,
    motion_from_video,
    paste,
    person_mask,
    plot,
    real_video,
    render,
    samples,
    source,
    splicing,
    talking,
    watermark,
)
from .assets import copy_samples
from .face_preview import open_route
from .host import input_folder, register_folder

_MENU = (
    *(load, source, audio, motion_from_audio, motion_from_video, gaze, mixing, editing, splicing),
    *(motion_files, plot, render, paste, real_video, watermark, talking, samples, mood, blendshapes),
    *(driver_frames, expression_editor, person_mask, conversation),
)
"""Modules in the order of the menu."""

NODES: tuple[type[io.ComfyNode], ...] = tuple(node for module in _MENU for node in module.NODES)
"""Every node of the pack."""


class GohdExtension(ComfyExtension):
    """The extension that ComfyUI loads."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        # Here and not in on_load, which ComfyUI 0.8 never calls.
        register_folder()
        copy_samples(input_folder())
        open_route()
        return list(NODES)
