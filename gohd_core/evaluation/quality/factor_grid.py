"""The pictures of each held-out head: one factor at a time, near pairs, and free ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gohd_core.constants import N_EXPRESSION
from gohd_core.stylised.camera import neck_translation
from gohd_core.stylised.head.expressions import INDEX
from gohd_core.stylised.motion.stills import limit_gaze, random_coefficients

BASE, NEAR, FREE = "base", "near pose", "free"


@dataclass(frozen=True)
class Factor:
    """One thing that is commanded.

    Attributes:
        name: as the table shows it.
        group: "gaze", "head", "mouth", "lids" or "brows": where its movement is looked for.
        levels: commanded values on top of the base picture; radians or shares of a full movement.
        column: of gaze (pitch 0, yaw 1) or of the pose's angles; unused for expressions.
        modes: expression coefficients that take the level.
    """

    name: str
    group: str
    levels: tuple[float, ...]
    column: int = 0
    modes: tuple[str, ...] = ()

    @property
    def in_degrees(self) -> bool:
        """Whether levels are angles."""
        return self.group in ("gaze", "head")


FACTORS = (
    Factor("gaze yaw", "gaze", (-0.40, -0.20, 0.20, 0.40), 1),
    Factor("gaze pitch", "gaze", (-0.25, -0.12, 0.12, 0.25), 0),
    Factor("head yaw", "head", (-0.50, -0.25, 0.25, 0.50), 1),
    Factor("head pitch", "head", (-0.28, -0.14, 0.14, 0.28), 0),
    Factor("head roll", "head", (-0.22, -0.11, 0.11, 0.22), 2),
    Factor("jaw opening", "mouth", (0.25, 0.50, 0.75, 1.0), modes=("jaw_open",)),
    Factor("blink, half and full", "lids", (0.5, 1.0), modes=("blink_left", "blink_right")),
    Factor("smile", "mouth", (0.5, 1.0), modes=("smile_left", "smile_right")),
    Factor("pucker", "mouth", (0.42, 0.85), modes=("lip_pucker",)),
    Factor("lip spread", "mouth", (0.85,), modes=("lip_spread",)),
    Factor("upper lip", "mouth", (0.85,), modes=("upper_lip_raise",)),
    Factor("lower lip", "mouth", (0.85,), modes=("lower_lip_drop",)),
    Factor(
        "brows up", "brows", (0.5, 1.0), modes=("brow_inner_up", "brow_outer_up_left", "brow_outer_up_right")
    ),
    Factor("frown", "brows", (1.0,), modes=("frown",)),
)
_NEAR = 4
"""Near-pose pictures of a head."""
_FREE = 5
"""Free pictures of a head."""
_NEAR_POSE = 0.2
"""Near-pose pictures turn by this share of what free ones do (about 3 degrees); the rest is free."""


@dataclass(frozen=True)
class Sheet:
    """Coefficients of every picture of a head; the same for all heads, so that heads can be compared.

    expression [T, 64], pose [T, 6], gaze [T, 2] float32; names [T] is a factor's name, or base, near
    pose, free; levels [T] the commanded value. Picture 0 is the base: ahead, open eyes, shut mouth.
    """

    expression: np.ndarray
    pose: np.ndarray
    gaze: np.ndarray
    names: tuple[str, ...]
    levels: tuple[float, ...]


def factor_sheet(seed: int) -> Sheet:
    """The sheet of a benchmark's seed."""
    rng = np.random.default_rng([seed, 5])
    rest = (np.zeros(N_EXPRESSION), np.zeros(6), np.zeros(2))
    rows, names, levels = [rest], [BASE], [0.0]

    def put(name: str, level: float, row: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        rows.append(row)
        names.append(name)
        levels.append(level)

    for factor in FACTORS:
        for level in factor.levels:
            put(factor.name, level, commanded(factor, level, rest))
    for name, count, amount in ((NEAR, _NEAR, _NEAR_POSE), (FREE, _FREE, 1.0)):
        for _ in range(count):
            put(name, 0.0, random_coefficients(rng, amount))
    expression, pose, gaze = (np.stack(part).astype(np.float32) for part in zip(*rows, strict=True))
    return Sheet(expression, pose, gaze, tuple(names), tuple(levels))


def commanded(
    factor: Factor, level: float, base: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The base's coefficients with one factor at a level."""
    expression, pose, gaze = (part.copy() for part in base)
    if factor.group == "gaze":
        gaze[factor.column] += level
    elif factor.group == "head":
        pose[factor.column] += level
        pose[3:] = neck_translation(pose[:3])
        gaze = limit_gaze(pose, gaze)
    else:
        expression[[INDEX[name] for name in factor.modes]] = level
    return expression, pose, gaze
