"""Motion of people in real videos, read by their face meshes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from gohd_core.constants import N_EXPRESSION, N_IDENTITY
from gohd_core.driving.lids import BLINK_COLUMNS
from gohd_core.driving.mesh_tracks import People, blocks, follow
from gohd_core.driving.nods import PitchFlow, steady_pitch, upper_middle
from gohd_core.driving.result import FrameCoefficients
from gohd_core.driving.shots import Shots, face_places, face_steps, jumps, people_of
from gohd_core.driving.sideways import clean_shifts
from gohd_core.errors import raise_if_stopped
from gohd_core.face.crop import Box
from gohd_core.face.geometry.camera import ALIGNED_SIZE, rotation
from gohd_core.face.mediapipe.landmarks import FaceLandmarks
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.face.picking import FaceChoice
from gohd_core.images import Image
from gohd_core.kernels.threads import prefetched
from gohd_core.mesh.clip import (
    ClipExpression,
    Features,
    fit_clip,
    iris_offsets,
    offset_gaze,
)
from gohd_core.mesh.contours import HALF, N_FACE
from gohd_core.mesh.face_at_rest import neutral_points
from gohd_core.mesh.reading.columns import SIDEWAYS
from gohd_core.mesh.reading.fit import face_square, into_box
from gohd_core.mesh.reading.gaze import from_head

SOLVED = 512
"""Frames whose expressions are solved together: few cost as much as many."""
LEAST_SAMPLE = 6
"""Sampled meshes that a person's face at rest takes at least."""
SAMPLE = 1024
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


