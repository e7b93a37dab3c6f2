"""How exactly small movements of heads are read: python benchmarks/small_nods.py SOUND PORTRAIT ...

Portraits say a sound while their heads move by angles that are known, noisy and encoded as videos are. Angles
that are read, and those that `real_videos.py` measures in the same meshes, are held against the truth. Needs
the face networks.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from known_motion import random_curves, read_back, talkers
from real_videos import ANGLES, head_angles

from gohd_core.face.portrait import Portrait
from gohd_core.models import Models
from gohd_core.motion import Motion
from gohd_core.pipeline import draw

NODS = (0.6, 1.2, 2.5)
"""Deviations of pitch in degrees; yaw and roll move by `ASIDE`."""
ASIDE = (1.5, 0.6)
SMOOTHNESS, NOISE, SIDE, CRF = 5.0, 5.0, 384, 26
"""Smoothness of angles in frames, noise of pictures in steps of 8 bits, their side, and their encoding."""


def main() -> None:
    """Prints correlations with the truth and errors in degrees, medians of the portraits."""
    models = Models.load("builtin")
    rows: dict[float, list[np.ndarray]] = {nod: [] for nod in NODS}
    for seed, (_, portrait, said) in enumerate(talkers(__doc__.splitlines()[0], models)):
        for nod, found in rows.items():
            found.append(_figures(portrait, said, nod, seed, models))
    for nod, found in rows.items():
        for name, row in zip(ANGLES, np.median(found, 0), strict=True):
            read, measured, both, error, other = row
            print(
                f"nods of {nod:g}, {name:5s}: r of reading {read:.3f}, of the measure {measured:.3f}, "
                f"of both {both:.3f}; error of reading {error:.2f}, of the measure {other:.2f} degrees"
            )


def _figures(portrait: Portrait, said: Motion, nod: float, seed: int, models: Models) -> np.ndarray:
    angles = np.radians(random_curves(seed, len(said), [nod, *ASIDE], SMOOTHNESS))
    values = portrait.motion.pose.values.repeat(len(said), 1)
    values[:, :3] += torch.from_numpy(angles).float()
    motion = replace(said, pose=replace(said.pose, values=values))
    generator = torch.Generator().manual_seed(seed)
    frames = (
        torch.nn.functional.interpolate(batch, size=(SIDE, SIDE), mode="area")
        for batch in draw(models.animator, portrait, motion)
    )
    noisy = (f + NOISE / 127.5 * torch.randn(f.shape, generator=generator) for f in frames)
    made, meshes = read_back((f.clamp(-1, 1) for f in noisy), models, crf=CRF)
    read = np.unwrap([reading.pose[:3] for reading in made.readings(25.0)], axis=0)
    return np.array([_row(*columns) for columns in zip(angles.T, read.T, head_angles(meshes).T, strict=True)])


def _row(true: np.ndarray, read: np.ndarray, measured: np.ndarray) -> list[float]:
    pairs = ((read, true), (measured, true), (read, measured))
    return [np.corrcoef(*pair)[0, 1] for pair in pairs] + [
        float(np.degrees((found - true).std())) for found in (read, measured)
    ]


if __name__ == "__main__":
    main()
