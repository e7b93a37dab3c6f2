"""Face locators for videos: known landmarks, a box, a tracked face, or the whole square picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gohd_core.constants import N_LANDMARKS
from gohd_core.errors import BadInput
from gohd_core.face.crop import Box
from gohd_core.face.detection.detector import FaceDetector
from gohd_core.face.detection.tracking import FaceTracker
from gohd_core.face.picking import FaceChoice
from gohd_core.images import Image, check_landmarks


@dataclass(frozen=True, eq=False)
class FaceObservation:
    """One frame: its time in seconds, its picture and the detected face.

    landmarks [68, 2] in pixels or None; box of the face or None; whole: the picture is all face; cut: another
    shot begins here.
    """

    time: float
    image: Image
    landmarks: np.ndarray | None = None
    box: Box | None = None
    whole: bool = False
    cut: bool = False

    @property
    def found(self) -> bool:
        """Whether anything can be read in this frame."""
        return self.whole or self.landmarks is not None or self.box is not None


class WholeFrames:
    """Every frame is a square picture of a head, framed like a portrait."""

    def locate(self, frames: Iterable[tuple[float, Image]]) -> Iterator[FaceObservation]:
        """One observation a frame."""
        return (FaceObservation(time, image, whole=True) for time, image in frames)


class KnownLandmarks:
    """Landmarks that the user, or another detector, supplies.

    Args:
        landmarks: [T, 68, 2] in pixels, or a list with None where there is no face; rows with NaN
            count as None. Frames past the last one have no face.
    """

    def __init__(self, landmarks: Any) -> None:
        rows = [None if points is None else np.asarray(points, np.float64) for points in landmarks]
        self.landmarks = [
            None if points is None or np.isnan(points).any() else check_landmarks(points, 1, N_LANDMARKS)[0]
            for points in rows
        ]

    def locate(self, frames: Iterable[tuple[float, Image]]) -> Iterator[FaceObservation]:
        """One observation a frame."""
        for k, (time, image) in enumerate(frames):
            yield FaceObservation(time, image, self.landmarks[k] if k < len(self.landmarks) else None)


class KnownBox:
    """A face detector's box, in all frames or frame by frame.

    Args:
        boxes: (left, top, right, bottom) in pixels, or [T, 4], or a list of them with None.
    """

    def __init__(self, boxes: Any) -> None:
        one = isinstance(boxes, Box) or (np.ndim(boxes[0]) == 0 and boxes[0] is not None)
        self.single = Box.of(boxes) if one else None
        self.boxes = [] if one else [None if box is None else Box.of(box) for box in boxes]

    def locate(self, frames: Iterable[tuple[float, Image]]) -> Iterator[FaceObservation]:
        """One observation a frame."""
        for k, (time, image) in enumerate(frames):
            own = self.boxes[k] if k < len(self.boxes) else None
            yield FaceObservation(time, image, box=self.single or own)


class TrackedFace:
    """One face, found by a detector and followed."""

    def __init__(self, detector: FaceDetector, choice: FaceChoice | None = None) -> None:
        self.tracker = FaceTracker(detector, choice or FaceChoice())

    def locate(self, frames: Iterable[tuple[float, Image]]) -> Iterator[FaceObservation]:
        """One observation a frame."""
        times: list[float] = []

        def images() -> Iterator[Image]:
            for time, image in frames:
                times.append(time)
                yield image

        for image, landmarks in self.tracker.track(images()):
            yield FaceObservation(times.pop(0), image, landmarks)


FaceLocator = WholeFrames | KnownLandmarks | KnownBox | TrackedFace


def face_locator(
    *,
    landmarks: Sequence[Any] | np.ndarray | None = None,
    box: Any = None,
    detector: FaceDetector | None = None,
    choice: FaceChoice | None = None,
) -> FaceLocator:
    """The first of these that is given: landmarks, a detector (with a box it takes the face there), a box.

    Nothing at all: the frames are square pictures of a head.
    """
    if landmarks is not None:
        if len(landmarks) == 0:
            raise BadInput("The landmarks are empty; give those of each frame.")
        return KnownLandmarks(landmarks)
    if detector is not None:
        return TrackedFace(detector, choice or FaceChoice(box=box))
    return WholeFrames() if box is None else KnownBox(box)
