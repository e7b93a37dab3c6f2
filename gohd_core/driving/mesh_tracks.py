"""Tracks of faces through a film, by the mesh reader: of a chosen person, or of everybody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from gohd_core.driving.locators import FaceObservation
from gohd_core.face.mediapipe.landmarks import FaceLandmarks
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.face.picking import FaceChoice, overlap
from gohd_core.images import Image
from gohd_core.kernels.threads import prefetched

BLOCK = 16
"""Frames that go through the networks together; fixed, so that the caller's batches change nothing."""
SAME = 0.5
"""Overlap (intersection over union) from which on two people are one."""
LOOK = 1.0
"""Interval of searches for new people, seconds."""


class MeshTracks:
    """Sightings with landmarks from meshes, for extractors that align faces by them."""

    def __init__(self, reader: FaceReader, choice: FaceChoice | None = None) -> None:
        self.reader, self.choice = reader, choice or FaceChoice()

    def locate(self, frames: Iterable[tuple[float, Image]]) -> Iterator[FaceObservation]:
        """One sighting a frame."""
        for block, faces in follow(frames, self.reader, self.choice):
            for (time, image), face in zip(block, faces, strict=True):
                yield FaceObservation(time, image, None if face is None else face.landmarks68)


def follow(
    frames: Iterable[tuple[float, Image]], reader: FaceReader, choice: FaceChoice
) -> Iterator[tuple[list[tuple[float, Image]], list[FaceLandmarks | None]]]:
    """The chosen face in frames with their times, block by block; None where it is not seen."""
    last: FaceLandmarks | None = None
    for block in prefetched(blocks(frames)):
        faces = reader.track([image for _, image in block], last, choice=choice)
        last = next((face for face in reversed(faces) if face is not None), last)
        yield block, faces


def blocks(frames: Iterable[tuple[float, Image]]) -> Iterator[list[tuple[float, Image]]]:
    """Frames in blocks of `BLOCK`, all of one size in each."""
    frames, ahead = iter(frames), []
    while block := ahead + list(islice(frames, BLOCK - len(ahead))):
        size = block[0][1].shape
        same = next((k for k, (_, image) in enumerate(block) if image.shape != size), len(block))
        block, ahead = block[:same], block[same:]
        yield block


class People:
    """Follows everybody in a film, each by a track of their own; new people are looked for now and then.

    Attributes:
        last: of each person, where they were seen last.
    """

    def __init__(self, reader: FaceReader, most: int = 8) -> None:
        self.reader, self.most = reader, most
        self.last: list[FaceLandmarks] = []
        self._looked: float | None = None
        self._seen: list[bool] = []

    def follow(self, block: list[tuple[float, Image]]) -> list[list[FaceLandmarks | None]]:
        """Each known person's face in the frames of a block; people who are new are last."""
        images = [image for _, image in block]
        if self._looked is None or block[0][0] - self._looked >= LOOK:
            self._look(images[0])
            self._looked = block[0][0]
        tracks = [self.reader.track(images, last, choice=FaceChoice(box=last.box)) for last in self.last]
        for row in range(len(images)):
            self._part(tracks, row)
        self._seen = [track[-1] is not None for track in tracks]
        for k, track in enumerate(tracks):
            self.last[k] = next((face for face in reversed(track) if face is not None), self.last[k])
        return tracks

    def _look(self, image: Image) -> None:
        for face in self.reader.read(image):
            if len(self.last) < self.most and all(
                overlap(face.box, other.box) < 0.1 or not _alike(face, other) for other in self.last
            ):
                self.last.append(face)

    def _part(self, tracks: list[list[FaceLandmarks | None]], row: int) -> None:
        """Of two tracks on one face, that keeps it who was seen just before, or whose face was nearer."""
        for first in range(len(tracks)):
            for second in range(first + 1, len(tracks)):
                a, b = tracks[first][row], tracks[second][row]
                if a is None or b is None or overlap(a.box, b.box) <= SAME:
                    continue
                claims = [self._claim(tracks[k], row, k) for k in (first, second)]
                tracks[second if claims[0] <= claims[1] else first][row] = None

    def _claim(self, track: list[FaceLandmarks | None], row: int, person: int) -> tuple[bool, float]:
        """Whether somebody was not seen just before, and how far away before that; the least has the face."""
        before = track[row - 1] is not None if row else person < len(self._seen) and self._seen[person]
        return not before, _way(track, row, self.last[person])


def _alike(face: FaceLandmarks, other: FaceLandmarks) -> bool:
    """Whether one lies about where the other does."""
    way = np.linalg.norm(face.points[:, :2].mean(0) - other.points[:, :2].mean(0))
    return bool(way < max(face.size, other.size))


def _way(track: list[FaceLandmarks | None], row: int, last: FaceLandmarks) -> float:
    before = next((track[k] for k in range(row - 1, -1, -1) if track[k] is not None), last)
    return float(np.linalg.norm(track[row].points[:, :2].mean(0) - before.points[:, :2].mean(0)))
