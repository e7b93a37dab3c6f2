"""Dubbing: the face of a real video says another sound, drawn from the video's own frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gohd_core.audio import audio_features
from gohd_core.constants import N_EXPRESSION, STYLISED
from gohd_core.driving.mesh_tracks import follow
from gohd_core.driving.shots import Shots, people_of
from gohd_core.errors import BadInput, raise_if_stopped
from gohd_core.expression import ExpressionPredictor
from gohd_core.face.geometry.camera import ALIGNED_SIZE, Camera
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.face.picking import FaceChoice
from gohd_core.images import Image
from gohd_core.mesh.dubbing.covering import POINTS, Covering
from gohd_core.mesh.dubbing.dubbing import DubbedFace, Said
from gohd_core.mesh.dubbing.fitted_meshes import FittedMeshes, MeshFitting
from gohd_core.mesh.dubbing.trial import try_gains
from gohd_core.mesh.reading.fit import face_square
from gohd_core.motion import Expression
from gohd_core.video.reader import VideoReader

CALM = 0.2
"""Seconds in which a mouth comes to rest after the sound's end."""
FEWEST = 25
"""Frames with a face below which a speaker is not known well enough."""


@dataclass(frozen=True, eq=False)
class Speaker:
    """The speaker of a film, read and learnt; after a cut it may be another one.

    Attributes:
        faces: draw the frames in which each of them is seen. who: [n] of the frames with a face, which of
            `faces` it is. found: [T] bool. times: [T] seconds.
        reader: by which drawn lips are made to be seen as open and as wide as they are told to.
    """

    faces: list[DubbedFace]
    who: np.ndarray
    found: np.ndarray
    times: np.ndarray
    reader: FaceReader


