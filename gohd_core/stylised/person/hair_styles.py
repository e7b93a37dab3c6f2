"""Hair styles: the shape of the hair shell over the azimuth, from a style's name and numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gohd_core.stylised.head.fields import smoothstep
from gohd_core.stylised.person.identity import Style

COLUMNS = 144
_KNOTS = np.array([0.0, 0.35, 0.75, 1.05, 1.28, 1.50, 1.75, 2.1, 2.6, np.pi])
_SHORT = np.array([0.70, 0.69, 0.58, 0.32, -0.10, 0.24, -0.12, -0.42, -0.62, -0.68])
_TIED = np.array([0.72, 0.70, 0.58, 0.36, 0.14, 0.26, -0.05, -0.32, -0.52, -0.58])
_LONG = np.array([0.72, 0.71, 0.60, 0.36, 0.02, -0.10, -0.12, -0.12, -0.12, -0.12])


@dataclass(frozen=True)
class HairShape:
    """Shape of the shell per column (``[COLUMNS]`` arrays over the azimuth) or as numbers."""

    edge: np.ndarray
    """Elevation of the hair line, radians."""
    thickness: np.ndarray
    crown: tuple[float, float]
    """Azimuth and elevation that the strands come from."""
    hang: np.ndarray
    """Length of the strands below the edge, model units."""
    ridges: float = 0.010
    """Height of the locks."""
    locks: float = 17.0
    """Locks around half of the head."""
    curl: float = 0.0
    """Height of curls all over the shell."""
    curl_size: float = 13.0
    wave: float = 0.0
    flare: float = 0.0
    tuck: float = 0.0
    """Inward turn of the ends (bob)."""
    lift: np.ndarray | float = 0.0
    """Extra upward and forward volume per column (quiff)."""
    spikes: float = 0.0
    roll: float = 0.80
    """Share of the strand after which the shell rounds down to the skin."""


def column_azimuth() -> np.ndarray:
    """Azimuth of each column of strands, ``[COLUMNS]`` radians."""
    # Denser at the front, where the hair line is seen.
    u = np.linspace(-1.0, 1.0, COLUMNS, endpoint=False)
    return np.pi * (0.80 * u + 0.20 * u**3)


def _line(knots: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
    from scipy.interpolate import PchipInterpolator

    return PchipInterpolator(_KNOTS, knots)(np.abs(azimuth))


def _short(azimuth: np.ndarray, n: tuple[float, ...], thickness: float) -> HairShape:
    knots = _SHORT + np.array([1, 1, 0.8, 0.6, 0, 0, 0, 0, 0, 0]) * (n[0] - 0.5) * 0.12
    knots[2:4] += (n[1] - 0.5) * 0.14
    top = 0.75 + 0.25 * np.cos(azimuth)
    return HairShape(
        edge=_line(knots, azimuth),
        thickness=thickness * top * (0.85 + 0.3 * n[2]),
        crown=((n[3] - 0.5) * 0.6, 1.25),
        hang=np.zeros_like(azimuth),
    )


def _parted(shape: HairShape, azimuth: np.ndarray, n: tuple[float, ...]) -> HairShape:
    side = 1.0 if n[4] < 0.5 else -1.0
    swept = smoothstep(np.abs(azimuth), 0.0, 0.2) * np.exp(-((azimuth / 1.0) ** 2))
    edge = shape.edge - side * 0.17 * np.sin(azimuth * 1.4) * swept + 0.02 * swept
    volume = shape.thickness * (1.0 - side * 0.35 * np.sin(azimuth) * np.exp(-((azimuth / 1.3) ** 2)))
    return replace(shape, edge=edge, thickness=volume, crown=(side * 0.55, 0.98))


def _fringe(shape: HairShape, azimuth: np.ndarray, n: tuple[float, ...], depth: float) -> HairShape:
    front = np.exp(-((azimuth / (0.62 + 0.1 * n[5])) ** 4))
    teeth = 0.030 * np.abs(np.sin(azimuth * (9 + int(8 * n[6])) + 6 * n[7]))
    return replace(
        shape,
        edge=shape.edge - front * (depth - teeth),
        thickness=shape.thickness * (1 - 0.35 * front),
        roll=0.90,
    )


def _hanging(azimuth: np.ndarray, n: tuple[float, ...], length: float) -> HairShape:
    knots = _LONG.copy()
    knots[:3] += (n[0] - 0.5) * 0.10
    behind = smoothstep(np.abs(azimuth), 1.16, 1.34)
    return HairShape(
        edge=_line(knots, azimuth),
        thickness=(0.105 + 0.035 * n[2]) * (0.80 + 0.20 * np.cos(azimuth)),
        crown=((n[3] - 0.5) * 0.5, 1.2),
        hang=length * behind,
        locks=21.0,
        flare=-0.06 + 0.14 * n[7],
    )


def hair_shape(style: Style) -> HairShape | None:
    """The shell of a hair style, or None for a bald head."""
    azimuth, n = column_azimuth(), style.hair_numbers
    name = style.hair_style
    if name == "bald":
        return None
    if name == "buzz":
        shape = _short(azimuth, n, 0.030)
        return replace(shape, ridges=0.0, thickness=np.full(COLUMNS, 0.030), roll=0.86)
    if name == "short":
        shape = _short(azimuth, n, 0.105)
        return _fringe(shape, azimuth, n, 0.10 + 0.16 * n[1]) if n[6] < 0.7 else shape
    if name == "side_part":
        return replace(_parted(_short(azimuth, n, 0.145), azimuth, n), ridges=0.012)
    if name == "quiff":
        front = np.exp(-((azimuth / 1.05) ** 4)) * (1.0 + 0.25 * np.sin(azimuth) * np.sign(n[5] - 0.5))
        shape = _short(azimuth, n, 0.095)
        return replace(shape, lift=(0.10 + 0.06 * n[4]) * front, ridges=0.018, crown=(0.0, 1.95))
    if name == "spiky":
        shape = _fringe(_short(azimuth, n, 0.110), azimuth, n, 0.05)
        return replace(shape, spikes=0.085 + 0.05 * n[4], ridges=0.014, locks=11.0)
    if name == "curly":
        shape = _short(azimuth, n, 0.150)
        return replace(shape, curl=0.038, ridges=0.0, curl_size=11 + 5 * n[4], roll=0.72)
    if name == "afro":
        shape = _short(azimuth, n, 0.26 + 0.06 * n[4])
        even = shape.thickness.mean() * (0.9 + 0.1 * np.cos(azimuth))
        return replace(
            shape, thickness=even, curl=0.024, ridges=0.0, curl_size=26.0, roll=0.55, crown=(0, 1.4)
        )
    if name == "bob":
        shape = _hanging(azimuth, n, 0.52 + 0.22 * n[1])
        shape = replace(shape, tuck=0.22)
    elif name == "long":
        shape = _hanging(azimuth, n, 0.95 + 0.5 * n[1])
    elif name == "wavy":
        shape = replace(_hanging(azimuth, n, 0.75 + 0.5 * n[1]), wave=0.045, ridges=0.014)
        shape = replace(shape, thickness=shape.thickness * 1.2)
    else:
        knots = _TIED + np.array([1, 1, 0.7, 0, 0, 0, 0, 0, 0, 0]) * (n[0] - 0.5) * 0.1
        shape = HairShape(
            edge=_line(knots, azimuth),
            thickness=np.full(COLUMNS, 0.060 + 0.03 * n[2]),
            crown=(np.pi, 1.05) if name != "bun" else (0.0, 1.57),
            hang=np.zeros(COLUMNS),
            locks=23.0,
            roll=0.35,
        )
    if n[6] < 0.38:
        return _fringe(shape, azimuth, n, 0.20 + 0.10 * n[4])
    return _parted(shape, azimuth, n) if n[6] < 0.72 else shape
