"""Placement of a face crop in a full frame: always at its portrait's place, or following a head."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Protocol

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gohd_core.errors import BadInput
from gohd_core.face.detection.head_track import HeadTrack
from gohd_core.face.geometry.camera import ALIGNED_SIZE, Camera, transform
from gohd_core.face.mediapipe.points import landmarks_68
from gohd_core.face.portrait import Portrait
from gohd_core.kernels.memory import empty
from gohd_core.landmarks68 import BROWS
from gohd_core.measures.face_points import OVAL
from gohd_core.mesh.contours import N_FACE
from gohd_core.mesh.reading.fit import fit_face
from gohd_core.motion.curves import smoothstep
from gohd_core.video.bands import Region

_AVERAGED = 0.75
"""Crops that shrink to less of their side are averaged."""
_FACE_SHARE, _FACE_FULL = 0.94, 0.7
"""Size of the part of a face that is laid into a film, as a share of the face's; and the share of the way
from its edge to eyes, nose and mouth from which on nothing else is seen."""
_FACE_SIDE = 256
"""Side of the map of a square in which that is worked out."""


class Place(Protocol):
    """Places each frame's crop and its weights in the whole picture."""

    def region(self, index: int, height: int, width: int) -> Region:
        """The part of a frame of that size that the crop covers; empty where it lies outside."""

    def weights(self, index: int, height: int, width: int) -> Tensor:
        """Opacity of the face in each pixel of the region, [h, w] in 0..1."""

    def face(self, crop: Tensor, index: int, height: int, width: int) -> Tensor:
        """A crop [3, s, s] as it lies in the region, [3, h, w]; the next one may be in the same memory."""


class StillPlace:
    """The portrait's own box in frames of its picture's size."""

    def __init__(self, portrait: Portrait, weights: Tensor) -> None:
        left, top, right, bottom = portrait.box
        self._region = slice(top, bottom), slice(left, right)
        self._weights = weights[self._region]
        self._size = portrait.frame.shape[:2]
        self._resized: Tensor | None = None

    def region(self, index: int, height: int, width: int) -> Region:
        if (height, width) != self._size:
            raise BadInput(
                f"A background frame is {width} x {height}, but the portrait's picture is "
                f"{self._size[1]} x {self._size[0]}; give frames of that size, or a track to follow."
            )
        return self._region

    def weights(self, index: int, height: int, width: int) -> Tensor:
        return self._weights

    def face(self, crop: Tensor, index: int, height: int, width: int) -> Tensor:
        if crop.shape[1:] == self._weights.shape:
            return crop
        # In the same memory each time: new pages would cost twice what resizing does.
        self._resized = resized(crop, self._weights.shape, self._resized)
        return self._resized


def resized(crop: Tensor, shape: Sequence[int], into: Tensor | None = None) -> Tensor:
    """A crop [3, s, s] as [3, h, w]: bicubic, or averaged where it shrinks by more than a quarter.

    By OpenCV, which is faster than `F.interpolate` with its filter. into: memory of that shape for it.
    """
    height, width = shape
    method = cv2.INTER_AREA if height < _AVERAGED * crop.shape[1] else cv2.INTER_CUBIC
    made = empty(3, height, width, device=crop.device) if into is None else into
    for plane, new in zip(crop.numpy(), made.numpy(), strict=True):
        cv2.resize(plane, (width, height), new, interpolation=method)
    return made


