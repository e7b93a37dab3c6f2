"""Per-vertex shading parameters of the face: lips, lids, blush, beard and baked occlusion."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gohd_core.stylised.head.fields import bump, pair, smoothstep
from gohd_core.stylised.head.template import (
    EYE_A,
    EYE_B,
    EYE_LEFT,
    EYE_RIGHT,
    MOUTH,
    MOUTH_B,
    Template,
    lip_width,
)
from gohd_core.stylised.person.identity import Style

BEARD_HEIGHT = 0.055
"""Height of a full beard over the skin, model units."""


def _beard_regions(head: Template) -> dict[str, np.ndarray]:
    a, b = head.layout.T
    width = np.abs(a)
    lips = head.kind == MOUTH
    clear = np.where(lips, smoothstep(head.offset - lip_width(head.angle), 0.004, 0.045), 1.0)
    below = smoothstep(-b, 0.52, 0.74)
    side = smoothstep(width, 0.72, 0.98) * smoothstep(-b, -0.12, 0.26)
    jaw = np.maximum(below, side) * (1 - smoothstep(np.hypot(a, b), 1.46, 1.62))
    moustache = bump(a, b, (0.0, -0.435), 0.19, 0.048) + pair(a, b, (0.24, -0.52), 0.07, 0.07)
    moustache = np.clip(1.5 * moustache, 0, 1)
    chin = np.clip(1.35 * bump(a, b, (0.0, -0.88), 0.24, 0.19), 0, 1)
    return {
        "jaw": jaw * clear,
        "moustache": smoothstep(moustache, 0.25, 0.8) * clear,
        "chin": smoothstep(chin, 0.3, 0.8) * clear,
    }


def beard_mask(head: Template, style: Style) -> tuple[np.ndarray, np.ndarray]:
    """Coverage ``[V]`` and height ``[V]`` of the beard."""
    if style.beard == "none":
        return np.zeros(len(head.layout)), np.zeros(len(head.layout))
    region = _beard_regions(head)
    both = np.maximum(region["jaw"], region["moustache"])
    coverage, height = {
        "stubble": (0.42 * both, 0.0),
        "moustache": (region["moustache"], 0.6),
        "goatee": (np.maximum(region["moustache"], region["chin"]), 0.6),
        "short": (0.92 * both, 0.5),
        "full": (both, 1.0),
    }[style.beard]
    return coverage, BEARD_HEIGHT * height * smoothstep(coverage, 0.15, 1.0)


@lru_cache(maxsize=1)
def _occlusion_cached() -> np.ndarray:
    from gohd_core.stylised.head.template import template

    head = template()
    a, b = head.layout.T
    shade = np.zeros(len(a))
    eyes = np.isin(head.kind, (EYE_LEFT, EYE_RIGHT))
    upper = eyes & (np.sin(head.angle) > 0)
    crease = np.exp(-(((head.offset - 0.062) / 0.020) ** 2)) * np.abs(np.sin(head.angle)) ** 0.5
    shade += np.where(upper, 0.20 * crease, 0.0)
    shade += 0.10 * pair(a, b, (EYE_A - 0.30, EYE_B + 0.02), 0.07, 0.10)
    shade += 0.13 * pair(a, b, (0.155, -0.275), 0.035, 0.05)
    shade += 0.50 * pair(a, b, (0.058, -0.318), 0.024, 0.015)
    shade += 0.14 * bump(a, b, (0.0, -0.36), 0.12, 0.03)
    shade += 0.15 * bump(a, b, (0.0, MOUTH_B - 0.145), 0.17, 0.03)
    lips = head.kind == MOUTH
    line = np.exp(-((np.maximum(head.offset, 0.0) / 0.010) ** 2))
    shade += np.where(lips, 0.42 * line, 0.0)
    shade += np.where(lips & (head.offset < 0), 0.35, 0.0)
    shade += 0.20 * pair(a, b, (0.34, MOUTH_B), 0.035, 0.05)
    radius = np.hypot(a, b)
    under = smoothstep(-b, 1.12, 1.45) * smoothstep(radius, 1.1, 1.5)
    shade += 0.42 * under
    return 1.0 - np.clip(shade, 0.0, 0.75)


def skin_parameters(
    head: Template, style: Style, below_hair: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Parameters ``[V, 4]``, extra ``[V, 3]`` and occlusion ``[V]`` of the face.

    ``below_hair``: distance below the hair line in radians (:func:`hair_line_distance`).
    """
    a, b = head.layout.T
    sine = np.sin(head.angle)
    lips = head.kind == MOUTH
    eyes = np.isin(head.kind, (EYE_LEFT, EYE_RIGHT))
    parameters = np.zeros((len(a), 4), np.float32)
    parameters[:, 0] = np.where(lips, lip_width(head.angle) - head.offset, -0.08)
    outer = np.where(head.kind == EYE_LEFT, 1, -1) * np.cos(head.angle)
    lid = head.offset + np.where(
        sine < 0.02, 0.010 + 0.020 * np.clip(-sine, 0, 1), -0.005 * (outer > 0.3) * outer
    )
    lid = np.where((sine < 0.02) & (head.offset < 0), 0.012, lid)
    lid = np.where((sine >= 0.02) & (head.offset < 0), 0.006, lid)
    parameters[:, 1] = np.where(eyes, lid, 0.2)
    blush = pair(a, b, (0.56, -0.30), 0.16, 0.12) + 0.5 * bump(a, b, (0.0, -0.24), 0.10)
    parameters[:, 2] = blush
    parameters[:, 3] = beard_mask(head, style)[0]
    nose = (a / 0.165) ** 2 + ((b + 0.16) / 0.205) ** 2 < 1
    extra = np.stack([a, b, nose.astype(float)], -1)
    occlusion = _occlusion_cached().copy()
    if below_hair is not None:
        occlusion *= 1.0 - 0.40 * np.exp(-((np.maximum(below_hair, 0.0) / 0.11) ** 2))
    return parameters, extra, occlusion
