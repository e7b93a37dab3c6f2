"""Reads every face of a picture, or follows one through a video, with MediaPipe's networks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from gohd_core.checkpoints.face_files import (
    FULL_RANGE,
    IRIS,
    MESH,
    PERSON,
    SHORT_RANGE,
    FaceFile,
    check_face_file,
    find_face_files,
    missing_face_files,
)
from gohd_core.errors import BadCheckpoint
from gohd_core.face.mediapipe.detector import LEFT_EYE, RIGHT_EYE, Detections, FaceDetector, join, merge
from gohd_core.face.mediapipe.face_mesh import EYES, IRISES, FaceMesh, mesh_regions
from gohd_core.face.mediapipe.iris import IrisReader
from gohd_core.face.mediapipe.landmarks import FaceLandmarks, FaceRegion
from gohd_core.face.mediapipe.network import TfliteNetwork
from gohd_core.face.mediapipe.person_mask import PersonMask
from gohd_core.face.mediapipe.search import quick_plan, search_plan
from gohd_core.face.picking import FaceChoice, overlap
from gohd_core.images import Image, rgb_images

LEAST_PRESENCE = 0.5
"""Below it the mesh network holds that there is no face."""

CERTAIN = 0.8
"""A face of which the detector is that sure ends the search; photographed and painted ones reach it."""

ASTRAY = 0.15
"""Eyes of a mesh farther than this from where the detector saw them, in its boxes, are no eyes."""

SAME_FACE = 0.5
"""Meshes whose boxes share more than this (intersection over union) are one face."""

BATCH = 16
FOLLOWING_ROUNDS = 2
"""Readings of a face that starts from its region in the frame before."""
KEY_FRAMES = 4
"""Every so many frames a face is read ahead; its regions in between are interpolated."""
Pick = Callable[[Sequence[FaceLandmarks], FaceLandmarks | None, Image], FaceLandmarks | None]
"""Which of the faces of a picture is the one that was last seen at the second argument's place; or none."""
DRIFT = 0.05
"""A face that moved by more than this share of its region since the last reading is read once more."""


