"""Stands in for comfy_api.latest: as much of the V3 node API as GoHD uses."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from . import io, ui


class ComfyExtension:
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        raise NotImplementedError


class VideoFromFile:
    def __init__(self, file: str) -> None:
        self.file = file

    def get_stream_source(self) -> str:
        return self.file

    def get_dimensions(self) -> tuple[int, int]:
        import av

        with av.open(self.file) as container:
            return container.streams.video[0].width, container.streams.video[0].height

    def save_to(
        self, path: Any, format: Any = None, codec: Any = None, metadata: Any = None, bit_depth: Any = None
    ) -> None:
        if isinstance(path, str):
            shutil.copy(self.file, path)
        else:
            path.write(Path(self.file).read_bytes())

    def as_trimmed(self, start_time: float = 0, duration: float = 0) -> VideoFromFile:
        return VideoFromFile(self.file)


class InputImpl:
    VideoFromFile = VideoFromFile


__all__ = ["ComfyExtension", "InputImpl", "io", "ui"]
