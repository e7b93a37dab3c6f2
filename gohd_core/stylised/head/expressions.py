"""The 64 expression modes of the stylised head, and which of them samplers use.

The first 24 are separate, meaningful movements; a coefficient of 1 is the full movement. The other
40 refine them locally and are correlated with them, as the later components of a measured model
are. Left is the subject's left (+x, the image's right).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gohd_core.constants import N_EXPRESSION
from gohd_core.stylised.head.fields import bump, pair, smoothstep
from gohd_core.stylised.head.template import (
    EYE_B,
    EYE_LEFT,
    EYE_RIGHT,
    EYEBALL_RADIUS,
    LID_GAP,
    MOUTH,
    MOUTH_B,
    MOUTH_HALF_WIDTH,
    Template,
)

MEANINGFUL = (
    "jaw_open",
    "lip_pucker",
    "lip_funnel",
    "lip_spread",
    "lip_press",
    "upper_lip_raise",
    "lower_lip_drop",
    "smile_left",
    "smile_right",
    "mouth_corner_down",
    "blink_left",
    "blink_right",
    "squint",
    "brow_inner_up",
    "brow_outer_up_left",
    "brow_outer_up_right",
    "frown",
    "cheek_puff",
    "nose_wrinkle",
    "eyes_wide",
    "mouth_shift",
    "jaw_shift",
    "jaw_forward",
    "lip_roll_in",
)
EXPRESSION_NAMES = MEANINGFUL + tuple(f"refine_{k:02d}" for k in range(N_EXPRESSION - len(MEANINGFUL)))
INDEX = {name: k for k, name in enumerate(EXPRESSION_NAMES)}
JAW_ANGLE = 0.34
"""Rotation of the jaw about the ears at ``jaw_open`` = 1, radians."""
JAW_HINGE = (-0.10, -0.10)
"""y and z of the hinge."""
LID_OVERLAP = 0.030
"""Overlap of a closed upper lid over the lower one: it covers every identity's opening."""
COEFFICIENT_LIMIT = 1.5


@dataclass(frozen=True)
class ActiveExpression:
    """An expression mode that samplers vary, with its sensible range."""

    name: str
    index: int
    low: float
    high: float
    group: str
    """``mouth``, ``lids`` or ``brows``."""


def active_expressions() -> tuple[ActiveExpression, ...]:
    """The 14 modes that the data set uses, with samplers' ranges.

    The remaining modes stay zero in generated data, since many tiny movements only confuse a
    network with about 20 motion directions.
    """
    groups = {
        "mouth": (
            "jaw_open",
            "lip_pucker",
            "lip_spread",
            "lip_press",
            "upper_lip_raise",
            "lower_lip_drop",
            "smile_left",
            "smile_right",
        ),
        "lids": ("blink_left", "blink_right"),
        "brows": ("brow_inner_up", "brow_outer_up_left", "brow_outer_up_right", "frown"),
    }
    return tuple(
        ActiveExpression(name, INDEX[name], 0.0, 1.0, group)
        for group, names in groups.items()
        for name in names
    )


class _Regions:
    """Weights shared by several modes."""

    def __init__(self, template: Template) -> None:
        a, b = template.layout.T
        self.a, self.b = a, b
        self.x, self.y, self.z = template.mean.T
        self.face = 1.0 - smoothstep(np.hypot(a, b), 1.25, 1.6)
        self.lips = template.kind == MOUTH
        sine, cosine = np.sin(template.angle), np.cos(template.angle)
        self.sine, self.cosine = sine, cosine
        offset = np.maximum(template.offset, 0.0)
        self.offset = offset
        near = np.exp(-((offset / 0.115) ** 2)) * self.lips
        self.upper = np.where(sine > 0, np.abs(sine) ** 0.6, 0.0) * near
        self.lower = np.where(sine < 0, np.abs(sine) ** 0.6, 0.0) * near
        around = np.sqrt((a / 0.42) ** 2 + ((b - MOUTH_B) / 0.30) ** 2)
        self.mouth = np.exp(-(around**2.4)) * self.face
        ring_lower = np.where(sine < 0, np.abs(sine) ** 0.55, 0.0)
        ring_lower = 0.30 + 0.70 * ring_lower - 0.30 * np.where(sine > 0, np.abs(sine) ** 0.5, 0.0)
        plain = smoothstep(-(b - MOUTH_B), -0.09, 0.12)
        outer = smoothstep(offset, 0.02, 0.14)
        below = np.where(self.lips, ring_lower * (1 - outer) + plain * outer, plain)
        side = 1.0 - smoothstep(np.abs(a), 0.42, 1.40)
        throat = 1.0 - smoothstep(-b, 1.25, 1.75)
        self.jaw = below * side * throat * self.face
        self.eyes = np.isin(template.kind, (EYE_LEFT, EYE_RIGHT))
        self.lid = np.where(self.eyes, np.exp(-((offset / 0.09) ** 1.6)), 0.0)


