"""Reads every face of a picture, or follows one through a video, with MediaPipe's networks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from gohd_core.face.mediapipe.detector import Detections, FaceDetector, join, merge, overlaps
from gohd_core.face.mediapipe.face_mesh import IRISES, FaceMesh, mesh_regions
from gohd_core.face.mediapipe.iris import IrisReader
from gohd_core.face.mediapipe.landmarks import FaceLandmarks, FaceRegion
from gohd_core.face.mediapipe.network import TfliteNetwork
from gohd_core.face.mediapipe.person_mask import PersonMask
from gohd_core.face.mediapipe.regions import whole_region
from gohd_core.face.picking import FaceChoice
from gohd_core.images import Image, rgb_images

LEAST_PRESENCE = 0.5
"""Below it the mesh network holds that there is no face."""

SAME_FACE = 0.5
"""Meshes whose boxes share more than this (intersection over union) are one face."""

SMALLEST_TILE = 512
"""Tiles in which small faces are looked for are not smaller, in pixels: a face of 64 is an eighth of one."""

TILE_OVERLAP = 0.25
"""Share of its side by which a tile reaches into the next."""

BATCH = 16
FOLLOWING_ROUNDS = 2
DRIFT = 0.05
"""A face that moved by more than this share of its region since the last reading is read once more."""


class FaceReader(nn.Module):
    """All the networks, and how they are asked.

    It is one module, so that whoever manages memory may move it as a whole.
    """

    def __init__(self, detector: FaceDetector, mesh: FaceMesh, iris: IrisReader, person: PersonMask) -> None:
        super().__init__()
        self.detector, self.mesh, self.iris, self.person = detector, mesh, iris, person

    @classmethod
    def load(cls, folder: str | Path, *, device: str | torch.device = "cpu") -> FaceReader:
        """With the files that lie in a folder."""
        folder = Path(folder)

        def network(name: str) -> TfliteNetwork:
            return TfliteNetwork.load(folder / f"{name}.tflite")

        detector = FaceDetector(network("face_detection_short_range"), network("face_detection_full_range_sparse"))
        reader = cls(
            detector,
            FaceMesh(network("face_landmark_with_attention")),
            IrisReader(network("iris_landmark")),
            PersonMask(network("selfie_segmentation")),
        )
        return reader.to(device).eval().requires_grad_(False)

    @property
    def device(self) -> torch.device:
        """Where the networks are: they may be moved."""
        return next(self.buffers()).device

    def __call__(self, image: Any) -> list[np.ndarray]:
        """The 68 landmarks [68, 2] of each face: the form that `prepare_portrait` takes."""
        return [face.landmarks68 for face in self.read(image)]

    def read(self, image: Any) -> list[FaceLandmarks]:
        """Every face of one picture (as `rgb_images` takes it), the largest first; empty where there is none."""
        (picture,) = rgb_images(image)
        for regions in _search_plan(picture):
            found: list[Detections] = []
            for start in range(0, len(regions), BATCH):
                part = regions[start : start + BATCH]
                found += self.detector([picture] * len(part), part, self.device)
            faces = self._read_detected(picture, merge(join(found)))
            if faces:
                return sorted(faces, key=lambda face: -face.box.width * face.box.height)
        return []

    def person_mask(self, image: Any) -> np.ndarray:
        """How sure each pixel of a picture is a person's, float32 [H, W] in 0..1."""
        (picture,) = rgb_images(image)
        return self.person.read([picture], self.device)[0]

    def track(
        self,
        frames: Any,
        previous: FaceLandmarks | None = None,
        *,
        choice: FaceChoice | None = None,
    ) -> list[FaceLandmarks | None]:
        """Follows one face through frames; None where it is not seen.

        Each reading starts where the face was last; where it is lost it is looked for anew.

        Args:
            frames: of a video, in order, as `rgb_images` takes them.
            previous: the face just before, to go on with; without it, one is chosen.
            choice: which of several faces.
        """
        pictures = rgb_images(frames, "frame")
        result: list[FaceLandmarks | None] = []
        while len(result) < len(pictures):
            chunk = pictures[len(result) : len(result) + BATCH]
            if previous is None:
                previous = self._choose(chunk[0], choice or FaceChoice(), None)
            if previous is None:
                result.append(None)
                continue
            followed = self._follow(chunk, previous)
            result += followed
            if followed:
                previous = followed[-1]
            if len(followed) < len(chunk):
                # Lost, or another face: look for the one nearest to where it was.
                previous_place = previous
                previous = self._choose(chunk[len(followed)], choice or FaceChoice(), previous_place)
                result.append(previous)
        return result

    def _choose(
        self, picture: Image, choice: FaceChoice, last: FaceLandmarks | None
    ) -> FaceLandmarks | None:
        faces = self.read(picture)
        boxes = [face.box for face in faces]
        if last is not None and faces:
            shares = overlaps(np.array([box.as_tuple() for box in boxes]), np.array(last.box.as_tuple()))
            if shares.max() > 0:
                return faces[int(shares.argmax())]
        picked = choice.pick(boxes, *picture.shape[:2])
        return None if picked is None else faces[picked]

    def _follow(self, pictures: Sequence[Image], previous: FaceLandmarks) -> list[FaceLandmarks]:
        """The face in as many of the frames, from the first on, as it is surely seen in."""
        start = mesh_regions(previous.points[None].astype(np.float64))
        regions = np.repeat(start, len(pictures), 0)
        points, presence, regions = self.mesh.read(pictures, regions, self.device, rounds=FOLLOWING_ROUNDS)
        lost = np.flatnonzero(presence < LEAST_PRESENCE)
        count = int(lost[0]) if len(lost) else len(pictures)
        points, presence, regions = points[:count], presence[:count], regions[:count]
        moved = np.linalg.norm(mesh_regions(points)[:, :3] - regions[:, :3], axis=1) > DRIFT * regions[:, 2]
        if moved.any():
            again = [picture for picture, far in zip(pictures, moved, strict=False) if far]
            points[moved], presence[moved], regions[moved] = self.mesh.read(
                again, mesh_regions(points[moved]), self.device, rounds=FOLLOWING_ROUNDS
            )
        return self._faces(pictures[:count], points, presence, regions, np.zeros(count))

    def _read_detected(self, picture: Image, found: Detections) -> list[FaceLandmarks]:
        pictures = [picture] * len(found)
        points, presence, regions = self.mesh.read(pictures, found.regions(), self.device)
        kept: list[int] = []
        boxes = np.concatenate([points[:, :468, :2].min(1), points[:, :468, :2].max(1)], 1)
        for k in np.argsort(-presence, kind="stable"):
            if presence[k] >= LEAST_PRESENCE and (overlaps(boxes[kept], boxes[k]) <= SAME_FACE).all():
                kept.append(int(k))
        return self._faces(
            [picture] * len(kept), points[kept], presence[kept], regions[kept], found.scores[kept]
        )

    def _faces(
        self,
        pictures: Sequence[Image],
        points: np.ndarray,
        presence: np.ndarray,
        regions: np.ndarray,
        scores: np.ndarray,
    ) -> list[FaceLandmarks]:
        contours, irises = self.iris.read(pictures, points, self.device)
        for eye, place in enumerate(IRISES):
            points[:, place, :2] = irises[:, eye]
        return [
            FaceLandmarks(
                points[k].astype(np.float32),
                contours[k].astype(np.float32),
                float(scores[k]),
                float(presence[k]),
                FaceRegion(*map(float, regions[k])),
            )
            for k in range(len(points))
        ]


def _search_plan(picture: Image) -> Iterator[np.ndarray]:
    """Where faces are looked for, one set of regions [N, 4] after another, until some are found."""
    yield whole_region(picture)[None]
    yield np.stack([whole_region(picture, angle) for angle in (np.pi / 2, -np.pi / 2, np.pi)])
    side = max(picture.shape[:2]) / 2
    while side >= SMALLEST_TILE:
        yield _tiles(picture, side)
        side /= 2


def _tiles(picture: Image, side: float) -> np.ndarray:
    """Upright squares of that side, [N, 4], that cover the picture and reach into each other."""
    places = []
    for length in picture.shape[1::-1]:
        count = max(1, int(np.ceil((length - side) / (side * (1 - TILE_OVERLAP)))) + 1)
        middle = (length - 1) / 2
        places.append(np.linspace(side / 2, length - side / 2, count) if count > 1 else np.array([middle]))
    x, y = np.meshgrid(*places)
    return np.stack([x.ravel(), y.ravel(), np.full(x.size, side), np.zeros(x.size)], 1)