class MeshReadings:
    """Accumulates one person's frames, as numbers alone, and gives their motion at the end.

    Attributes:
        square: reference of the poses, around the first face; None as long as none was seen.
        doubtful: how many frames were hard to read, by what made them so.
        found: in which frames the person was seen.
        cuts: frames at which another shot begins.
    """

    def __init__(self) -> None:
        self.square: tuple[float, float, float] | None = None
        self.doubtful: Counter[str] = Counter()
        self.found: list[bool] = []
        self.cuts: list[int] = []
        self._features: list[Features] = []
        self._poses: list[Tensor] = []
        self._flow, self._nods = PitchFlow(), []
        self._offsets: list[Tensor] = []
        self._landmarks: list[np.ndarray] = []
        self._sample: list[tuple[int, Tensor]] = []
        self._shots, self._shot = Shots(), []
        self._shapes: list[Tensor] = []
        self._every, self._last = 1, None

    @property
    def reference(self) -> Box | None:
        """The square as a box."""
        if self.square is None:
            return None
        left, top, side = self.square
        return Box(left, top, left + side, top + side)

    def skip(self, frames: int) -> None:
        """So many frames in which the person was not there; negative: the last ones are told anew."""
        self.found = self.found[:frames] if frames < 0 else self.found + [False] * frames
        self.cuts = [cut for cut in self.cuts if cut < len(self.found)]
        self._flow.forget()

    def add(self, faces: list[FaceLandmarks | None], images: list[Image]) -> None:
        """The next frames' faces, and their pictures, which are all of one size."""
        height, width = images[0].shape[:2]
        seen = [face for face in faces if face is not None]
        if not seen:
            self._flow.forget()
        else:
            meshes = torch.from_numpy(np.stack([face.points for face in seen]))
            self.square = self.square or face_square(meshes[0])
            fitted = fit_clip(into_box(meshes, self.square, ALIGNED_SIZE), ALIGNED_SIZE)
            points = fitted.points_in_head
            self._features.append(Features.of(points))
            self._poses.append(fitted.pose)
            self._offsets.append(iris_offsets(fitted.pose, points))
            self._landmarks += [face.landmarks68.astype(np.float32) for face in seen]
            self._follow_nods(faces, images, points.numpy(), fitted.pose.numpy())
            shots, before = self._shots.add(images, faces), self._shot[-1:]
            another = np.diff(shots, prepend=before or shots[:1]) != 0
            self._keep(points, shots)
            jumped = self._count(meshes.numpy(), fitted.pose.numpy(), height, width)
            there = np.array([face is not None for face in faces])
            jumped &= np.concatenate([self.found[-1:] or [False], there[:-1]])[there]
            self.cuts += (len(self.found) + np.flatnonzero(there)[another | jumped]).tolist()
        self.found += [face is not None for face in faces]

    def _follow_nods(
        self, faces: list[FaceLandmarks | None], images: list[Image], points: np.ndarray, poses: np.ndarray
    ) -> None:
        seen = zip(points, poses, strict=True)
        for face, image in zip(faces, images, strict=True):
            if face is None:
                self._flow.forget()
            else:
                own, pose = next(seen)
                self._nods.append(self._flow.change(image, face.points, own, pose[:3]))

    def _keep(self, points: Tensor, shots: list[int]) -> None:
        for k, shot in enumerate(shots):
            if shot == len(self._shapes):
                self._shapes.append(torch.zeros_like(points[k]))
            self._shapes[shot] += points[k]
            if (len(self._shot) + k) % self._every == 0:
                self._sample.append((shot, points[k]))
        self._shot += shots
        while len(self._sample) > SAMPLE:
            self._sample, self._every = self._sample[::2], 2 * self._every

    def _count(self, meshes: np.ndarray, poses: np.ndarray, height: int, width: int) -> np.ndarray:
        """Counts what is hard to read; where [n] the face jumps from frame to frame."""
        flat = meshes[:, :N_FACE, :2]
        outside = ((flat < 0) | (flat > [width - 1, height - 1])).any(-1).mean(-1)
        places = face_places(meshes)
        moved, grown = face_steps(np.concatenate([places[:1] if self._last is None else self._last, places]))
        self._last = places[-1:]
        self.doubtful["turned away"] += int((np.abs(poses[:, 1]) > PROFILE).sum())
        self.doubtful["at the edge"] += int((outside > EDGE_SHARE).sum())
        self.doubtful["fast"] += int((moved > FAST).sum())
        return jumps(moved, grown)

    def expression(self) -> ClipExpression | None:
        """The expression fit of whom most of the frames so far show; None without any."""
        if not self.found or not self._shot:
            return None
        people = self._people()
        return self._fit(np.bincount(people[self._shot]).argmax(), people, Features.joined(self._features))

    def _people(self) -> np.ndarray:
        """The person of each shot: a cut may show another one."""
        lengths, sampled = (
            np.bincount(shots, minlength=len(self._shapes))
            for shots in (self._shot, [shot for shot, _ in self._sample])
        )
        shapes = torch.stack(self._shapes) / torch.from_numpy(lengths)[:, None, None]
        return np.array(people_of(shapes, lengths.tolist(), (sampled >= LEAST_SAMPLE).tolist()))

    def _fit(self, person: int, people: np.ndarray, features: Features) -> ClipExpression:
        """A person's expression fit, from the features of all frames with a face."""
        sample = torch.stack([points for shot, points in self._sample if people[shot] == person])
        return ClipExpression(neutral_points(sample), features.rows(people[self._shot] == person))

    def lips(self) -> np.ndarray:
        """Gap and width of the mouth in the frames with a face, [n, 2], model units."""
        features = Features.joined(self._features)
        corners = features.lips[:, 1, 0] - features.lips[:, 1, HALF]
        return torch.stack([features.gap, corners.norm(dim=-1)], 1).numpy()

    def readings(self, fps: float) -> list[FrameCoefficients | None]:
        """One a frame, None without a face."""
        if not self._shot:
            return [None] * len(self.found)
        people, features = self._people(), Features.joined(self._features)
        who, pose, found = people[self._shot], torch.cat(self._poses), np.array(self.found)
        expression = torch.zeros(len(who), N_EXPRESSION, dtype=torch.float32, device="cpu")
        for person in range(people.max() + 1):
            fit, rows = self._fit(person, people, features), np.flatnonzero(who == person)
            for part in np.split(rows, range(SOLVED, len(rows), SOLVED)):
                expression[part] = fit.with_rest(fit(features.rows(part)))
            shifts = clean_shifts(expression[rows][:, SIDEWAYS], pose[rows, 1])
            expression[np.ix_(rows, SIDEWAYS)] = shifts
        gaze = self._gaze(pose, expression[:, BLINK_COLUMNS].amax(1), who)
        steady = _smooth_seen(expression.numpy(), found, LIPS_SECONDS * fps, self.cuts)
        poses = self._nodding(pose.double().numpy(), found, fps)
        rows = zip(poses, steady, gaze.numpy(), self._landmarks, strict=True)
        identity = np.zeros(N_IDENTITY)
        made = (FrameCoefficients(p, e, g, identity, points) for p, e, g, points in rows)
        return [next(made) if there else None for there in self.found]

    def _nodding(self, poses: np.ndarray, found: np.ndarray, fps: float) -> np.ndarray:
        """Poses [T,6] that nod as the picture's points tell; the face stays where it is."""
        nods = np.array(self._nods)
        nods[np.isin(np.flatnonzero(found), self.cuts)] = np.nan
        steady = poses.copy()
        steady[:, 0] = steady_pitch(poses[:, 0], nods, fps)
        turns, own = (rotation(torch.from_numpy(each[:, :3])).numpy() for each in (poses, steady))
        steady[:, 3:] += upper_middle() @ turns - upper_middle() @ own
        return steady

    def _gaze(self, pose: Tensor, blink: Tensor, who: np.ndarray) -> Tensor:
        """Gaze (pitch, yaw) of the camera [T,2]; shut eyes go on from before to after. who: [T] persons."""
        inside = offset_gaze(torch.cat(self._offsets)).double()
        seen = (blink < SHUT).numpy()
        if seen.any():
            grid = np.arange(len(seen))
            columns = [np.interp(grid, grid[seen], column[seen]) for column in inside.numpy().T]
            inside = torch.from_numpy(np.stack(columns, 1))
        gaze = from_head(pose.double(), inside)
        for person in range(who.max() + 1):
            gaze[who == person, 1] -= pitch_bias(gaze[:, 1].numpy()[seen & (who == person)])
        return gaze.flip(-1)