def _mouth_modes(basis: dict[str, np.ndarray], r: _Regions) -> None:
    a, b, x, y, z = r.a, r.b, r.x, r.y, r.z
    sign = np.tanh(x / 0.03)
    dy, dz = y - JAW_HINGE[0], z - JAW_HINGE[1]
    cosine, sine = np.cos(JAW_ANGLE), np.sin(JAW_ANGLE)
    jaw = basis["jaw_open"]
    jaw[:, 1] = (dy * (cosine - 1) - dz * sine) * r.jaw + 0.012 * r.upper
    jaw[:, 2] = (dy * sine * 0.7 + dz * (cosine - 1)) * r.jaw
    jaw[:, 0] = -0.10 * x * r.mouth
    pucker = basis["lip_pucker"]
    pucker[:, 0] = -0.50 * x * r.mouth
    pucker[:, 2] = 0.075 * r.mouth
    pucker[:, 1] = 0.014 * r.upper - 0.020 * r.lower
    funnel = basis["lip_funnel"]
    funnel[:, 0] = -0.34 * x * r.mouth
    funnel[:, 2] = 0.085 * r.mouth
    funnel[:, 1] = 0.062 * r.upper - 0.070 * r.lower
    corner = {s: bump(a, b, (s * (MOUTH_HALF_WIDTH + 0.01), MOUTH_B), 0.15, 0.15) for s in (1, -1)}
    corners = (corner[1] + corner[-1]) * r.face
    spread = basis["lip_spread"]
    spread[:, 0] = sign * 0.072 * corners
    spread[:, 2] = -0.030 * corners
    spread[:, 1] = -0.010 * r.upper + 0.012 * r.lower
    press = basis["lip_press"]
    squeeze = np.minimum(r.offset, 0.07) * np.abs(r.sine) ** 0.5 * r.lips
    press[:, 1] = -np.sign(r.sine) * 0.42 * squeeze * np.exp(-((r.offset / 0.12) ** 2))
    press[:, 2] = -0.030 * np.where(r.lips, np.exp(-(((r.offset - 0.03) / 0.045) ** 2)), 0.0)
    basis["upper_lip_raise"][:, 1] = 0.075 * r.upper
    basis["upper_lip_raise"][:, 2] = 0.018 * r.upper
    basis["lower_lip_drop"][:, 1] = -0.080 * r.lower
    basis["lower_lip_drop"][:, 2] = 0.014 * r.lower
    for name, s in (("smile_left", 1), ("smile_right", -1)):
        mode = basis[name]
        pull = corner[s] * r.face
        mode[:, 0] = s * 0.085 * pull
        mode[:, 1] = 0.085 * pull
        mode[:, 2] = -0.030 * pull
        cheek = bump(a, b, (s * 0.47, -0.30), 0.17, 0.14) * r.face
        mode[:, 1] += 0.030 * cheek
        mode[:, 2] += 0.030 * cheek
        below = np.where(r.sine < 0, np.abs(r.sine), 0.0) * r.lid * (np.sign(a) == s)
        mode[:, 1] += 0.016 * below
    basis["mouth_corner_down"][:, 1] = -0.070 * corners
    basis["mouth_corner_down"][:, 0] = sign * 0.012 * corners
    puff = pair(a, b, (0.42, -0.50), 0.17, 0.16) * r.face * (1 - 0.8 * r.mouth)
    basis["cheek_puff"][:, 0] = sign * 0.080 * puff
    basis["cheek_puff"][:, 2] = 0.080 * puff
    basis["mouth_shift"][:, 0] = 0.060 * r.mouth
    basis["jaw_shift"][:, 0] = 0.060 * r.jaw
    basis["jaw_forward"][:, 2] = 0.050 * r.jaw
    roll = basis["lip_roll_in"]
    roll[:, 1] = 0.2 * press[:, 1]
    roll[:, 2] = 1.8 * press[:, 2]


