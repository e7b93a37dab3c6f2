"""Stands in for comfy_api.latest: as much of the V3 node API as GoHD uses."""

from __future__ import annotations

from . import io, ui


class ComfyExtension:
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        raise NotImplementedError


class VideoFromFile:
    def __init__(self, file: str) -> None:
        self.file = file

    def get_stream_source(self) -> str:
        return self.file


class InputImpl:
    VideoFromFile = VideoFromFile


__all__ = ["ComfyExtension", "InputImpl", "io", "ui"]
