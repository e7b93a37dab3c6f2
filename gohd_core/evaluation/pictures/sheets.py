"""Contact sheets: a row of small pictures for each portrait, to be looked at."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from gohd_core.evaluation.pictures.measure import Result
from gohd_core.files import atomic_path

TILE = 224
"""Side of a picture on a sheet."""
ROWS = 6
"""Rows of a sheet."""
_LINE = 14
"""Height of a line of text."""


class Sheets:
    """Writes sheets of `ROWS` portraits as JPEG into a folder while results come in."""

    def __init__(self, folder: str | Path, tile: int = TILE) -> None:
        self.folder, self.tile = Path(folder), tile
        self.folder.mkdir(parents=True, exist_ok=True)
        self.written: list[Path] = []
        self._rows: list[np.ndarray] = []

    def add(self, result: Result) -> None:
        """One more row; a picture that was refused has none."""
        if result.tiles:
            self._rows.append(contact_row(result, self.tile))
        if len(self._rows) == ROWS:
            self.finish()

    def finish(self) -> None:
        """Writes the rows that are left."""
        if not self._rows:
            return
        path = self.folder / f"sheet_{len(self.written):02d}.jpg"
        width = max(row.shape[1] for row in self._rows)
        rows = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in self._rows]
        with atomic_path(path) as part:
            Image.fromarray(np.concatenate(rows)).save(part, "JPEG", quality=90)
        self.written.append(path)
        self._rows = []


def contact_row(result: Result, tile: int = TILE) -> np.ndarray:
    """A portrait's tiles beside each other under their names, u8 [tile + line, n * tile, 3]."""
    pictures = [
        cv2.resize(each, (tile, tile), interpolation=cv2.INTER_AREA) for each in result.tiles.values()
    ]
    row = Image.new("RGB", (tile * len(pictures), tile + _LINE), "white")
    row.paste(Image.fromarray(np.concatenate(pictures, 1)), (0, _LINE))
    draw = ImageDraw.Draw(row)
    for k, name in enumerate(result.tiles):
        text = result.name if name == "source" else name
        draw.text((k * tile + 3, 1), text, "black")
    return np.asarray(row)
