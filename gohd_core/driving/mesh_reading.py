"""Motion of people in real videos, read by their face meshes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from gohd_core.animator.geometry.linear_shape import MOVING
from gohd_core.constants import N_IDENTITY
from gohd_core.driving.locators import FaceObservation
from gohd_core.driving.result import FrameCoefficients
from gohd_core.errors import raise_if_stopped
from gohd_core.face.camera import ALIGNED_SIZE
from gohd_core.face.crop import Box
from gohd_core.face.mediapipe.landmarks import FaceLandmarks
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.face.picking import FaceChoice, overlap
from gohd_core.images import Image
from gohd_core.kernels.threads import prefetched
from gohd_core.mesh.clip import (
    SMILE_COLUMNS,
    ClipExpression,
    Features,
    fit_clip,
    iris_offsets,
    neutral_points,
    offset_gaze,
)
from gohd_core.mesh.contours import HALF, N_FACE
from gohd_core.mesh.fit import face_box, into_box
from gohd_core.mesh.gaze import from_head
from gohd_core.mesh.shape import BLINKS

BLOCK = 16
"""Frames that go through the networks together; fixed, so that the caller's batches change nothing."""
SAMPLE = 256
"""Meshes that the face at rest is made of at most; of longer clips every second, fourth ... one is taken."""
SHUT = 0.6
"""Blinks from which on an iris is not believed."""
LIPS_SECONDS = 0.016
"""Deviation of the Gaussian that steadies expressions: .4 frames at 25 a second, so that closures stay."""
GAZE_MODE, GAZE_NEAR = np.radians(4.0), np.radians(7.0)
"""Mode of a person's gaze pitch: the Gaussian kernel's deviation, and distance up to which looks belong."""
GAZE_SHARE, GAZE_MOST = 0.3, np.radians(18.0)
"""Share of looks that must belong to the mode, and its largest distance from straight ahead."""
PROFILE = np.radians(50.0)
EDGE_SHARE = 0.05
FAST = 0.15
"""A face counts as turned away, at the picture's edge (share of its points outside), or fast (share of its
size that it moves by from frame to frame)."""
SAME = 0.5
"""Overlap (intersection over union) from which on two people are one."""
LOOK = 1.0
"""Interval of searches for new people, seconds."""

BLINK_COLUMNS = [MOVING[k] for k in BLINKS]
SMILES = [MOVING[k] for k in SMILE_COLUMNS]


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


class MeshReadings:
    """Gathers one person's frames, and tells in the end what they did; numbers alone are kept of a frame.

    Attributes:
        square: where poses are told, that of the first face; None as long as none was seen.
        doubtful: how many frames were hard to read, by what made them so.
        found: in which frames the person was seen.
    """

    def __init__(self) -> None:
        self.square: tuple[float, float, float] | None = None
        self.doubtful: Counter[str] = Counter()
        self.found: list[bool] = []
        self._features: list[Features] = []
        self._poses: list[Tensor] = []
        self._offsets: list[Tensor] = []
        self._landmarks: list[np.ndarray] = []
        self._sample: list[Tensor] = []
        self._every, self._last = 1, None

    @property
    def reference(self) -> Box | None:
        """The square as a box."""
        if self.square is None:
            return None
        left, top, side = self.square
        return Box(left, top, left + side, top + side)

    def skip(self, frames: int) -> None:
        """So many frames in which the person was not there yet."""
        self.found += [False] * frames

    def add(self, faces: list[FaceLandmarks | None], height: int, width: int) -> None:
        """The next frames' faces, in pixels of pictures of that size."""
        seen = [face for face in faces if face is not None]
        if seen:
            meshes = torch.from_numpy(np.stack([face.points for face in seen]))
            self.square = self.square or face_box(meshes[0], height, width)
            fitted = fit_clip(into_box(meshes, self.square, ALIGNED_SIZE), ALIGNED_SIZE)
            points = fitted.points_in_head
            self._features.append(Features.of(points))
            self._poses.append(fitted.pose)
            self._offsets.append(iris_offsets(fitted.pose, points))
            self._landmarks += [face.landmarks68.astype(np.float32) for face in seen]
            self._keep(points)
            self._count(meshes.numpy(), fitted.pose.numpy(), height, width)
        self.found += [face is not None for face in faces]

    def _keep(self, points: Tensor) -> None:
        done = sum(len(each) for each in self._poses) - len(points)
        self._sample += [points[k] for k in range(len(points)) if (done + k) % self._every == 0]
        while len(self._sample) > SAMPLE:
            self._sample, self._every = self._sample[::2], 2 * self._every

    def _count(self, meshes: np.ndarray, poses: np.ndarray, height: int, width: int) -> None:
        flat = meshes[:, :N_FACE, :2]
        outside = ((flat < 0) | (flat > [width - 1, height - 1])).any(-1).mean(-1)
        middles = flat.mean(1)
        before = middles[:1] if self._last is None else self._last[None]
        ways = np.linalg.norm(np.diff(np.concatenate([before, middles]), axis=0), axis=1)
        self._last = middles[-1]
        self.doubtful["turned away"] += int((np.abs(poses[:, 1]) > PROFILE).sum())
        self.doubtful["at the edge"] += int((outside > EDGE_SHARE).sum())
        self.doubtful["fast"] += int((ways > FAST * np.ptp(flat, axis=1).max(1)).sum())

    def expression(self) -> ClipExpression | None:
        """This person's expression fit, from all frames so far; None without any."""
        if not self._sample:
            return None
        return ClipExpression(neutral_points(torch.stack(self._sample)), Features.joined(self._features))

    def lips(self) -> np.ndarray:
        """Gap and width of the mouth in the frames with a face, [n, 2], model units."""
        features = Features.joined(self._features)
        corners = features.lips[:, 1, 0] - features.lips[:, 1, HALF]
        return torch.stack([features.gap, corners.norm(dim=-1)], 1).numpy()

    def readings(self, fps: float) -> list[FrameCoefficients | None]:
        """One a frame, None without a face."""
        tells = self.expression()
        if tells is None:
            return [None] * len(self.found)
        expression = torch.cat([tells(part) for part in self._features])
        smiles = expression[:, SMILES]
        expression[:, SMILES] = torch.maximum(smiles, (smiles + tells.smile).clamp(max=1))
        pose, found = torch.cat(self._poses), np.array(self.found)
        gaze = self._gaze(pose, expression[:, BLINK_COLUMNS].amax(1))
        steady = _steadied(expression.numpy(), found, LIPS_SECONDS * fps)
        rows = zip(pose.double().numpy(), steady, gaze.numpy(), self._landmarks, strict=True)
        identity = np.zeros(N_IDENTITY)
        made = (FrameCoefficients(p, e, g, identity, points) for p, e, g, points in rows)
        return [next(made) if there else None for there in self.found]

    def _gaze(self, pose: Tensor, blink: Tensor) -> Tensor:
        """Gaze (pitch, yaw) of the camera [T,2]; shut eyes go on from before to after."""
        inside = offset_gaze(torch.cat(self._offsets)).double()
        seen = (blink < SHUT).numpy()
        if seen.any():
            grid = np.arange(len(seen))
            columns = [np.interp(grid, grid[seen], column[seen]) for column in inside.numpy().T]
            inside = torch.from_numpy(np.stack(columns, 1))
        gaze = from_head(pose.double(), inside)
        gaze[:, 1] -= resting_height(gaze[:, 1].numpy()[seen])
        return gaze.flip(-1)