class MovingPlace:
    """The squares of a head track, to fractions of a pixel; past its end the last one.

    Where the track saw no face the weights fade to 0.
    """

    def __init__(self, portrait: Portrait, weights: Tensor, track: HeadTrack) -> None:
        left, top, right, bottom = portrait.box
        self._weights = weights[top:bottom, left:right]
        self._track, self._shown = track, track.visibility()
        self._squares: tuple[tuple[int, int], Tensor] | None = None

    def region(self, index: int, height: int, width: int) -> Region:
        left, top, side = self._square(index, height, width)
        return _pixels(top, side, height), _pixels(left, side, width)

    def weights(self, index: int, height: int, width: int) -> Tensor:
        shown = self._shown[min(index, len(self._shown) - 1)]
        return shown * self._laid(self._weights[None], index, height, width, "bilinear", "zeros")[0]

    def face(self, crop: Tensor, index: int, height: int, width: int) -> Tensor:
        # Shrunk to one size for the whole clip, or its sharpness would change with the head's distance.
        largest = math.ceil(float(self._in(height, width)[:, 2].max()))
        if largest < crop.shape[2]:
            crop = resized(crop, (largest, largest))
        return self._laid(crop, index, height, width, "bicubic", "border")

    def _laid(self, picture: Tensor, index: int, height: int, width: int, mode: str, past: str) -> Tensor:
        """A picture [C, s, s] over the square, seen at the pixels of its region [C, h, w]."""
        left, top, side = self._square(index, height, width)
        rows, columns = (
            (torch.arange(part.start, part.stop, dtype=torch.float32, device="cpu") + 0.5 - start) / side * 2
            - 1
            for part, start in zip(self.region(index, height, width), (top, left), strict=True)
        )
        grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1)
        laid = F.grid_sample(picture[None], grid[None], mode=mode, padding_mode=past, align_corners=False)
        return laid[0]

    def _square(self, index: int, height: int, width: int) -> tuple[float, float, float]:
        """Left, top and side."""
        x, y, side = self._in(height, width)[min(index, len(self._track) - 1)].tolist()
        return x - side / 2, y - side / 2, side

    def _in(self, height: int, width: int) -> Tensor:
        if self._squares is None or self._squares[0] != (height, width):
            self._squares = (height, width), self._track.squares_in(height, width)
        return self._squares[1]


class FacePlace(MovingPlace):
    """Of those squares the face alone, inside its outline as the track's poses turn it: a portrait's hair and
    background would lie over a film's."""

    def __init__(self, portrait: Portrait, weights: Tensor, track: HeadTrack) -> None:
        super().__init__(portrait, weights, track)
        points = fit_face(portrait.mesh_in_crop[None], portrait.size).points_in_head[:, :N_FACE]
        seen = Camera.of_size(ALIGNED_SIZE).pixels(transform(points, track.poses.values))
        self._points = ((seen + 0.5) / ALIGNED_SIZE).numpy()  # [T,468,2] in sides of the square

    def weights(self, index: int, height: int, width: int) -> Tensor:
        points = self._points[min(index, len(self._points) - 1)]
        face = self._laid(_face_weights(points)[None], index, height, width, "bilinear", "zeros")[0]
        return super().weights(index, height, width) * face


def _face_weights(points: np.ndarray) -> Tensor:
    """Weights [n,n] of a square: 1 on eyes, nose and mouth of a mesh [468,2], 0 from its outline on."""
    outline, features = points[list(OVAL)], landmarks_68(points)[BROWS.stop :]
    middle = outline.mean(0)
    around = np.concatenate([middle + _FACE_SHARE * (outline - middle), features])
    away = []
    for part, inside in ((around, 255), (features, 0)):
        hull = cv2.convexHull(((part * _FACE_SIDE - 0.5) * 16).round().astype(np.int32))
        shape = np.full((_FACE_SIDE, _FACE_SIDE), 255 - inside, np.uint8)
        cv2.fillConvexPoly(shape, hull, inside, shift=4)
        away.append(cv2.distanceTransform(shape, cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
    share = away[0] / np.maximum(away[0] + away[1], 1e-3) / _FACE_FULL
    return smoothstep(0, 1, torch.from_numpy(cv2.blur(share.clip(0, 1), (3, 3))))


def full_masks(place: Place, count: int, height: int, width: int) -> Iterator[Tensor]:
    """The weights of so many frames over the full frame, [H, W] each."""
    for index in range(count):
        mask = torch.zeros(height, width, dtype=torch.float32, device="cpu")
        mask[place.region(index, height, width)] = place.weights(index, height, width)
        yield mask


def _pixels(start: float, side: float, length: int) -> slice:
    """The pixels that a side of a square touches within a frame."""
    first = min(max(math.floor(start), 0), length)
    return slice(first, max(min(math.ceil(start + side), length), first))