def read_speaker(
    film: VideoReader,
    reader: FaceReader,
    choice: FaceChoice | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Speaker:
    """Reads the chosen face of a film in two passes: its meshes and what covers them, then its mouths.

    Raises: `BadInput` where it is seen too seldom, or for a film that plays once.
    """
    if film.once:
        raise BadInput("The film's frames came from an iterator and are used up; give a file or a batch.")
    shots, shot_of, box, scale = Shots(), [], None, 1.0
    read: list[tuple[MeshFitting, Covering]] = []
    found: list[bool] = []
    times: list[float] = []
    for block, faces in follow(film.play(), reader, choice or FaceChoice()):
        raise_if_stopped(should_stop, "Reading the speaker was stopped.")
        seen = [(image, face) for (_, image), face in zip(block, faces, strict=True) if face is not None]
        if box is None and seen:
            # Whole pixels, so that mouths that are drawn in it lie on the film's.
            square = face_square(torch.from_numpy(seen[0][1].points))
            box = tuple(float(round(each)) for each in square)
            scale = Camera.of_size(ALIGNED_SIZE).focal / Camera().distance * box[2] / ALIGNED_SIZE
        for image, face in seen:
            shot_of += shots.add([image], [face])
            if len(read) < shots.count:
                read.append((MeshFitting(box), Covering()))
            fitting, covering = read[-1]
            fitting.add([face.points])
            covering.add(image, face.points[POINTS, :2], scale)
        found += [face is not None for face in faces]
        times += [time for time, _ in block]
        if progress is not None:
            progress(len(times), max(film.count, len(times)))
    if sum(found) < FEWEST:
        raise BadInput(
            f"The face is seen in {sum(found)} frames of the video; to say something else it takes {FEWEST} "
            "at least."
        )
    people, faces = _speakers(read, box, float(film.fps))
    speaker = Speaker(faces, people[shot_of], np.array(found, bool), np.array(times), reader)
    unseen = sum(len(face.wanted_frames) for face in faces)
    for person, row, image in _seen(film, speaker):
        raise_if_stopped(should_stop, "Reading the speaker was stopped.")
        if row in faces[person].wanted_frames:
            faces[person].look(row, image)
            unseen -= 1
            if not unseen:
                break
    for face in faces:
        face.learn()
    return speaker


def _speakers(
    shots: list[tuple[MeshFitting, Covering]], box: tuple[float, float, float], fps: float
) -> tuple[np.ndarray, list[DubbedFace]]:
    """The person of each shot, and the people."""
    meshes = [fitting.fitted() for fitting, _ in shots]
    shapes = torch.stack([each.points(slice(None, None, -(-len(each) // 256))).mean(0) for each in meshes])
    people = np.array(people_of(shapes, [len(each) for each in meshes]))
    faces = []
    for person in range(people.max() + 1):
        own = np.flatnonzero(people == person)
        covering = Covering()
        covering.seen = [colours for k in own for colours in shots[k][1].seen]
        rows = FittedMeshes.joined([meshes[k] for k in own])
        faces.append(DubbedFace(rows, box, fps, covering.found(fps)))
    return people, faces


def dub(film: VideoReader, speaker: Speaker, voice: Expression) -> VideoReader:
    """The film as its speaker says something else; frames are made as they are played.

    Pixels that lips, jaw and cheeks do not move stay as they are, and so do frames without the face.

    Args:
        speaker: from `read_speaker` of the same film.
        voice: predicted expressions, in the stylised space; after its end the mouth comes to rest.
    Raises: `BadInput` for a voice of another space.
    """
    if voice.space != STYLISED:
        raise BadInput("Real faces say what the built-in expression weights predict; use those.")
    said = spoken(speaker, voice)

    def play() -> Iterator[tuple[float, Image]]:
        for (time, image), (person, row) in zip(film.play(), _rows(speaker), strict=False):
            yield time, image if row is None else speaker.faces[person].frame(image, row, said[person])

    return replace(film, play=play)


def spoken(speaker: Speaker, voice: Expression) -> list[Said]:
    """Motion of each of the speaker's faces in the frames in which it is seen; their gains are set by it."""
    times = speaker.times[speaker.found]
    motions = [face.says(_at(voice, times[speaker.who == k])) for k, face in enumerate(speaker.faces)]
    for face, said in zip(speaker.faces, motions, strict=True):
        try_gains(face, said, speaker.reader.reread)
    return motions


def voice_of(sound: tuple[Any, int], predictor: ExpressionPredictor, *, seed: int = 0) -> Expression:
    """Expressions of a sound (waveform, sample rate) on a face at rest; `BadInput` for another space."""
    if predictor.space != STYLISED:
        raise BadInput("Real faces say a sound by the built-in expression weights; load those.")
    rest = torch.zeros(N_EXPRESSION, dtype=torch.float32, device="cpu")
    return Expression(predictor.predict(audio_features(*sound), rest, seed=seed)[0], predictor.space)


def _rows(speaker: Speaker) -> Iterator[tuple[int, int | None]]:
    """Of every frame the person, and which of their frames it is; None without a face, and after the last."""
    people, counts = iter(speaker.who.tolist()), [0] * len(speaker.faces)
    for found in speaker.found:
        if found:
            person = next(people)
            yield person, counts[person]
            counts[person] += 1
        else:
            yield 0, None
    while True:
        yield 0, None


def _seen(film: VideoReader, speaker: Speaker) -> Iterator[tuple[int, int, Image]]:
    """The frames with a face: the person, and which of their frames it is."""
    for (_, image), (person, row) in zip(film.play(), _rows(speaker), strict=False):
        if row is not None:
            yield person, row, image


def _at(voice: Expression, times: np.ndarray) -> Tensor:
    """Expressions at times, [T,64]."""
    values, rate = voice.values.double().numpy(), float(Fraction(voice.fps))
    grid = np.arange(len(values)) / rate
    found = np.stack([np.interp(times, grid, column) for column in values.T], 1)
    over = np.maximum(times - grid[-1], 0) / CALM
    return torch.from_numpy(found * np.exp(-(over**2))[:, None]).float()