def _lid_modes(basis: dict[str, np.ndarray], r: _Regions, template: Template) -> None:
    for name, kind, which in (("blink_left", EYE_LEFT, 0), ("blink_right", EYE_RIGHT, 1)):
        centre = template.eye_centres[which]
        edge = template.ring(kind, 0.0)
        count = len(edge)
        mirrored = edge[(-np.arange(count)) % count]
        y, other = template.mean[edge, 1], template.mean[mirrored, 1]
        sine = np.sin(template.angle[edge])
        top = np.where(sine >= 0, y, other)
        bottom = np.where(sine >= 0, other, y)
        line = bottom + 0.17 * (top - bottom)
        overlap = np.where(sine > 1e-9, LID_OVERLAP * np.abs(sine) ** 0.5, 0.0)
        down = line - overlap - y
        mode = basis[name]
        for offset in np.unique(template.offset[template.kind == kind]):
            ring = template.ring(kind, offset)
            outward = max(float(offset), 0.0)
            fall = float(np.exp(-((outward / 0.085) ** 1.6)))
            mode[ring, 1] = down * fall
            p = template.mean[ring]
            target = p[:, 1] + mode[ring, 1]
            lift = LID_GAP + np.where(sine > 1e-9, 0.018 * np.abs(sine) ** 0.5, 0.002)
            reach = EYEBALL_RADIUS + lift - (0.05 if offset < 0 else 0.0)
            squared = reach**2 - (p[:, 0] - centre[0]) ** 2 - (target - centre[1]) ** 2
            sphere = centre[2] + np.sqrt(np.maximum(squared, 0.004))
            cover = smoothstep(np.full(1, outward), 0.14, 0.07)
            mode[ring, 2] = np.maximum(sphere - p[:, 2], 0.0) * cover
    raised = np.where(r.sine < 0, np.abs(r.sine), 0.0) * r.lid
    lowered = np.where(r.sine > 0, np.abs(r.sine), 0.0) * r.lid
    cheeks = pair(r.a, r.b, (0.46, -0.26), 0.18, 0.10) * r.face * (1 - 0.6 * r.eyes)
    basis["squint"][:, 1] = 0.055 * raised - 0.030 * lowered + 0.020 * cheeks
    basis["squint"][:, 2] = 0.008 * raised + 0.022 * cheeks
    basis["eyes_wide"][:, 1] = 0.032 * lowered - 0.012 * raised


def _brow_modes(basis: dict[str, np.ndarray], r: _Regions) -> None:
    a, b = r.a, r.b
    sign = np.tanh(r.x / 0.03)
    keep = np.where(r.eyes, smoothstep(r.offset, 0.02, 0.12), 1.0) * r.face
    inner = pair(a, b, (0.19, 0.38), 0.14, 0.17) * keep
    inner = inner / np.maximum(1.0, inner.max())
    basis["brow_inner_up"][:, 1] = 0.090 * inner
    for name, s in (("brow_outer_up_left", 1), ("brow_outer_up_right", -1)):
        basis[name][:, 1] = 0.085 * bump(a, b, (s * 0.56, 0.38), 0.18, 0.17) * keep
    basis["frown"][:, 1] = -0.072 * inner
    basis["frown"][:, 0] = -sign * 0.026 * inner
    basis["frown"][:, 2] = 0.012 * inner
    wings = pair(a, b, (0.10, -0.25), 0.07) * r.face
    basis["nose_wrinkle"][:, 1] = 0.030 * wings + 0.020 * r.upper
    basis["nose_wrinkle"][:, 0] = sign * 0.014 * wings


def expression_basis(template: Template) -> np.ndarray:
    """Displacements ``[64, V, 3]`` of the expression modes."""
    count = len(template.layout)
    modes = np.zeros((N_EXPRESSION, count, 3))
    regions = _Regions(template)
    basis = {name: modes[k] for name, k in INDEX.items()}
    _mouth_modes(basis, regions)
    _lid_modes(basis, regions, template)
    _brow_modes(basis, regions)
    random = np.random.default_rng(20240)
    first = len(MEANINGFUL)
    movable = [k for k in range(first) if not MEANINGFUL[k].startswith("blink")]
    for k in range(first, N_EXPRESSION):
        centre = (random.uniform(0.1, 0.6), random.uniform(MOUTH_B - 0.2, EYE_B + 0.4))
        local = pair(regions.a, regions.b, centre, random.uniform(0.15, 0.35)) * regions.face
        parents = modes[random.choice(movable, 2, replace=False)]
        modes[k] = 0.35 * (parents[0] * random.uniform(0.5, 1.0) - parents[1] * 0.4)
        modes[k] *= local[:, None]
    return modes.astype(np.float32)
