"""A voice's expressions as one speaker's: how far and how fast jaw and lips go, and what stays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from gohd_core.animator.geometry.linear_shape import MOVING
from gohd_core.mesh.contours import opposite
from gohd_core.mesh.frame import CONTOURS, EDGE, POINTS
from gohd_core.mesh.geometry.shape import DROP, JAW, RAISE

ROUND, PRESS, SMILES = (1, 2), 3, [6, 7]
"""Places in `MOVING` of what rounds and spreads lips, of what presses them together, and of smiles."""
_CALM_PRESS = 0.6
_SHARES = (0.5, 1.6)
"""Limits of the gain that matches a voice's jaw and lips to the speaker's own range of movement."""
_SLOWLY, _INERTIA = [JAW, *ROUND], 0.045
"""Columns that move slowly, and the deviation in seconds of the Gaussian that makes them so."""

_SLOW, _MOOD = 12.0, 15.0
"""Frames over which what directions can't tell of the lips, and a smile, are the speaker's own."""
_KNOT, _BLOCK = 4, 256
"""Frames from one place to the next at which the first is kept; and frames that are looked at together."""


def styled(voice: Tensor, own: Tensor, gap: np.ndarray, gain: Tensor, fps: float) -> Tensor:
    """Expressions [T,64] of a voice as a speaker's [T,14], in the columns of `MOVING`.

    Lips open as wide as the speaker's do, by jaw and lips in the speaker's own shares. A jaw is slow: what
    quick openings and closures it does not follow, lips do, as those of people who talk.

    Args:
        own: [n,14] the speaker's own expressions. gap: [n] between the speaker's own lips.
        gain: [14] gap that each column opens lips by. fps: frames a second of the voice.
    """
    target = voice[:, list(MOVING)].clone()
    target[:, PRESS] *= _CALM_PRESS
    target[:, 8:] = 0
    opening = (target @ gain).clamp_min(0)
    ratio = float(np.percentile(gap, 98)) / max(float(opening.quantile(0.98)), 1e-3)
    opening = opening * min(np.clip(ratio, 0.4, 1.6) ** 0.6, 1.25)
    columns = [JAW, RAISE, DROP]
    spread = own.std(0) / target.std(0).clamp_min(1e-3)
    target[:, columns] *= spread[columns].clamp(*_SHARES)
    slow = gaussian_filter1d(target[:, _SLOWLY].numpy(), _INERTIA * fps, axis=0, mode="nearest")
    target[:, _SLOWLY] = torch.from_numpy(slow)
    lips = (opening - target @ gain) / (gain[RAISE] + gain[DROP])
    target[:, [RAISE, DROP]] += lips[:, None]
    return target


class LastingLips:
    """Residual of a speaker's lips over the expression model, by pitch and yaw and slowly by time."""

    def __init__(self, turns: Tensor, beside: Callable[[slice], Tensor]) -> None:
        """turns: [T,2] pitch and yaw. beside: gives it of a slice of frames, [n,7,48,3]."""
        turn = turns.double().numpy()
        self._base = np.column_stack([np.ones(len(turn)), turn - turn.mean(0)])
        normal, right, means = self._base.T @ self._base + np.diag([0, 0.3, 0.3]), 0.0, []
        for start in range(0, len(turn), _BLOCK):
            rows = slice(start, start + _BLOCK)
            rest = beside(rows).flatten(1).double().numpy()
            right = right + self._base[rows].T @ rest
            means += [rest[k : k + _KNOT].mean(0).astype(np.float32) for k in range(0, len(rest), _KNOT)]
        self._by_pose = np.linalg.solve(normal, right)
        knots = np.stack([self._base[k : k + _KNOT].mean(0) for k in range(0, len(turn), _KNOT)])
        slow = np.empty((len(means), len(means[0])), np.float32)
        for k, (mean, knot) in enumerate(zip(means, knots, strict=True)):
            slow[k] = mean - knot @ self._by_pose
        means.clear()
        self._slow = gaussian_filter1d(slow, _SLOW / _KNOT, axis=0, mode="nearest")

    def at(self, t: int) -> Tensor:
        """That of frame t [7,48,3]; edges are taken together, so that it opens no mouth."""
        place = min(max((t - (_KNOT - 1) / 2) / _KNOT, 0), len(self._slow) - 1)
        before = min(int(place), max(len(self._slow) - 2, 0))
        after = min(before + 1, len(self._slow) - 1)
        slow = self._slow[before] + (place - before) * (self._slow[after] - self._slow[before])
        kept = torch.from_numpy(slow + self._base[t] @ self._by_pose).float().view(CONTOURS, POINTS, 3)
        kept[: EDGE + 1] = (kept[: EDGE + 1] + opposite(kept[: EDGE + 1], 1)) / 2
        return kept


def lasting_smile(own: Tensor) -> Tensor:
    """The share of a speaker's expressions [T,14] that is a mood: a slow smile."""
    mood = torch.zeros_like(own)
    smiles = gaussian_filter1d(own[:, SMILES].numpy(), _MOOD, axis=0, mode="nearest")
    mood[:, SMILES] = torch.from_numpy(0.8 * smiles).clamp(-0.2, 0.8)
    return mood
