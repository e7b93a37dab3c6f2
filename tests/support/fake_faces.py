"""A face detector without weights: its networks see the coordinates that are drawn into the picture.

Red is x and green is y of each pixel, blue is what is there: 255 in a face, else 0. The picture may
show faces whose centres are given; the networks find them by colour alone, mirrored or not.
"""

from __future__ import annotations

import numpy as np
import torch

from gohd_core.face.detection.detector import FaceDetector
from gohd_core.landmarks68 import MIRRORED
from tests.support.face_helpers import face_landmarks

SIDE = 240
BLUE = 255


def chart(*faces: tuple[float, float, float], side: int = SIDE) -> np.ndarray:
    """A picture [side, side, 3] with faces (x, y, width)."""
    y, x = np.mgrid[0:side, 0:side]
    image = np.stack([x, y, np.zeros_like(x)], -1).astype(np.uint8)
    for cx, cy, width in faces:
        inside = np.hypot(x - cx, y - cy) < 0.6 * width
        image[inside, 2] = BLUE
    return image


class FakeNetworks:
    """S3FD and FAN by colour; counts how often each is called, and with how many pictures."""

    def __init__(self, widths: tuple[float, ...] = (80.0,)) -> None:
        self.widths = widths
        self.found: list[int] = []
        self.read: list[int] = []

    def finder(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        """Maps of S3FD's six levels; a face is seen at the level of stride 16."""
        self.found.append(len(pictures))
        maps = []
        for level in range(6):
            size = -(-pictures.shape[-1] // 2 ** (level + 2))
            maps += [torch.zeros(len(pictures), 2, size, size), torch.zeros(len(pictures), 4, size, size)]
            maps[-2][:, 0] = 9
        for k, blue in enumerate((pictures[:, 0] + 104).numpy()):
            for cx, cy, width in spots(blue):
                row, column = int(cy // 16), int(cx // 16)
                maps[4][k, 1, row, column] = 20 if width > 60 else 14
                offset = [(cx - column * 16 - 8) / 6.4, (cy - row * 16 - 8) / 6.4]
                maps[5][k, :, row, column] = torch.tensor([*offset, *[np.log(width / 64) / 0.2] * 2])
        return maps

    def reader(self, crops: torch.Tensor) -> list[torch.Tensor]:
        """FAN's heatmaps, of which the last counts: a peak where the colour is the landmark's place."""
        self.read.append(len(crops))
        maps = torch.zeros(len(crops), 68, 64, 64)
        for k, (red, green, blue) in enumerate((crops * 255).numpy().round()):
            seen = blue > 200
            if seen.mean() < 0.05:
                continue
            cx, cy = red[seen].mean(), green[seen].mean()
            width = np.sqrt(np.ptp(red[seen]) * np.ptp(green[seen])) / 1.2
            mirrored = np.diff(red, axis=1)[seen[:, 1:]].sum() < 0
            points = face_landmarks(cx, cy, width)
            points = points[list(MIRRORED)] if mirrored else points
            small = [colour.reshape(64, 4, 64, 4).mean((1, 3)) for colour in (red, green)]
            away = [(c[None] - points[:, axis, None, None]) ** 2 for axis, c in enumerate(small)]
            maps[k] = torch.from_numpy(np.exp(-sum(away) / 20)).float()
        return [torch.zeros_like(maps), maps]

    def detector(self, **options) -> FaceDetector:
        return FaceDetector(self.finder, self.reader, **options)


def spots(blue: np.ndarray) -> list[tuple[float, float, float]]:
    """Centre and width of each connected blue spot."""
    from scipy.ndimage import find_objects, label

    named, _ = label(blue > 200)
    result = []
    for rows, columns in find_objects(named):
        width = (columns.stop - columns.start) / 1.2
        result.append(((columns.start + columns.stop - 1) / 2, (rows.start + rows.stop - 1) / 2, width))
    return result
