"""Pairs of result and real videos, with their frames, sound, coefficients and landmarks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from gohd_core.audio import AudioFeatures, audio_features, load_audio
from gohd_core.constants import FPS
from gohd_core.errors import BadInput
from gohd_core.face import CoefficientExtractor, GazeEstimator
from gohd_core.face.geometry.expression_geometry import Face, FaceGeometry

ENDINGS = (".mp4", ".mov", ".mkv", ".webm", ".avi")
_LEAST_FRAMES = 10


@dataclass(frozen=True)
class VideoReadConfig:
    """Settings for reading videos; part of the setting of every figure.

    Attributes:
        crop: (left, top, right, bottom) in pixels of the video, or None for the whole, square picture.
        size: side that the crop is resized to.
        seconds: how much of each video at most.
    """

    crop: tuple[int, int, int, int] | None = None
    size: int = 256
    seconds: float = 60.0

    def setting(self) -> dict[str, str | int | float]:
        """For a report's setting."""
        crop = "whole" if self.crop is None else ",".join(map(str, self.crop))
        return {"crop": crop, "resize": f"{self.size} bicubic", "fps": FPS, "seconds at most": self.seconds}


@dataclass(frozen=True)
class Readers:
    """Networks that read coefficients; all of one space."""

    extractor: CoefficientExtractor
    gaze: GazeEstimator
    geometry: FaceGeometry

    def __post_init__(self) -> None:
        spaces = {self.extractor.space, self.gaze.space, self.geometry.space}
        if len(spaces) > 1:
            raise BadInput(f"Extractor, gaze estimator and face model are of different spaces: {spaces}.")


@dataclass(frozen=True)
class VideoClip:
    """One video at 25 frames a second.

    frames u8 [T, S, S, 3]; pose [T, 6]; gaze [T, 2] (pitch, yaw) in radians; face: landmarks and eye
    motion of the read expressions at identity and pose zero; sound: features of its own sound, or None.
    """

    frames: np.ndarray
    pose: np.ndarray
    gaze: np.ndarray
    face: Face
    sound: AudioFeatures | None

    def __len__(self) -> int:
        return len(self.frames)

    def cut(self, frames: int) -> VideoClip:
        """The first frames."""
        face = Face(*(part[:, :frames] for part in vars(self.face).values()))
        return VideoClip(self.frames[:frames], self.pose[:frames], self.gaze[:frames], face, self.sound)


def pairs(result: Path, real: Path) -> list[tuple[Path, Path]]:
    """(result, real) files: two files, or the files of two folders with the same stem."""
    for path in (result, real):
        if not path.exists():
            raise BadInput(f"There is no {path}; give two videos or two folders of them.")
    if result.is_file() != real.is_file():
        raise BadInput(f"Of {result} and {real} one is a folder; give two videos or two folders of them.")
    if result.is_file():
        return [(result, real)]
    found = {file.stem: file for file in sorted(real.iterdir()) if file.suffix.lower() in ENDINGS}
    matched = [
        (file, found[file.stem])
        for file in sorted(result.iterdir())
        if file.suffix.lower() in ENDINGS and file.stem in found
    ]
    if not matched:
        raise BadInput(f"No video in {result} has the name of one in {real}; name them alike.")
    return matched


def read_video(path: Path, reading: VideoReadConfig, readers: Readers) -> VideoClip:
    """Reads frames, sound and coefficients of a video."""
    frames = np.stack(list(_frames(path, reading)))
    if len(frames) < _LEAST_FRAMES:
        raise BadInput(f"{path.name} has {len(frames)} frames; at least {_LEAST_FRAMES} are needed.")
    pictures = list(frames)
    found = readers.extractor.extract(pictures)
    try:
        sound = audio_features(*load_audio(path))
    except BadInput:
        sound = None  # a silent video has no sound to fit its mouth; those figures stay empty
    return VideoClip(
        frames,
        found.pose.values.numpy(),
        readers.gaze.estimate(pictures).values.numpy(),
        readers.geometry.face(found.expression.values[None]),
        sound,
    )


def _frames(path: Path, reading: VideoReadConfig) -> Iterator[np.ndarray]:
    """Crops at 25 frames a second: for each time, the last frame that has begun."""
    from PIL import Image

    from gohd_core.video.reader import VideoReader

    wanted, last = 0, None
    for time, frame in VideoReader.open(path, seconds=reading.seconds).play():
        while last is not None and wanted / FPS < time - 1e-6:
            yield last
            wanted += 1
        picture = Image.fromarray(frame)
        if reading.crop is not None:
            left, top, right, bottom = reading.crop
            if not (0 <= left < right <= picture.width and 0 <= top < bottom <= picture.height):
                raise BadInput(
                    f"The crop {reading.crop} lies outside the {picture.width} x {picture.height} video."
                )
            picture = picture.crop(reading.crop)
        if picture.width != picture.height:
            raise BadInput(
                f"{path.name} is {picture.width} x {picture.height}; give --crop LEFT,TOP,RIGHT,BOTTOM of a "
                "square around the head."
            )
        last = np.asarray(picture.resize((reading.size, reading.size), Image.Resampling.BICUBIC))
    if last is not None:
        yield last


def neutral_landmarks(face: Face) -> np.ndarray:
    """Landmarks [T, 68, 2] in pixels of a 224-pixel face, y up."""
    return torch.as_tensor(face.landmarks[0, ..., :2], device="cpu").numpy()