def pitch_bias(vertical: np.ndarray) -> float:
    """Bias of a person's gaze pitch [T], radians, which differs with the height of irises between the lids.

    The mode of the pitches, where enough frames are near it: people look at the camera's height most.
    """
    if len(vertical) < 25:
        return 0.0
    sample = vertical[:: max(1, len(vertical) // 1000)]
    near = np.exp(-((sample[:, None] - sample) ** 2) / (2 * GAZE_MODE**2)).sum(1)
    mode = float(sample[near.argmax()])
    share = float((np.abs(sample - mode) < GAZE_NEAR).mean())
    return mode if share >= GAZE_SHARE and abs(mode) <= GAZE_MOST else 0.0


def _smooth_seen(values: np.ndarray, found: np.ndarray, sigma: float, cuts: list[int]) -> np.ndarray:
    """Values [n, C] of the frames with a face, smoothed within each stretch of such frames of one shot."""
    began = np.diff(found, prepend=False) & found
    began[cuts] = True
    parts = np.split(values.astype(np.float64), np.flatnonzero(began[found])[1:])
    return np.concatenate([gaussian_filter1d(part, sigma, axis=0, mode="nearest") for part in parts])


def read_one(
    frames: Iterable[tuple[float, Image]],
    reader: FaceReader,
    choice: FaceChoice,
    progress: Callable[[int], Any] = lambda done: None,
    should_stop: Callable[[], bool] | None = None,
) -> tuple[MeshReadings, list[float], tuple[int, int]]:
    """The chosen person's readings, the frames' times, and the size (height, width) of the last one.

    progress: called with the number of frames read after each block.
    """
    made, times, size = MeshReadings(), [], (0, 0)
    for block, faces in follow(frames, reader, choice):
        raise_if_stopped(should_stop, "Reading the driving video was stopped.")
        size = block[0][1].shape[:2]
        made.add(faces, [image for _, image in block])
        times += [time for time, _ in block]
        progress(len(times))
    return made, times, size


def read_people(
    frames: Iterable[tuple[float, Image]],
    reader: FaceReader,
    progress: Callable[[int], Any] = lambda done: None,
    should_stop: Callable[[], bool] | None = None,
) -> tuple[list[MeshReadings], list[float], tuple[int, int]]:
    """The same for everybody in the film, the largest face of the first frame first."""
    people, made, times, size = People(reader), [], [], (0, 0)
    for block in prefetched(blocks(frames)):
        raise_if_stopped(should_stop, "Reading the driving video was stopped.")
        size = block[0][1].shape[:2]
        before = people.before
        for k, faces in enumerate(people.follow(block)):
            if k == len(made):
                made.append(MeshReadings())
                made[k].skip(len(times))
            if earlier := people.earlier.get(k):
                made[k].skip(-len(before))
                made[k].add(earlier, before)
            made[k].add(faces, [image for _, image in block])
        times += [time for time, _ in block]
        progress(len(times))
    return made, times, size
