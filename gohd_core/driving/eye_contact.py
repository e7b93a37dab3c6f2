"""Eye contact: the eyes of a real video or picture are turned to the viewer, or along a path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from gohd_core.driving.mesh_tracks import follow
from gohd_core.errors import BadInput, raise_if_stopped
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.face.picking import FaceChoice
from gohd_core.images import Image
from gohd_core.mesh.eye_contact.eye_contact import LIMIT, ClipEyes, EyeRows
from gohd_core.mesh.eye_contact.iris_drawing import draw_iris
from gohd_core.mesh.eyes.eye_outline import ClipLimbus
from gohd_core.mesh.reading.fit import face_box
from gohd_core.motion import Gaze
from gohd_core.video.reader import VideoReader

LIMBUS_FRAMES = 4
"""The limbus is looked for in every so many frames."""


@dataclass(frozen=True, eq=False)
class ReadEyes:
    """The eyes of one person in a film.

    Attributes:
        eyes: in the frames in which they were seen; None without any.
        found: [T] bool, in which they were. times: [T] seconds.
    """

    eyes: ClipEyes | None
    found: np.ndarray
    times: np.ndarray


@dataclass(frozen=True)
class GazeReport:
    """Report of turned eyes.

    Attributes:
        frames: of the film. without_face: in which no face was seen.
        beyond: in which the eyes look too far elsewhere to be turned whole.
        reflections: the irises jumped about as glasses make them; nothing was changed.
    """

    frames: int
    without_face: int
    beyond: int
    reflections: bool

    def __str__(self) -> str:
        if self.reflections:
            return "The irises can't be followed (glasses that reflect?), so that nothing was changed."
        parts = [f"{self.frames} frames"]
        if self.without_face:
            parts.append(f"{self.without_face} without a face")
        if self.beyond:
            parts.append(f"{self.beyond} in which the eyes look too far elsewhere to be turned whole")
        return ", ".join(parts) + "."


def read_eyes(
    film: VideoReader,
    reader: FaceReader,
    choice: FaceChoice | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> ReadEyes:
    """Follows one face through a film and keeps of each frame what its eyes need."""
    parts: list[EyeRows] = []
    limbus = ClipLimbus()
    found: list[bool] = []
    times: list[float] = []
    box = None
    for block, faces in follow(film.play(), reader, choice or FaceChoice()):
        raise_if_stopped(should_stop, "Reading the eyes was stopped.")
        seen = [face for face in faces if face is not None]
        if seen:
            meshes = np.stack([face.points for face in seen])
            box = box or _square(meshes[0], block[0][1])
            rows = EyeRows.of(meshes, np.stack([face.eye_contours for face in seen]), box)
            parts.append(rows)
            shown = [image for (_, image), face in zip(block, faces, strict=True) if face is not None]
            for k in range(0, len(shown), LIMBUS_FRAMES):
                limbus.add(shown[k], rows.irises[k], rows.lids[k])
        found += [face is not None for face in faces]
        times += [time for time, _ in block]
        if progress is not None:
            progress(len(times), max(film.count, len(times)))
    eyes = ClipEyes.of(EyeRows.joined(parts), box, float(film.fps), limbus.found()) if parts else None
    return ReadEyes(eyes, np.array(found, bool), np.array(times))


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
    if read.eyes is None:
        raise BadInput("No face was seen; show one from the front or a little aside, with both eyes in view.")
    missing = int((~read.found).sum())
    if read.eyes.unsteady():
        return film, GazeReport(len(read.found), missing, 0, True)
    wanted = _wanted(gaze, read.times[read.found])
    shifts = read.eyes.shifts(wanted, strength)
    away = np.linalg.norm(read.eyes.towards(wanted) + read.eyes.gaze_bias() - read.eyes.gaze, axis=1)
    report = GazeReport(len(read.found), missing, int((away > LIMIT).sum()), False)
    return replace(film, play=lambda: _drawn(film, read, shifts)), report


def _drawn(film: VideoReader, read: ReadEyes, shifts: list[np.ndarray]) -> Iterator[tuple[float, Image]]:
    row = 0
    for k, (time, image) in enumerate(film.play()):
        if k >= len(read.found) or not read.found[k]:
            yield time, image
            continue
        frame = np.array(image)
        for eye, shift in zip(read.eyes.eyes, shifts, strict=True):
            draw_iris(frame, eye, row, shift[row])
        row += 1
        yield time, frame


def _wanted(gaze: Gaze | tuple[float, float], times: np.ndarray) -> np.ndarray:
    """(horizontal, vertical) at times [T], [T,2]."""
    if isinstance(gaze, Gaze):
        values = gaze.values.double().numpy()
        grid = np.arange(len(values)) / float(gaze.fps)
        return np.stack([np.interp(times, grid, values[:, column]) for column in (1, 0)], 1)
    pitch, yaw = gaze
    return np.tile([yaw, pitch], (len(times), 1)).astype(np.float64)


def _square(mesh: np.ndarray, image: Image) -> tuple[float, float, float]:
    return face_box(torch.from_numpy(mesh), *image.shape[:2])
