"""Eye contact: the eyes of a real video or picture are turned to the viewer, or along a path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from gohd_core.driving.mesh_tracks import follow
from gohd_core.driving.shots import Shots, people_of
from gohd_core.errors import BadInput, raise_if_stopped
from gohd_core.face.geometry.camera import ALIGNED_SIZE
from gohd_core.face.mediapipe.landmarks import FaceLandmarks
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.face.picking import FaceChoice
from gohd_core.images import Image
from gohd_core.mesh.clip import fit_clip
from gohd_core.mesh.encoding.glasses import bridge_darkness
from gohd_core.mesh.eye_contact.eye_contact import LIMIT, ClipEyes, EyeRows
from gohd_core.mesh.eye_contact.iris_drawing import draw_iris
from gohd_core.mesh.eye_contact.limbus import ShotLimbus, clip_limbus
from gohd_core.mesh.eye_contact.seen_lids import SeenLids
from gohd_core.mesh.reading.fit import face_box, into_box
from gohd_core.motion import Gaze
from gohd_core.video.reader import VideoReader

BRIDGE_FRAMES = 16
"""Glasses are looked for in every so many frames."""


@dataclass(frozen=True, eq=False)
class ReadEyes:
    """The eyes of the face that was followed through a film; after a cut it may be another person's.

    Attributes:
        people: eyes of each person, in the frames in which they were seen.
        who: [n] of the frames with a face, which of `people` it is.
        found: [T] bool, in which one was seen. times: [T] seconds.
    """

    people: list[ClipEyes]
    who: np.ndarray
    found: np.ndarray
    times: np.ndarray


@dataclass(frozen=True)
class GazeReport:
    """Report of turned eyes.

    Attributes:
        frames: of the film. without_face: in which no face was seen.
        beyond: in which the eyes look too far elsewhere to be turned whole.
        reflections: of people whose irises jump about as glasses make them; those were not changed.
        unseen: of faces that show no irises; nor were those.
    """

    frames: int
    without_face: int
    beyond: int
    reflections: int
    unseen: int = 0

    def __str__(self) -> str:
        unclear = "the irises can't be followed (glasses that reflect, or too small a picture?)"
        if self.reflections and self.reflections + self.without_face == self.frames:
            return f"{unclear.capitalize()}, so that nothing was changed."
        hidden = "no irises are seen (shut eyes, sunglasses or a statue's?)"
        if self.unseen and self.unseen + self.without_face == self.frames:
            return f"{hidden.capitalize()}, so that nothing was changed."
        parts = [f"{self.frames} frames"]
        if self.without_face:
            parts.append(f"{self.without_face} without a face")
        if self.reflections:
            parts.append(f"{self.reflections} unchanged, since {unclear}")
        if self.unseen:
            parts.append(f"{self.unseen} unchanged, since {hidden}")
        if self.beyond:
            parts.append(f"{self.beyond} in which the eyes look too far elsewhere to be turned whole")
        return ", ".join(parts) + "."


@dataclass(eq=False)
class _Shot:
    """What is gathered of a shot: of each frame what its eyes need, the limbus, the sum of faces, and how
    dark bridges of glasses are."""

    rows: list[EyeRows] = field(default_factory=list)
    limbus: ShotLimbus = field(default_factory=ShotLimbus)
    lids: tuple[SeenLids, SeenLids] = field(default_factory=lambda: (SeenLids(), SeenLids()))
    shape: Tensor | None = None
    length: int = 0
    bridges: list[float] = field(default_factory=list)

    def add(self, image: Image, face: FaceLandmarks, box: tuple[float, float, float]) -> None:
        """The next frame with its face."""
        mesh = torch.from_numpy(face.points)[None]
        fitted = fit_clip(into_box(mesh, box, ALIGNED_SIZE), ALIGNED_SIZE)
        rows = EyeRows.of(fitted, face.points[None], face.eye_contours[None])
        for k, seen in enumerate(self.lids):
            rows.lids[0, k] = seen.widened(image, rows.lids[0, k])
        self.limbus.add(image, rows.pose[0], rows.corners[0], rows.irises[0], rows.lids[0], box)
        if self.length % BRIDGE_FRAMES == 0:
            self.bridges.append(bridge_darkness(image.astype(np.float32) / 255, face.points[:, :2]))
        self.rows.append(rows)
        points = fitted.points_in_head[0]
        self.shape = points if self.shape is None else self.shape + points
        self.length += 1


def read_eyes(
    film: VideoReader,
    reader: FaceReader,
    choice: FaceChoice | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> ReadEyes:
    """Follows one face through a film and keeps of each frame what its eyes need."""
    cuts, shots = Shots(), []
    shot_of: list[int] = []
    found: list[bool] = []
    times: list[float] = []
    box = None
    for block, faces in follow(film.play(), reader, choice or FaceChoice()):
        raise_if_stopped(should_stop, "Reading the eyes was stopped.")
        for (_, image), face in zip(block, faces, strict=True):
            if face is None:
                continue
            box = box or face_box(torch.from_numpy(face.points), *image.shape[:2])
            shot_of += cuts.add([image], [face])
            if len(shots) < cuts.count:
                shots.append(_Shot())
            shots[-1].add(image, face, box)
        found += [face is not None for face in faces]
        times += [time for time, _ in block]
        if progress is not None:
            progress(len(times), max(film.count, len(times)))
    who = np.zeros(0, int)
    people: list[ClipEyes] = []
    if box is not None:
        shapes = torch.stack([shot.shape / shot.length for shot in shots])
        person_of = np.array(people_of(shapes, [shot.length for shot in shots]))
        who = person_of[shot_of]
        for person in range(person_of.max() + 1):
            own = [shots[k] for k in np.flatnonzero(person_of == person)]
            rows = EyeRows.joined([row for shot in own for row in shot.rows])
            limbus = clip_limbus([shot.limbus for shot in own])
            numbers = np.array(shot_of)[who == person]
            bridge = float(np.median([each for shot in own for each in shot.bridges]))
            people.append(ClipEyes.of(rows, box, float(film.fps), limbus, numbers, bridge))
    return ReadEyes(people, who, np.array(found, bool), np.array(times))


def turn_eyes(
    film: VideoReader, read: ReadEyes, gaze: Gaze | tuple[float, float] = (0.0, 0.0), strength: float = 1.0
) -> tuple[VideoReader, GazeReport]:
    """The film with its eyes turned; frames are made as they are played, and pixels outside the eyes stay.

    Args:
        read: from `read_eyes` of the same film.
        gaze: where they shall look, (pitch, yaw) in radians relative to the camera; (0, 0) is into it. Or a
            path of it, whose last look is held.
        strength: share of the change that is made, 0..1.
    Raises: `BadInput` where no face was seen, for a strength that is none, or a film that plays once.
    """
    if film.once:
        raise BadInput("The film's frames came from an iterator and are used up; give a file or a batch.")
    if not 0 <= strength <= 1:
        raise BadInput(f"The strength is {strength:g}; give one from 0 to 1.")
    if not read.people:
        raise BadInput("No face was seen; show one from the front or a little aside, with both eyes in view.")
    wanted = _wanted(gaze, read.times[read.found])
    shifts: list[list[np.ndarray]] = []
    reflections = beyond = unseen = 0
    for person, eyes in enumerate(read.people):
        own = wanted[read.who == person]
        jumps, hidden = eyes.unsteady(), not any(eye.shown for eye in eyes.eyes)
        if jumps or hidden:
            reflections += len(own) * jumps
            unseen += len(own) * (hidden and not jumps)
            shifts.append([np.zeros_like(own), np.zeros_like(own)])
        else:
            beyond += int((np.linalg.norm(eyes.goal(own) - eyes.gaze, axis=1) > LIMIT).sum())
            shifts.append(eyes.shifts(own, strength))
    report = GazeReport(len(read.found), int((~read.found).sum()), beyond, reflections, unseen)
    return replace(film, play=lambda: _drawn(film, read, shifts)), report


def _drawn(
    film: VideoReader, read: ReadEyes, shifts: list[list[np.ndarray]]
) -> Iterator[tuple[float, Image]]:
    row_of = np.zeros(len(read.who), int)
    for person in range(len(read.people)):
        own = read.who == person
        row_of[own] = np.arange(own.sum())
    seen = iter(zip(read.who.tolist(), row_of.tolist(), strict=True))
    for k, (time, image) in enumerate(film.play()):
        if k >= len(read.found) or not read.found[k]:
            yield time, image
            continue
        person, row = next(seen)
        frame = np.array(image)
        for eye, shift in zip(read.people[person].eyes, shifts[person], strict=True):
            draw_iris(frame, eye, row, shift[row])
        yield time, frame


def _wanted(gaze: Gaze | tuple[float, float], times: np.ndarray) -> np.ndarray:
    """(horizontal, vertical) at times [T], [T,2]."""
    if isinstance(gaze, Gaze):
        values = gaze.values.double().numpy()
        grid = np.arange(len(values)) / float(gaze.fps)
        return np.stack([np.interp(times, grid, values[:, column]) for column in (1, 0)], 1)
    pitch, yaw = gaze
    return np.tile([yaw, pitch], (len(times), 1)).astype(np.float64)
