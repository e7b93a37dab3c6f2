"""Portraits that move as is known, and what is read of them: shared by benchmarks of reading."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from gohd_core.audio import audio_features, load_audio
from gohd_core.driving.mesh_reading import MeshReadings
from gohd_core.driving.mesh_tracks import follow
from gohd_core.face.picking import FaceChoice
from gohd_core.face.portrait import Portrait
from gohd_core.images import read_picture
from gohd_core.models import Models
from gohd_core.motion import Motion
from gohd_core.pipeline import motion_from_audio
from gohd_core.portraits import prepare_portrait
from gohd_core.video.reader import VideoReader
from gohd_core.video.writer import render_video


def talkers(description: str, models: Models) -> Iterator[tuple[str, Portrait, Motion]]:
    """Names, portraits and their motion as they say a sound, by the command line: SOUND PORTRAIT ..."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("sound", type=Path)
    parser.add_argument("portraits", type=Path, nargs="+")
    arguments = parser.parse_args()
    features = audio_features(*load_audio(arguments.sound))
    for path in arguments.portraits:
        portrait = prepare_portrait(read_picture(path), reader=models.reader, size=512)
        yield path.stem, portrait, motion_from_audio(features, portrait, models)


def random_curves(seed: int, frames: int, deviations: list[float], smoothness: float) -> np.ndarray:
    """Smooth random curves [frames,n] of given deviations; smoothness: deviation of a Gaussian in frames."""
    noise = np.random.default_rng(seed).normal(size=(frames, len(deviations)))
    curves = gaussian_filter1d(noise, smoothness, axis=0)
    return (curves - curves.mean(0)) / curves.std(0) * deviations


def read_back(frames: Iterable[Tensor], models: Models, **encoding: Any) -> tuple[MeshReadings, np.ndarray]:
    """What is read of frames [B,3,S,S] once they are a video, and their meshes [T,478,3] in pixels."""
    made, meshes = MeshReadings(), []
    with TemporaryDirectory() as folder:
        film = VideoReader.open(render_video(Path(folder) / "film.mp4", frames, **encoding))
        for block, faces in follow(film.play(), models.reader, FaceChoice()):
            made.add(faces, [image for _, image in block])
            meshes += [face.points for face in faces]
    return made, np.stack(meshes).astype(np.float64)
