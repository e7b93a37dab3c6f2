"""Random coefficients for still pictures, and bursts that change one factor at a time."""

from __future__ import annotations

import numpy as np

from gohd_core.constants import N_EXPRESSION
from gohd_core.errors import BadInput
from gohd_core.stylised.camera import gaze_from_head, gaze_in_head, neck_translation
from gohd_core.stylised.head.expressions import active_expressions

GAZE_LIMIT = (0.35, 0.55)
"""Largest eye-in-head pitch and yaw that samplers use, radians."""
POSE_LIMIT = (0.40, 0.75, 0.30)

_GROUPS = {
    group: [mode.index for mode in active_expressions() if mode.group == group]
    for group in ("mouth", "lids", "brows")
}
_MOUTH, _LIDS, _BROWS = _GROUPS["mouth"], _GROUPS["lids"], _GROUPS["brows"]


def sample_mouth(rng: np.random.Generator) -> np.ndarray:
    """Coefficients of the eight mouth modes, in the order of ``active_expressions``."""
    u, n = rng.random, np.zeros(8)
    if u() < 0.75:
        n[0] = u() ** 1.3
    if u() < 0.32:
        n[1] = u()
    if u() < 0.22:
        n[2] = u() * (1 - n[1])
    if u() < 0.20 and n[0] < 0.3:
        n[3] = u()
    if u() < 0.32:
        n[4] = 0.85 * u()
    if u() < 0.32:
        n[5] = 0.85 * u()
    if u() < 0.42:
        n[6:] = u() * (1 - 0.6 * n[1])
        if u() < 0.2:
            n[6 + int(rng.integers(2))] = 0.0
    return n


def sample_lids(rng: np.random.Generator) -> np.ndarray:
    """Blink left and right: mostly open, often both closed or half closed, sometimes a wink."""
    which, value = rng.random(), rng.random()
    if which < 0.15:
        return np.ones(2)
    if which < 0.35:
        return np.full(2, value)
    if which < 0.42:
        return np.array([value, 0.0])
    if which < 0.49:
        return np.array([0.0, value])
    return np.zeros(2)


def sample_brows(rng: np.random.Generator) -> np.ndarray:
    """Inner up, outer up left and right (mostly together), frown."""
    inner, outer, frown = (rng.random() * (rng.random() < p) for p in (0.4, 0.4, 0.25))
    brows = np.array([inner, outer, outer, frown])
    if rng.random() < 0.15:
        brows[1 + int(rng.integers(2))] = 0.0
    return brows


def sample_pose(rng: np.random.Generator, amount: float = 1.0) -> np.ndarray:
    """Head pose ``[6]``; turns mostly about the neck and a little about the head's centre."""
    angles = np.array([rng.normal(0, 0.14), rng.normal(0, 0.28), rng.normal(0, 0.10)]) * amount
    angles = np.clip(angles, [-v for v in POSE_LIMIT], POSE_LIMIT)
    shift = np.array([rng.normal(0, 0.045), rng.normal(0, 0.035), rng.normal(0, 0.12)]) * amount
    shift = np.clip(shift, -0.25, 0.25) + rng.uniform(0.2, 0.9) * neck_translation(angles)
    return np.concatenate([angles, shift])


def sample_gaze(rng: np.random.Generator, pose: np.ndarray) -> np.ndarray:
    """Gaze ``[2]`` in the camera's axes: at the camera or elsewhere, within the eye's reach."""
    if rng.random() < 0.25:
        return limit_gaze(pose, np.zeros(2))
    in_head = np.array([rng.normal(0, 0.17), rng.normal(0, 0.28)])
    return gaze_from_head(pose, np.clip(in_head, [-v for v in GAZE_LIMIT], GAZE_LIMIT))


def limit_gaze(pose: np.ndarray, gaze: np.ndarray) -> np.ndarray:
    """The gaze ``[..., 2]`` nearest to ``gaze`` that eyes in a head of ``pose [..., 6]`` reach."""
    in_head = gaze_in_head(pose, gaze)
    return gaze_from_head(pose, np.clip(in_head, [-v for v in GAZE_LIMIT], GAZE_LIMIT))


def _with(expression: np.ndarray, indices: list[int], values: np.ndarray) -> np.ndarray:
    changed = expression.copy()
    changed[indices] = values
    return changed


def random_coefficients(
    rng: np.random.Generator, amount: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Expression ``[64]``, pose ``[6]`` and gaze ``[2]`` of one free picture."""
    expression = np.zeros(N_EXPRESSION)
    expression[_MOUTH] = sample_mouth(rng)
    expression[_LIDS] = sample_lids(rng)
    expression[_BROWS] = sample_brows(rng)
    pose = sample_pose(rng, amount)
    return expression, pose, sample_gaze(rng, pose)


CLUSTER_KINDS = ("base", "gaze", "gaze", "blink", "mouth", "mouth", "brows", "pose", "pose")
"""What each picture of a single-factor cluster changes, the base first."""


def random_stills(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """``n`` pictures of one identity for an animator to learn from.

    The first two clusters (18 pictures) each hold a base picture and single-factor changes of it;
    the first cluster's base looks nearly ahead. The rest are free. Returns expression
    ``[n, 64]``, pose ``[n, 6]``, gaze ``[n, 2]`` (float32) and what each picture changes
    (``base`` of its cluster, ``gaze``, ``blink``, ``mouth``, ``brows``, ``pose`` or ``free``).
    """
    if n < 1:
        raise BadInput(f"A burst needs at least one picture, got {n}.")
    rows: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    kinds: list[str] = []
    for amount in (0.35, 1.0):
        expression, pose, gaze = random_coefficients(rng, amount)
        if rng.random() < 0.8:
            expression[_LIDS] = 0.0
        for kind in CLUSTER_KINDS:
            row = (expression, pose, gaze)
            if kind == "gaze":
                row = (expression, pose, sample_gaze(rng, pose))
            elif kind == "blink":
                shut = 1.0 if rng.random() < 0.6 else rng.uniform(0.3, 1.0)
                value = 0.0 if expression[_LIDS].max() > 0.5 else shut
                row = (_with(expression, _LIDS, np.full(2, value)), pose, gaze)
            elif kind == "mouth":
                row = (_with(expression, _MOUTH, sample_mouth(rng)), pose, gaze)
            elif kind == "brows":
                row = (_with(expression, _BROWS, sample_brows(rng)), pose, gaze)
            elif kind == "pose":
                turned = sample_pose(rng)
                row = (expression, turned, limit_gaze(turned, gaze))
            rows.append(row)
            kinds.append(kind)
    while len(rows) < n:
        rows.append(random_coefficients(rng))
        kinds.append("free")
    stacked = (np.stack(column[:n]).astype(np.float32) for column in zip(*rows, strict=True))
    return (*stacked, kinds[:n])