class FaceReader(nn.Module):
    """MediaPipe's detector, mesh, iris and segmentation networks, and the order in which they run.

    It is one module, so that a memory manager may move it as a whole.
    """

    def __init__(self, detector: FaceDetector, mesh: FaceMesh, iris: IrisReader, person: PersonMask) -> None:
        super().__init__()
        self.detector, self.mesh, self.iris, self.person = detector, mesh, iris, person

    @classmethod
    def load(
        cls, folders: str | Path | Sequence[str | Path] | None = None, *, device: str | torch.device = "cpu"
    ) -> FaceReader:
        """With the files that lie in the folders, or in `faces` there; None looks where they usually lie.

        Raises: `BadCheckpoint` when a file is missing, cut off, of another version or no `.tflite`.
        """
        places = (folders,) if isinstance(folders, str | Path) else folders
        problem = missing_face_files(places)
        if problem is not None:
            raise BadCheckpoint(problem)
        found = find_face_files(places)

        def network(item: FaceFile) -> TfliteNetwork:
            check_face_file(found[item.name], item)
            return TfliteNetwork.load(found[item.name])

        reader = cls(
            FaceDetector(network(SHORT_RANGE), network(FULL_RANGE)),
            FaceMesh(network(MESH)),
            IrisReader(network(IRIS)),
            PersonMask(network(PERSON)),
        )
        return reader.to(device).train(False).requires_grad_(False)

    @classmethod
    def find(
        cls, folders: str | Path | Sequence[str | Path] | None = None, *, device: str | torch.device = "cpu"
    ) -> FaceReader | None:
        """The same, or None where the files are not there."""
        places = (folders,) if isinstance(folders, str | Path) else folders
        return None if missing_face_files(places) else cls.load(folders, device=device)

    @property
    def network(self) -> FaceReader:
        """Itself, for memory managers."""
        return self

    @property
    def _device(self) -> torch.device:  # `device` is what ComfyUI sets on a network that it moves
        """Device of the networks; they may be moved."""
        return next(self.buffers()).device

    def __call__(self, image: Any) -> list[np.ndarray]:
        """The 68 landmarks [68, 2] of each face: the form that `prepare_portrait` takes."""
        return [face.landmarks68 for face in self.read(image)]

    def read(self, image: Any) -> list[FaceLandmarks]:
        """Every face of a picture (as `rgb_images` takes it), the largest first; maybe none."""
        (picture,) = rgb_images(image)
        return self._search(picture, search_plan(picture))

    def _search(self, picture: Image, plan: Iterable[tuple[float, np.ndarray]]) -> list[FaceLandmarks]:
        faces: list[FaceLandmarks] = []
        for least, regions in plan:
            found = []
            for start in range(0, len(regions), BATCH):
                part = regions[start : start + BATCH]
                found += self.detector([picture] * len(part), part, self._device)
            merged = merge(join(found))
            faces += self._read_detected(picture, merged[merged.scores >= least])
            if any(face.score >= CERTAIN for face in faces):
                break
        return sorted(_distinct(faces), key=lambda face: -face.box.width * face.box.height)

    def person_mask(self, image: Any) -> np.ndarray:
        """Person mask of a picture, float32 [H, W] in 0..1."""
        (picture,) = rgb_images(image)
        return self.person.read([picture], self._device)[0]

    def track(
        self,
        frames: Any,
        previous: FaceLandmarks | None = None,
        *,
        choice: FaceChoice | None = None,
        pick: Pick | None = None,
    ) -> list[FaceLandmarks | None]:
        """Follows one face through frames; None where it is not seen.

        Each reading starts where the face was last; where it is lost it is detected again.

        Args:
            frames: of a video, in order, as `rgb_images` takes them.
            previous: the face just before, to go on with; without it, one is chosen.
            choice: which of several faces.
            pick: says in its place which face of a frame it is where it is searched for.
        """
        pictures = rgb_images(frames, "frame")
        chosen = choice or FaceChoice()
        pick = pick or (lambda faces, last, picture: choose_face(faces, chosen, last, picture))
        result: list[FaceLandmarks | None] = []
        if previous is None and pictures:
            previous = pick(self.read(pictures[0]), None, pictures[0])
        last = previous
        while len(result) < len(pictures):
            chunk = pictures[len(result) : len(result) + BATCH]
            followed = [] if previous is None else self._follow(chunk, previous)
            result += followed
            last = previous = followed[-1] if followed else previous
            if len(followed) < len(chunk):
                picture = chunk[len(followed)]
                previous = pick(self._search(picture, quick_plan(picture, last)), last, picture)
                last = previous or last
                result.append(previous)
        return result

    def reread(self, frames: Any, points: np.ndarray) -> np.ndarray:
        """Meshes [N,478,3] in pixels of one face in each frame, from about where its points [N,478,2] are."""
        return self.mesh.read(rgb_images(frames, "frame"), mesh_regions(points), self._device, rounds=1)[0]

    def _follow(self, pictures: Sequence[Image], previous: FaceLandmarks) -> list[FaceLandmarks]:
        """The face in the leading frames in which it is found with certainty; stops where it is lost."""
        regions, rounds = self._interpolated_regions(pictures, previous)
        points, presence, regions = self.mesh.read(pictures, regions, self._device, rounds=rounds)
        lost = np.flatnonzero(presence < LEAST_PRESENCE)
        count = int(lost[0]) if len(lost) else len(pictures)
        points, presence, regions = points[:count], presence[:count], regions[:count]
        moved = np.linalg.norm(mesh_regions(points)[:, :3] - regions[:, :3], axis=1) > DRIFT * regions[:, 2]
        if moved.any():
            again = [picture for picture, far in zip(pictures, moved, strict=False) if far]
            points[moved], presence[moved], regions[moved] = self.mesh.read(
                again, mesh_regions(points[moved]), self._device, rounds=FOLLOWING_ROUNDS
            )
        return self._faces(pictures[:count], points, presence, regions, np.zeros(count))

    def _interpolated_regions(
        self, pictures: Sequence[Image], previous: FaceLandmarks
    ) -> tuple[np.ndarray, int]:
        """Regions [N, 4] of a face in consecutive frames, and how many rounds it is read in from there.

        In each key frame the face is read once, in its region of the key frame before; between them regions
        are interpolated, so that one round is enough. Where it is lost in one, `FOLLOWING_ROUNDS` start from
        the region before them all.
        """
        start = mesh_regions(previous.points[None].astype(np.float64))
        keys = sorted({*range(KEY_FRAMES - 1, len(pictures), KEY_FRAMES), len(pictures) - 1})
        known = [start]
        for k in keys:
            points, presence, _ = self.mesh.read([pictures[k]], known[-1], self._device, rounds=1)
            if presence[0] < LEAST_PRESENCE:
                return np.repeat(start, len(pictures), 0), FOLLOWING_ROUNDS
            known.append(mesh_regions(points))
        rows = np.concatenate(known)
        rows[:, 3] = np.unwrap(rows[:, 3])
        grid = np.arange(len(pictures))
        return np.stack([np.interp(grid, [-1, *keys], column) for column in rows.T], 1), 1

    def _read_detected(self, picture: Image, found: Detections) -> list[FaceLandmarks]:
        pictures = [picture] * len(found)
        points, presence, regions = self.mesh.read(pictures, found.regions(), self._device)
        likely = np.flatnonzero((presence >= LEAST_PRESENCE) & (_eye_distance(points, found) <= ASTRAY))
        pictures = [picture] * len(likely)
        return self._faces(pictures, points[likely], presence[likely], regions[likely], found.scores[likely])

    def _faces(
        self,
        pictures: Sequence[Image],
        points: np.ndarray,
        presence: np.ndarray,
        regions: np.ndarray,
        scores: np.ndarray,
    ) -> list[FaceLandmarks]:
        contours, irises = self.iris.read(pictures, points, self._device)
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


def choose_face(
    faces: Sequence[FaceLandmarks], choice: FaceChoice, last: FaceLandmarks | None, picture: Image
) -> FaceLandmarks | None:
    """The face nearest to its last place; where none overlaps it, as after a cut, the choice decides."""
    boxes = [face.box for face in faces]
    shares = [0.0 if last is None else overlap(box, last.box) for box in boxes]
    if max(shares, default=0) > 0:
        return faces[int(np.argmax(shares))]
    picked = choice.pick(boxes, *picture.shape[:2])
    return None if picked is None else faces[picked]


def _distinct(faces: Sequence[FaceLandmarks]) -> list[FaceLandmarks]:
    """Non-maximum suppression: of overlapping faces, the one with the highest score."""
    kept: list[FaceLandmarks] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(overlap(face.box, other.box) <= SAME_FACE for other in kept):
            kept.append(face)
    return kept


def _eye_distance(points: np.ndarray, found: Detections) -> np.ndarray:
    """Distance of a mesh's eyes from those of the detector, in longer sides of its box, [N]."""
    eyes = np.stack([points[:, list(eye), :2].mean(1) for eye in EYES], 1)
    off = np.linalg.norm(eyes - found.keypoints[:, [RIGHT_EYE, LEFT_EYE]], axis=2).max(1, initial=0)
    return off / (found.boxes[:, 2:] - found.boxes[:, :2]).max(1, initial=1e-9)
