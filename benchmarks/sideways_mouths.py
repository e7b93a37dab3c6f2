"""Mouths and jaws that move sideways, read again: python benchmarks/sideways_mouths.py SOUND PORTRAIT ...

Portraits say a sound while their heads turn and their mouths and jaws move aside by known ways; a second film
of each says and turns alone. What is read of both is held against the truth. Needs the face networks.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d

from gohd_core.audio import audio_features, load_audio
from gohd_core.driving.mesh_reading import MeshReadings
from gohd_core.driving.mesh_tracks import follow
from gohd_core.face.picking import FaceChoice
from gohd_core.images import read_picture
from gohd_core.mesh.reading.columns import SIDEWAYS
from gohd_core.models import Models
from gohd_core.motion import Motion
from gohd_core.pipeline import draw, motion_from_audio
from gohd_core.portraits import prepare_portrait
from gohd_core.video.reader import VideoReader
from gohd_core.video.writer import render_video

FRAMES, SLOW, YAW, ASIDE = 100, 6.0, 8.0, 0.45
"""Frames of a film, smoothness in frames, deviation of yaw in degrees, and of ways aside."""


def main() -> None:
    """Prints r and slope of what is read over the truth, and its deviation where nothing moves aside."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sound", type=Path)
    parser.add_argument("portraits", type=Path, nargs="+")
    arguments = parser.parse_args()
    models, rows = Models.load("builtin"), []
    features = audio_features(*load_audio(arguments.sound))
    for seed, path in enumerate(arguments.portraits):
        portrait = prepare_portrait(read_picture(path), reader=models.reader, size=512)
        said = motion_from_audio(features, portrait, models)[:FRAMES]
        rng = np.random.default_rng(seed)
        ways = gaussian_filter1d(rng.normal(size=(len(said), 3)), SLOW, axis=0)
        ways = (ways - ways.mean(0)) / ways.std(0) * [np.radians(YAW), ASIDE, ASIDE]
        ways[:, 1:] = ways[:, 1:].clip(-1, 1)
        moved = _moved(said, ways)
        found, still = (_read(each, portrait, models) for each in (moved, _moved(said, ways * [1, 0, 0])))
        rows.append([])
        for k in (0, 1):
            r = np.corrcoef(found[:, k], ways[:, 1 + k])[0, 1]
            slope = np.polyfit(ways[:, 1 + k], found[:, k], 1)[0]
            rows[-1] += [r, slope, still[:, k].std(), abs(np.corrcoef(found[:, k], ways[:, 0])[0, 1])]
        print(_line(path.stem, rows[-1]), flush=True)
    print(_line("median", np.median(rows, 0)))


def _moved(said: Motion, ways: np.ndarray) -> Motion:
    pose, expression = said.pose.values.clone(), said.expression.values.clone()
    pose[:, 1] += torch.from_numpy(ways[:, 0]).float()
    expression[:, SIDEWAYS] = torch.from_numpy(ways[:, 1:]).float()
    return replace(
        said, pose=replace(said.pose, values=pose), expression=replace(said.expression, values=expression)
    )


def _read(motion: Motion, portrait: object, models: Models) -> np.ndarray:
    made = MeshReadings()
    with TemporaryDirectory() as folder:
        film = VideoReader.open(
            render_video(Path(folder) / "aside.mp4", draw(models.animator, portrait, motion))
        )
        for block, faces in follow(film.play(), models.reader, FaceChoice()):
            made.add(faces, [image for _, image in block])
    return np.stack([reading.expression[list(SIDEWAYS)] for reading in made.readings(25.0)])


def _line(name: str, row: list[float]) -> str:
    parts = (
        f"{what}: r {r:.2f}, slope {slope:.2f}, where it is still {still:.3f}, r with yaw {yaw:.2f}"
        for what, (r, slope, still, yaw) in zip(("mouth", "jaw"), (row[:4], row[4:]), strict=True)
    )
    return f"{name}: " + "; ".join(parts)


if __name__ == "__main__":
    main()