def resting_height(vertical: np.ndarray) -> float:
    """Bias of a person's gaze pitch [T], radians: irises lie between the lids of each at another height.

    The mode of the heights, where enough frames lie near it: people look at the level of the camera most.
    """
    if len(vertical) < 25:
        return 0.0
    sample = vertical[:: max(1, len(vertical) // 1000)]
    near = np.exp(-((sample[:, None] - sample) ** 2) / (2 * GAZE_MODE**2)).sum(1)
    mode = float(sample[near.argmax()])
    share = float((np.abs(sample - mode) < GAZE_NEAR).mean())
    return mode if share >= GAZE_SHARE and abs(mode) <= GAZE_MOST else 0.0


def _steadied(values: np.ndarray, found: np.ndarray, sigma: float) -> np.ndarray:
    """Values [n, C] of the frames with a face, smoothed within each stretch of such frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], found, [False]]).astype(int))).reshape(-1, 2)
    result, start = values.astype(np.float64), 0
    for first, last in edges:
        part = slice(start, start + last - first)
        result[part] = gaussian_filter1d(result[part], sigma, axis=0, mode="nearest")
        start = part.stop
    return result


def read_one(
    frames: Iterable[tuple[float, Image]],
    reader: FaceReader,
    choice: FaceChoice,
    told: Callable[[int], Any] = lambda done: None,
    should_stop: Callable[[], bool] | None = None,
) -> tuple[MeshReadings, list[float], tuple[int, int]]:
    """The chosen person's readings, the frames' times, and the size (height, width) of the last one.

    told: called with the number of frames read after each block.
    """
    made, times, size = MeshReadings(), [], (0, 0)
    for block, faces in follow(frames, reader, choice):
        raise_if_stopped(should_stop, "Reading the driving video was stopped.")
        size = block[0][1].shape[:2]
        made.add(faces, *size)
        times += [time for time, _ in block]
        told(len(times))
    return made, times, size


def read_people(
    frames: Iterable[tuple[float, Image]],
    reader: FaceReader,
    told: Callable[[int], Any] = lambda done: None,
    should_stop: Callable[[], bool] | None = None,
) -> tuple[list[MeshReadings], list[float], tuple[int, int]]:
    """The same for everybody in the film, the largest face of the first frame first."""
    people, made, times, size = People(reader), [], [], (0, 0)
    for block in prefetched(blocks(frames)):
        raise_if_stopped(should_stop, "Reading the driving video was stopped.")
        size = block[0][1].shape[:2]
        for k, faces in enumerate(people.follow(block)):
            if k == len(made):
                made.append(MeshReadings())
                made[k].skip(len(times))
            made[k].add(faces, *size)
        times += [time for time, _ in block]
        told(len(times))
    return made, times, size
