"""One stylised person: shape coefficients and style choices, drawn from a seed, kept as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gohd_core.constants import N_IDENTITY
from gohd_core.errors import BadInput
from gohd_core.stylised.head.identity_modes import IDENTITY_LIMIT, IDENTITY_NAMES
from gohd_core.stylised.person import palettes
from gohd_core.stylised.person.palettes import Colour


@dataclass(frozen=True)
class Style:
    """Everything about a person's looks that is not the shape of the face. Colours are sRGB."""

    skin: Colour
    lip: Colour
    hair: Colour
    brow: Colour
    iris: Colour
    cloth: Colour
    trim: Colour
    hair_style: str
    hair_numbers: tuple[float, ...]
    """Eight numbers in [0, 1) that vary the hair style."""
    beard: str
    glasses: str
    glasses_colour: Colour
    neckline: str
    brow_thickness: float
    brow_arch: float
    brow_slope: float
    lashes: float
    blush: float
    freckles: float
    lip_gloss: float
    iris_size: float
    """Angle in radians that the iris spans from its centre on the eyeball."""
    pupil_size: float
    """Pupil radius as a share of the iris radius."""
    ear_size: float
    neck_width: float
    light: tuple[float, float, float]
    """Unit vector towards the key light."""
    key: float
    ambient: float
    warmth: float
    rim: float
    background: str
    background_colours: tuple[Colour, Colour, Colour]
    background_seed: int


@dataclass(frozen=True)
class Identity:
    """A stylised person. ``coefficients`` are the 80 identity coefficients of eq. 10."""

    seed: int
    coefficients: tuple[float, ...]
    style: Style

    def __post_init__(self) -> None:
        values = np.asarray(self.coefficients, np.float64)
        if values.shape != (N_IDENTITY,) or not np.isfinite(values).all():
            raise BadInput(f"An identity needs {N_IDENTITY} finite coefficients, got shape {values.shape}.")
        if np.abs(values).max() > IDENTITY_LIMIT + 1e-6:
            raise BadInput(
                f"Identity coefficients must lie within +-{IDENTITY_LIMIT:g} standard deviations; "
                f"the largest is {np.abs(values).max():.3g}."
            )

    @classmethod
    def random(cls, seed: int) -> Identity:
        """The person of ``seed`` (a non-negative integer); the same on every machine."""
        if not isinstance(seed, (int, np.integer)) or seed < 0:
            raise BadInput(f"An identity seed must be a non-negative integer, got {seed!r}.")
        rng = np.random.default_rng([int(seed), 68])
        style = _random_style(rng)
        values = np.clip(rng.normal(0.0, 1.0, N_IDENTITY), -IDENTITY_LIMIT, IDENTITY_LIMIT)
        soft = style.hair_style in palettes.LONG_STYLES
        shift = {"jaw_width": -0.5, "chin_width": -0.4, "upper_lip_full": 0.5, "nose_width": -0.4}
        for name, amount in shift.items():
            k = IDENTITY_NAMES.index(name)
            values[k] += amount if soft else -0.4 * amount
        values = np.clip(values, -IDENTITY_LIMIT, IDENTITY_LIMIT)
        # Eyes set closer than this fold the bridge of the nose.
        spacing = IDENTITY_NAMES.index("eye_spacing")
        values[spacing] = max(values[spacing], -1.0)
        return cls(int(seed), tuple(float(np.float32(v)) for v in values), style)


def _colour(values: np.ndarray) -> Colour:
    return tuple(round(float(v), 4) for v in np.clip(values, 0.03, 1.0))


def _vary(rng: np.random.Generator, base: Colour, amount: float) -> Colour:
    """Multiplicative variation, mostly of brightness: additive noise turns skin purple."""
    factor = 1.0 + rng.normal(0.0, amount) + rng.normal(0.0, amount * 0.2, 3)
    return _colour(np.array(base) * factor)


def _choose(rng: np.random.Generator, weighted: tuple[tuple[Any, float], ...]) -> Any:
    weights = np.array([w for _, w in weighted])
    return weighted[int(rng.choice(len(weighted), p=weights / weights.sum()))][0]


