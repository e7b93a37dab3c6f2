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
from gohd_core.errors import BadInput, raise_if_stopped
from gohd_core.expression import ExpressionPredictor
from gohd_core.face.geometry.camera import ALIGNED_SIZE, Camera
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.face.picking import FaceChoice
from gohd_core.images import Image
from gohd_core.mesh.dubbing.covering import POINTS, Covering
from gohd_core.mesh.dubbing.dubbing import DubbedFace, Said
from gohd_core.mesh.dubbing.fitted_meshes import MeshFitting
from gohd_core.mesh.reading.fit import face_box
from gohd_core.motion import Expression
from gohd_core.video.reader import VideoReader

CALM = 0.2
"""Seconds in which a mouth comes to rest after the sound's end."""
FEWEST = 25
"""Frames with a face below which a speaker is not known well enough."""


@dataclass(frozen=True, eq=False)
class Speaker:
    """The speaker of a film, read and learnt.

    Attributes:
        face: draws the frames in which the face is seen. found: [T] bool. times: [T] seconds.
    """

    face: DubbedFace
    found: np.ndarray
    times: np.ndarray


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
    fitting: MeshFitting | None = None
    covering, scale = Covering(), 1.0
    found: list[bool] = []
    times: list[float] = []
    for block, faces in follow(film.play(), reader, choice or FaceChoice()):
        raise_if_stopped(should_stop, "Reading the speaker was stopped.")
        meshes = [face.points for face in faces if face is not None]
        if fitting is None and meshes:
            # Whole pixels, so that mouths that are drawn in it lie on the film's.
            square = face_box(torch.from_numpy(meshes[0]), *block[0][1].shape[:2])
            fitting = MeshFitting(tuple(float(round(each)) for each in square))
            scale = Camera.of_size(ALIGNED_SIZE).focal / Camera().distance * square[2] / ALIGNED_SIZE
        if fitting is not None:
            fitting.add(meshes)
        for (_, image), face in zip(block, faces, strict=True):
            if face is not None:
                covering.add(image, face.points[POINTS, :2], scale)
        found += [face is not None for face in faces]
        times += [time for time, _ in block]
        if progress is not None:
            progress(len(times), max(film.count, len(times)))
    if fitting is None or sum(found) < FEWEST:
        raise BadInput(
            f"The face is seen in {sum(found)} frames of the video; to say something else it takes {FEWEST} "
            "at least."
        )
    fps = float(film.fps)
    face = DubbedFace(fitting.fitted(), fitting.box, fps, covering.found(fps))
    wanted, pictures = set(face.wanted_frames), {}
    for row, image in _seen(film, np.array(found)):
        raise_if_stopped(should_stop, "Reading the speaker was stopped.")
        if row in wanted:
            pictures[row] = np.array(image)
    face.learn(pictures)
    return Speaker(face, np.array(found, bool), np.array(times))


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
        row = 0
        for k, (time, image) in enumerate(film.play()):
            if k < len(speaker.found) and speaker.found[k]:
                image = speaker.face.frame(image, row, said)
                row += 1
            yield time, image

    return replace(film, play=play)


def spoken(speaker: Speaker, voice: Expression) -> Said:
    """Motion of the speaker's face in the frames in which it is seen."""
    return speaker.face.says(_at(voice, speaker.times[speaker.found]))


def voice_of(sound: tuple[Any, int], predictor: ExpressionPredictor, *, seed: int = 0) -> Expression:
    """Expressions of a sound (waveform, sample rate) on a face at rest; `BadInput` for another space."""
    if predictor.space != STYLISED:
        raise BadInput("Real faces say a sound by the built-in expression weights; load those.")
    rest = torch.zeros(N_EXPRESSION, dtype=torch.float32, device="cpu")
    return Expression(predictor.predict(audio_features(*sound), rest, seed=seed)[0], predictor.space)


def _seen(film: VideoReader, found: np.ndarray) -> Iterator[tuple[int, Image]]:
    """The frames with a face, counted among themselves."""
    row = 0
    for k, (_, image) in enumerate(film.play()):
        if k < len(found) and found[k]:
            yield row, image
            row += 1


def _at(voice: Expression, times: np.ndarray) -> Tensor:
    """Expressions at times, [T,64]."""
    values, rate = voice.values.double().numpy(), float(Fraction(voice.fps))
    grid = np.arange(len(values)) / rate
    found = np.stack([np.interp(times, grid, column) for column in values.T], 1)
    over = np.maximum(times - grid[-1], 0) / CALM
    return torch.from_numpy(found * np.exp(-(over**2))[:, None]).float()
