"""The 80 identity modes of the stylised head.

The first 26 are nameable proportions; the others are smooth, left-right symmetric variation.
No mode changes the height of the lid opening by more than a closed lid overlaps, so one pair of
blink modes closes the eyes of every identity.
"""

from __future__ import annotations

import numpy as np

from gohd_core.constants import N_IDENTITY
from gohd_core.stylised.head.fields import bump, pair, smoothstep
from gohd_core.stylised.head.template import EYE_A, EYE_B, EYE_LEFT, EYE_RIGHT, MOUTH, MOUTH_B, Template

PROPORTIONS = (
    "head_width",
    "head_height",
    "head_depth",
    "jaw_width",
    "chin_length",
    "chin_forward",
    "temple_width",
    "skull_height",
    "nose_forward",
    "nose_length",
    "nose_width",
    "nose_bridge",
    "cheek_fullness",
    "mouth_width",
    "mouth_height",
    "eye_spacing",
    "eye_height",
    "eye_width",
    "eye_opening",
    "eye_tilt",
    "brow_ridge",
    "chin_width",
    "upper_lip_full",
    "lower_lip_full",
    "nose_tip_up",
    "forehead",
)
IDENTITY_NAMES = PROPORTIONS + tuple(f"detail_{k:02d}" for k in range(N_IDENTITY - len(PROPORTIONS)))
IDENTITY_LIMIT = 2.0


def identity_basis(template: Template) -> np.ndarray:
    """Displacements ``[80, V, 3]`` of the identity modes, one standard deviation each."""
    a, b = template.layout.T
    x, y, z = template.mean.T
    modes = np.zeros((N_IDENTITY, len(a), 3))
    basis = {name: modes[k] for k, name in enumerate(IDENTITY_NAMES)}
    sign = np.tanh(x / 0.03)
    face = 1.0 - smoothstep(np.hypot(a, b), 1.2, 1.7)
    low, high = smoothstep(-y, 0.15, 0.70), smoothstep(y, 0.15, 0.80)
    chin = bump(a, b, (0.0, -0.92), 0.26, 0.20) * face
    basis["head_width"][:, 0] = 0.034 * x
    basis["head_depth"][:, 2] = 0.04 * z
    basis["jaw_width"][:, 0] = 0.075 * x * low
    basis["chin_length"][:, 1] = -0.024 * smoothstep(-y, 0.45, 0.75)
    basis["chin_forward"][:, 2] = 0.028 * chin
    basis["temple_width"][:, 0] = 0.045 * x * high
    basis["skull_height"][:, 1] = 0.045 * smoothstep(y, 0.25, 0.85)
    nose = bump(a, b, (0.0, -0.18), 0.11, 0.14)
    basis["nose_forward"][:, 2] = 0.038 * nose
    basis["nose_length"][:, 1] = -0.024 * bump(a, b, (0.0, -0.24), 0.13, 0.11)
    basis["nose_width"][:, 0] = 0.17 * x * bump(a, b, (0.0, -0.25), 0.15, 0.09)
    basis["nose_bridge"][:, 2] = 0.022 * bump(a, b, (0.0, -0.02), 0.06, 0.13)
    basis["nose_tip_up"][:, 1] = 0.020 * bump(a, b, (0.0, -0.25), 0.08, 0.06)
    cheek = pair(a, b, (0.58, -0.36), 0.24, 0.24) * face
    basis["cheek_fullness"][:, 0] = 0.034 * sign * cheek
    basis["cheek_fullness"][:, 2] = 0.022 * cheek
    mouth = bump(a, b, (0.0, MOUTH_B), 0.36, 0.17) * face
    basis["mouth_width"][:, 0] = 0.10 * x * mouth
    basis["mouth_height"][:, 1] = 0.020 * mouth
    basis["brow_ridge"][:, 2] = 0.016 * pair(a, b, (0.30, 0.37), 0.26, 0.09) * face
    basis["chin_width"][:, 0] = 0.09 * x * bump(a, b, (0.0, -0.90), 0.34, 0.17) * face
    basis["forehead"][:, 2] = 0.026 * bump(a, b, (0.0, 0.62), 0.50, 0.24)
    lips = template.kind == MOUTH
    outward = np.where(lips, np.clip(template.offset, 0.0, 0.065), 0.0)
    fade = np.exp(-((np.maximum(template.offset, 0.0) / 0.12) ** 2))
    upper, lower = np.sin(template.angle) > 1e-9, np.sin(template.angle) < -1e-9
    for name, side, way in (("upper_lip_full", upper, 1.0), ("lower_lip_full", lower, -1.0)):
        taper = np.abs(np.sin(template.angle)) ** 0.5
        basis[name][:, 1] = way * 0.15 * outward * side * taper * fade
        basis[name][:, 2] = 0.10 * outward * side * taper * fade
    _details(modes, template, face)
    _eye_modes(basis, modes, template)
    return modes.astype(np.float32)


def _eye_modes(basis: dict[str, np.ndarray], modes: np.ndarray, template: Template) -> None:
    """Let lids move with their eye only, and add the modes of the eyes."""
    a, b = template.layout.T
    eye_ring = np.isin(template.kind, (EYE_LEFT, EYE_RIGHT))
    offset = np.maximum(template.offset, 0.0)
    stiff = np.where(eye_ring, 1.0 - smoothstep(offset, 0.05, 0.17), 0.0)
    for kind in (EYE_LEFT, EYE_RIGHT):
        ring = template.kind == kind
        edge = template.ring(kind, 0.0)
        for mode in modes:
            mean = mode[edge].mean(0)
            mode[ring] += stiff[ring, None] * (mean - mode[ring])
    near = pair(a, b, (EYE_A, EYE_B), 0.24, 0.26) * smoothstep(np.abs(a), 0.0, 0.20)
    near = np.where(eye_ring, np.maximum(near, stiff), near)
    side = np.where(a >= 0, 1.0, -1.0)
    centre = np.where(a[:, None] >= 0, template.eye_centres[0], template.eye_centres[1])
    dx, dy = (template.mean - centre)[:, :2].T
    basis["head_height"][:, 1] = 0.026 * template.mean[:, 1] * (1 - near) + near * (0.026 * centre[:, 1])
    basis["eye_spacing"][:, 0] = 0.012 * side * near
    basis["eye_height"][:, 1] = 0.016 * near
    basis["eye_width"][:, 0] = 0.050 * dx * near
    basis["eye_opening"][:, 1] = 0.030 * dy * near
    basis["eye_tilt"][:, 1] = 0.060 * dx * side * near


def _details(modes: np.ndarray, template: Template, face: np.ndarray) -> None:
    random = np.random.default_rng(20241)
    x, y, z = template.mean.T
    # sqrt(x^2 + c) is symmetric and smooth where |x| would leave a crease on the nose.
    symmetric = np.stack([np.sqrt(x * x + 0.03), y, z], -1)
    lips = np.where(template.kind == MOUTH, np.exp(-((template.offset / 0.08) ** 2)), 0.0)
    keep = 1.0 - 0.9 * lips
    for k in range(len(PROPORTIONS), N_IDENTITY):
        frequency = random.normal(0.0, 2.2, 3)
        amplitude = random.normal(0.0, 0.0036, 3)
        wave = np.cos(symmetric @ frequency + random.uniform(0, 2 * np.pi))
        modes[k] = (wave * keep)[:, None] * amplitude
        modes[k, :, 0] *= np.tanh(x / 0.15)