def _random_style(rng: np.random.Generator) -> Style:
    tone = int(rng.integers(len(palettes.SKIN)))
    skin = np.array(_vary(rng, palettes.SKIN[tone], 0.025))
    dark = tone >= 6
    natural = palettes.HAIR[: palettes.DARK_HAIR] if dark and rng.random() < 0.8 else palettes.HAIR
    hair = np.array(_vary(rng, _choose(rng, natural), 0.08))
    hair_style = _choose(rng, palettes.HAIR_STYLES)
    if dark and hair_style in ("short", "spiky", "quiff") and rng.random() < 0.6:
        hair_style = str(rng.choice(["afro", "curly", "buzz"]))
    soft = hair_style in palettes.LONG_STYLES
    beard = "none"
    if not soft and rng.random() < 0.5:
        beard = str(rng.choice(palettes.BEARDS[1:]))
    made_up = soft and rng.random() < 0.45
    natural_lip = skin * np.array([0.90, 0.62, 0.62]) + np.array([0.05, 0.0, 0.01])
    painted = natural_lip * np.array([0.98, 0.60, 0.66]) + np.array([0.10, 0.0, 0.02])
    lip = painted if made_up else natural_lip
    brown_eyes = dark and rng.random() < 0.75
    iris = palettes.IRIS[int(rng.integers(2)) if brown_eyes else int(rng.integers(8))]
    cloth = np.array(_vary(rng, palettes.CLOTH[int(rng.integers(len(palettes.CLOTH)))], 0.05))
    trim = palettes.CLOTH[int(rng.integers(len(palettes.CLOTH)))]
    glasses = "none" if rng.random() < 0.80 else str(rng.choice(palettes.GLASSES[1:]))
    frame = [(0.10, 0.10, 0.12), (0.35, 0.20, 0.12), (0.72, 0.58, 0.34), (0.62, 0.14, 0.18)]
    direction = np.array([rng.uniform(-0.75, 0.75), rng.uniform(0.25, 0.85), 1.0])
    backdrop = np.array(palettes.BACKGROUND[int(rng.integers(len(palettes.BACKGROUND)))])
    second = backdrop * rng.uniform(0.62, 0.95) + rng.normal(0.0, 0.025, 3)
    third = 0.5 * backdrop + 0.5 * np.array(palettes.BACKGROUND[int(rng.integers(len(palettes.BACKGROUND)))])
    return Style(
        skin=_colour(skin),
        lip=_colour(lip * (1.0 + rng.normal(0.0, 0.05))),
        hair=_colour(hair),
        brow=_colour(np.minimum(hair * 0.70, 0.46) if hair.max() < 0.75 else hair * 0.62),
        iris=_vary(rng, iris, 0.08),
        cloth=_colour(cloth),
        trim=_vary(rng, trim, 0.05),
        hair_style=hair_style,
        hair_numbers=tuple(round(float(v), 5) for v in rng.random(8)),
        beard=beard,
        glasses=glasses,
        glasses_colour=frame[int(rng.integers(len(frame)))],
        neckline=str(rng.choice(palettes.NECKLINES)),
        brow_thickness=round(float(rng.uniform(0.65, 1.0) if soft else rng.uniform(0.9, 1.4)), 4),
        brow_arch=round(float(rng.uniform(0.03, 0.075)), 4),
        brow_slope=round(float(rng.uniform(-0.025, 0.035)), 4),
        lashes=round(float(rng.uniform(0.75, 1.1) if soft else rng.uniform(0.1, 0.35)), 4),
        blush=round(float(rng.uniform(0.15, 0.75)), 4),
        freckles=round(float(rng.uniform(0.4, 1.0)), 4) if tone < 5 and rng.random() < 0.2 else 0.0,
        lip_gloss=round(float(rng.uniform(0.5, 1.0) if made_up else rng.uniform(0.15, 0.45)), 4),
        iris_size=round(float(rng.uniform(0.43, 0.50)), 4),
        pupil_size=round(float(rng.uniform(0.42, 0.52)), 4),
        ear_size=round(float(rng.uniform(0.88, 1.15)), 4),
        neck_width=round(float(rng.uniform(0.27, 0.31) if soft else rng.uniform(0.31, 0.37)), 4),
        light=tuple(round(float(v), 5) for v in direction / np.linalg.norm(direction)),
        key=round(float(rng.uniform(0.72, 0.95)), 4),
        ambient=round(float(rng.uniform(0.42, 0.58)), 4),
        warmth=round(float(rng.uniform(-0.06, 0.08)), 4),
        rim=round(float(rng.uniform(0.15, 0.5)), 4),
        background=str(rng.choice(palettes.BACKGROUNDS, p=[0.14, 0.22, 0.24, 0.22, 0.18])),
        background_colours=(_colour(backdrop), _colour(second), _colour(third)),
        background_seed=int(rng.integers(1 << 20)),
    )
