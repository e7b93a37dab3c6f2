"""How exactly small movements of heads are read: python benchmarks/small_nods.py SOUND PORTRAIT ...

Portraits say a sound while their heads move by angles that are known, noisy and encoded as videos are. Angles
that are read, and those that `real_videos.py` measures in the same meshes, are held against the truth. Needs
the face networks.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from real_videos import ANGLES, head_angles
from scipy.ndimage import gaussian_filter1d

from gohd_core.audio import audio_features, load_audio
from gohd_core.driving.mesh_reading import MeshReadings
from gohd_core.driving.mesh_tracks import follow
from gohd_core.face.picking import FaceChoice
from gohd_core.images import read_picture
from gohd_core.models import Models
from gohd_core.motion import Motion
from gohd_core.pipeline import draw, motion_from_audio
from gohd_core.portraits import prepare_portrait
from gohd_core.video.reader import VideoReader
from gohd_core.video.writer import render_video

NODS = (0.6, 1.2, 2.5)
"""Deviations of pitch in degrees; yaw and roll move by `ASIDE`."""
ASIDE = (1.5, 0.6)
SLOW, NOISE, SIDE, CRF = 5.0, 5.0, 384, 26
"""Smoothness of angles in frames, noise of pictures in steps of 8 bits, their side, and their encoding."""


def main() -> None:
    """Prints correlations with the truth and errors in degrees, medians of the portraits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sound", type=Path)
    parser.add_argument("portraits", type=Path, nargs="+")
    arguments = parser.parse_args()
    models = Models.load("builtin")
    features = audio_features(*load_audio(arguments.sound))
    rows: dict[float, list[np.ndarray]] = {nod: [] for nod in NODS}
    for k, path in enumerate(arguments.portraits):
        portrait = prepare_portrait(read_picture(path), reader=models.reader, size=512)
        said = motion_from_audio(features, portrait, models)
        for nod, found in rows.items():
            found.append(_figures(portrait, said, nod, k, models))
    for nod, found in rows.items():
        for name, row in zip(ANGLES, np.median(found, 0), strict=True):
            read, measured, both, error, other = row
            print(
                f"nods of {nod:g}, {name:5s}: r of reading {read:.3f}, of the measure {measured:.3f}, "
                f"of both {both:.3f}; error of reading {error:.2f}, of the measure {other:.2f} degrees"
            )


def _figures(portrait: object, said: Motion, nod: float, seed: int, models: Models) -> np.ndarray:
    rng = np.random.default_rng(seed)
    angles = gaussian_filter1d(rng.normal(size=(len(said), 3)), SLOW, axis=0)
    angles = np.radians((angles - angles.mean(0)) / angles.std(0) * [nod, *ASIDE])
    values = portrait.motion.pose.values.repeat(len(said), 1)
    values[:, :3] += torch.from_numpy(angles).float()
    motion = replace(said, pose=replace(said.pose, values=values))
    generator = torch.Generator().manual_seed(seed)
    frames = (
        torch.nn.functional.interpolate(batch, size=(SIDE, SIDE), mode="area")
        for batch in draw(models.animator, portrait, motion)
    )
    noisy = (f + NOISE / 127.5 * torch.randn(f.shape, generator=generator) for f in frames)
    made, meshes = MeshReadings(), []
    with TemporaryDirectory() as folder:
        film = VideoReader.open(
            render_video(Path(folder) / "nods.mp4", (f.clamp(-1, 1) for f in noisy), crf=CRF)
        )
        for block, faces in follow(film.play(), models.reader, FaceChoice()):
            made.add(faces, [image for _, image in block])
            meshes += [face.points for face in faces]
    read = np.unwrap([reading.pose[:3] for reading in made.readings(25.0)], axis=0)
    measured = head_angles(np.stack(meshes).astype(np.float64))
    return np.array([_row(*columns) for columns in zip(angles.T, read.T, measured.T, strict=True)])


def _row(true: np.ndarray, read: np.ndarray, measured: np.ndarray) -> list[float]:
    pairs = ((read, true), (measured, true), (read, measured))
    return [np.corrcoef(*pair)[0, 1] for pair in pairs] + [
        float(np.degrees((found - true).std())) for found in (read, measured)
    ]


if __name__ == "__main__":
    main()
