"""Mouths and jaws that move sideways, read again: python benchmarks/sideways_mouths.py SOUND PORTRAIT ...

Portraits say a sound while their heads turn and their mouths and jaws shift by known ways; a second film of
each says and turns alone. What is read of both is held against the truth. Needs the face networks.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from known_motion import random_curves, read_back, talkers

from gohd_core.face.portrait import Portrait
from gohd_core.mesh.reading.columns import SIDEWAYS
from gohd_core.models import Models
from gohd_core.motion import Motion
from gohd_core.pipeline import draw

FRAMES, SMOOTHNESS, YAW, SHIFT = 100, 6.0, 8.0, 0.45
"""Frames of a film, smoothness in frames, deviation of yaw in degrees, and of shifts."""


def main() -> None:
    """Prints r and slope of what is read over the truth, and its deviation where nothing shifts."""
    models, rows = Models.load("builtin"), []
    for seed, (name, portrait, said) in enumerate(talkers(__doc__.splitlines()[0], models)):
        said = said[:FRAMES]
        curves = random_curves(seed, len(said), [np.radians(YAW), SHIFT, SHIFT], SMOOTHNESS)
        curves[:, 1:] = curves[:, 1:].clip(-1, 1)
        found = _shifts(_moved(said, curves), portrait, models)
        still = _shifts(_moved(said, curves * [1, 0, 0]), portrait, models)
        rows.append([])
        for k in (0, 1):
            r = np.corrcoef(found[:, k], curves[:, 1 + k])[0, 1]
            slope = np.polyfit(curves[:, 1 + k], found[:, k], 1)[0]
            rows[-1] += [r, slope, still[:, k].std(), abs(np.corrcoef(found[:, k], curves[:, 0])[0, 1])]
        print(_line(name, rows[-1]), flush=True)
    print(_line("median", np.median(rows, 0)))


def _moved(said: Motion, curves: np.ndarray) -> Motion:
    pose, expression = said.pose.values.clone(), said.expression.values.clone()
    pose[:, 1] += torch.from_numpy(curves[:, 0]).float()
    expression[:, SIDEWAYS] = torch.from_numpy(curves[:, 1:]).float()
    return replace(
        said, pose=replace(said.pose, values=pose), expression=replace(said.expression, values=expression)
    )


def _shifts(motion: Motion, portrait: Portrait, models: Models) -> np.ndarray:
    made, _ = read_back(draw(models.animator, portrait, motion), models)
    return np.stack([reading.expression[list(SIDEWAYS)] for reading in made.readings(25.0)])


def _line(name: str, row: list[float]) -> str:
    parts = (
        f"{what}: r {r:.2f}, slope {slope:.2f}, where it is still {still:.3f}, r with yaw {yaw:.2f}"
        for what, (r, slope, still, yaw) in zip(("mouth", "jaw"), (row[:4], row[4:]), strict=True)
    )
    return f"{name}: " + "; ".join(parts)


if __name__ == "__main__":
    main()
