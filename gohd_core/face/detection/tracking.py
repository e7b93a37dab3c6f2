"""Follows one face through frames: detected once, tracked by its own landmarks, detected again when lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from gohd_core.face.crop import Box
from gohd_core.face.detection.detector import FaceDetector
from gohd_core.face.picking import FaceChoice, overlap
from gohd_core.face.portrait import FOREHEAD
from gohd_core.images import Image

BLOCK = 16
"""Frames that go through a network together; fixed, so that results don't depend on the caller's batches."""
PROBE = 4
"""While no face is seen, one is looked for in every fourth frame."""
LEAST_CERTAINTY = 0.25
"""Landmarks of a lower certainty (mean height of the heatmaps' peaks) are of no face."""
DRIFT = 0.12
"""A face that moved or grew by more than this share of its box is read again, in a box of its own."""
SIZES = (0.3, 3.0)
"""Landmarks whose extent is not within these factors of the box that they were read in are of no face."""


def box_of_landmarks(landmarks: np.ndarray) -> Box:
    """A detector's box around landmarks [68, 2]: their bounds and the forehead above them."""
    box = Box.around(landmarks)
    return Box(box.left, box.top - FOREHEAD * box.height, box.right, box.bottom)


@dataclass
class FaceTracker:
    """Tracks the chosen face; one tracker serves one clip.

    Attributes:
        detections: how many frames faces were looked for in; calls: how often a network was called.
    """

    detector: FaceDetector
    choice: FaceChoice = field(default_factory=FaceChoice)
    least_certainty: float = LEAST_CERTAINTY
    detections: int = 0
    calls: int = 0
    _last: Box | None = None
    _seen: bool = False

    def track(self, frames: Iterable[Image]) -> Iterator[tuple[Image, np.ndarray | None]]:
        """Each frame with the landmarks [68, 2] of the face in its pixels, or None where it is not seen."""
        block: list[Image] = []
        for frame in frames:
            if block and frame.shape != block[0].shape:
                yield from zip(block, self._follow(block), strict=True)
                block = []
            block.append(frame)
            if len(block) == BLOCK:
                yield from zip(block, self._follow(block), strict=True)
                block = []
        if block:
            yield from zip(block, self._follow(block), strict=True)

    def _follow(self, frames: list[Image]) -> list[np.ndarray | None]:
        found: list[np.ndarray | None] = [None] * len(frames)
        start = 0 if self._seen else self._search(frames, found)
        rest = [k for k in range(start, len(frames)) if found[k] is None]
        if rest:
            assert self._last is not None
            self._read(frames, rest, [self._last] * len(rest), found)
            moved = [k for k in rest if (p := found[k]) is not None and _drifted(p, self._last)]
            self._read(frames, moved, [box_of_landmarks(found[k]) for k in moved], found)
            self._again(frames, [k for k in rest if found[k] is None], found)
        last = next((p for p in reversed(found) if p is not None), None)
        if last is not None:
            self._last = box_of_landmarks(last)
        self._seen = found[-1] is not None
        return found

    def _search(self, frames: list[Image], found: list[np.ndarray | None]) -> int:
        """Looks in a few frames; the first frame from which the face can be tracked, or their number."""
        probes = range(0, len(frames), PROBE)
        for chosen in (probes[:1], probes[1:]):
            self._again(frames, list(chosen), found)
            first = next((k for k in chosen if found[k] is not None), None)
            if first is not None:
                self._last = box_of_landmarks(found[first])
                return max(0, first - PROBE + 1)
        return len(frames)

    def _again(self, frames: list[Image], where: list[int], found: list[np.ndarray | None]) -> None:
        """Detects a lost face again: near its last place, else by the choice."""
        if not where:
            return
        self.detections += len(where)
        self.calls += 1
        places, boxes = [], []
        for k, rows in zip(where, self.detector.boxes([frames[k] for k in where]), strict=True):
            box = self._pick([Box(*row[:4]) for row in rows.tolist()], frames[k])
            if box is not None:
                places.append(k)
                boxes.append(box)
        self._read(frames, places, boxes, found)

    def _pick(self, boxes: list[Box], frame: Image) -> Box | None:
        if self._last is not None and boxes:
            shares = [overlap(box, self._last) for box in boxes]
            if max(shares) > 0:
                return boxes[int(np.argmax(shares))]
        chosen = self.choice.pick(boxes, *frame.shape[:2])
        return None if chosen is None else boxes[chosen]

    def _read(
        self, frames: list[Image], where: list[int], boxes: list[Box], found: list[np.ndarray | None]
    ) -> None:
        if not where:
            return
        self.calls += 1
        points, certainty = self.detector.landmarks([frames[k] for k in where], boxes)
        for k, box, landmarks, sure in zip(where, boxes, points, certainty, strict=True):
            found[k] = landmarks if sure >= self.least_certainty and _plausible(landmarks, box) else None


def _plausible(landmarks: np.ndarray, box: Box) -> bool:
    width, height = np.ptp(landmarks, axis=0)
    low, high = SIZES
    return low * box.width < width < high * box.width and low * box.height < height < high * box.height


def _drifted(landmarks: np.ndarray, box: Box) -> bool:
    own = box_of_landmarks(landmarks)
    side = (box.width + box.height) / 2
    across = abs(own.left + own.right - box.left - box.right) / 2
    down = abs(own.top + own.bottom - box.top - box.bottom) / 2
    grown = abs((own.width + own.height) / 2 - side)
    return max(across, down, grown) > DRIFT * side
