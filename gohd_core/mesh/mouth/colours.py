"""Colours of a mouth's interior, from the skin, the lips and the teeth that a portrait shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gohd_core.mesh.mouth.own_inside import brightest_teeth
from gohd_core.mesh.picture.photometry import LUMA, has_colour, lip_colour, skin_colour, white_hue

_TINT = 0.7
"""Share of the tint of the eyes' whites that teeth take on."""
_REDDER = 1.42
"""Red over green in a mouth is at least this many times the skin's (lips may be too pale to tell)."""
_RED = (0.85, 1.12, 1.18)
"""Exponents of shadows: flesh around makes them red, grey ones look blue."""
_SEAM_LIGHT = 0.4
"""Light of the line between shut lips, as a share of the lips'."""


@dataclass(frozen=True)
class MouthColours:
    """Colours [3] in 0..1 under the portrait's light, before any shadow.

    Attributes:
        tooth, gum, tongue, cavity: of what is drawn.
        exponents: of shadows, for each channel.
        lift: factor on the picture's own teeth once the mouth is wide open.
        seam: of the line between shut lips.
    """

    tooth: np.ndarray
    gum: np.ndarray
    tongue: np.ndarray
    cavity: np.ndarray
    exponents: np.ndarray
    lift: np.ndarray
    seam: np.ndarray


def mouth_colours(picture: np.ndarray, points: np.ndarray, own: np.ndarray | None) -> MouthColours:
    """Colours under the portrait's light; `own` [N,3] is what an open mouth shows."""
    skin, lips = skin_colour(picture, points), lip_colour(picture, points)
    light = float(skin @ LUMA)
    coloured = has_colour(skin)
    tooth = min(1.04 * light, 0.86) * (1 + _TINT * (white_hue(picture, points) - 1))
    lip_light = float(lips @ LUMA)
    flesh = lips - lip_light
    tongue = redden(np.clip(0.86 * lip_light + 1.15 * flesh, 0.02, 1), skin)
    gum = redden(np.clip(0.95 * lip_light + 0.9 * flesh, 0.02, 1), skin)
    black = min(float(np.percentile(picture @ LUMA, 1.5)), 0.12)
    tongue_light = max(float(tongue @ LUMA), 1e-3)
    tint = (tongue / tongue_light) ** 1.4 if coloured else np.ones(3)
    cavity = max(0.22 * tongue_light, 0.75 * black) * tint
    lift = np.ones(3)
    if own is not None:
        luma, own_tooth = own @ LUMA, brightest_teeth(own, skin)
        if own_tooth is not None:
            # Slightly parted lips shade teeth; wide open, they are nearly as bright as other people's.
            tooth = np.maximum(own_tooth, (own_tooth + tooth) / 2)
            lift = np.clip(tooth / np.maximum(own_tooth, 0.05), 1, 1.4)
        dark = own[luma <= np.percentile(luma, 5)].mean(0)
        if dark @ LUMA < 0.35 * light:
            cavity = (cavity + dark) / 2
    if not coloured:
        grey = skin / max(light, 1e-3)  # as little tint as the skin has
        tooth, gum, tongue, cavity = (grey * float(c @ LUMA) for c in (tooth, gum, tongue, cavity))
    exponents = np.array(_RED if coloured else (1.0, 1.0, 1.0))
    seam = lips * _SEAM_LIGHT**exponents
    return MouthColours(*(np.clip(c, 0, 1) for c in (tooth, gum, tongue, cavity)), exponents, lift, seam)


def redden(flesh: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Flesh colour [3] made at least `_REDDER` times as red as the skin, at the same luminance."""
    light, green = float(flesh @ LUMA), flesh[1]
    red = max(flesh[0] / green, _REDDER * skin[0] / max(skin[1], 0.02))
    blue = max(flesh[2] / green, skin[2] / max(skin[1], 0.02))
    hue = np.array([red, 1.0, blue])
    return np.clip(hue * light / float(hue @ LUMA), 0.02, 1)
