"""A strip of frames out of a clip, as a picture to look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from torch import Tensor

from gohd_core.errors import BadInput
from gohd_core.files import atomic_path
from gohd_core.video.writer import frames_to_bytes


class FrameStrip:
    """Keeps `count` evenly spaced frames of a clip of `total` frames while they pass by.

    Use: `strip = FrameStrip(8, total)`, draw from `strip.watch(frames)`, then `strip.save(path)`.
    """

    def __init__(self, count: int, total: int) -> None:
        if count < 1:
            raise BadInput(f"A strip needs at least one frame, not {count}.")
        spots = (np.arange(min(count, total)) + 0.5) * total / min(count, total)
        self._wanted = {int(spot) for spot in spots}
        self.pictures: list[np.ndarray] = []

    def watch(self, frames: Iterable[Tensor]) -> Iterator[Tensor]:
        """Passes batches `[b, 3, H, W]` on unchanged."""
        seen = 0
        for batch in frames:
            for offset in range(len(batch)):
                if seen + offset in self._wanted:
                    self.pictures.append(frames_to_bytes(batch[offset : offset + 1])[0])
            seen += len(batch)
            yield batch

    def save(self, path: str | Path) -> Path:
        """Writes the frames beside each other as PNG or JPEG."""
        from PIL import Image

        path = Path(path)
        kinds = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
        if path.suffix.lower() not in kinds:
            raise BadInput(f"Pictures are written as .png or .jpg; {path.name} ends otherwise.")
        strip = Image.fromarray(np.concatenate(self.pictures, axis=1))
        with atomic_path(path) as part:
            strip.save(part, format=kinds[path.suffix.lower()], quality=92)
        return path
