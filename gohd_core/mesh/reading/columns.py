"""Columns of the expression that faces which are drawn by their mesh can show."""

from __future__ import annotations

from dataclasses import replace

from gohd_core.animator.geometry.linear_shape import MIRRORED_MOVING, MOVING
from gohd_core.motion import Motion

EXTRA = (12, 17, 18)
"""Squint, cheek puff and nose wrinkle: the data that networks learn from never moves them, and motion that is
read or predicted leaves them at 0."""
DRAWN = (*MOVING, *EXTRA)
MIRRORED_DRAWN = (*MIRRORED_MOVING, *range(len(MOVING), len(DRAWN)))
"""The same columns in a mirror, as places in `DRAWN`."""


def without_extra(motion: Motion) -> Motion:
    """The motion for networks, which know nothing of `EXTRA`."""
    values = motion.expression.values
    if not bool(values[:, list(EXTRA)].any()):
        return motion
    values = values.clone()
    values[:, list(EXTRA)] = 0
    return replace(motion, expression=replace(motion.expression, values=values))
