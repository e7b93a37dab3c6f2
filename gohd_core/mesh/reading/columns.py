"""Columns of the expression that faces which are drawn by their mesh can show."""

from __future__ import annotations

from dataclasses import replace

from gohd_core.animator.geometry.linear_shape import MIRRORED_MOVING, MOVING
from gohd_core.motion import Motion

SIDEWAYS = (20, 21)
"""Mouth and jaw moved to the subject's left; in a mirror their sign changes."""
EXTRA = (12, 17, 18, *SIDEWAYS)
"""Squint, cheek puff, nose wrinkle, and what moves sideways: the data that networks learn from never moves
them, and motion that is predicted leaves them at 0. Of these people's videos tell what moves sideways."""
DRAWN = (*MOVING, *EXTRA)
MIRRORED_DRAWN = (*MIRRORED_MOVING, *range(len(MOVING), len(DRAWN)))
"""The same columns in a mirror, as places in `DRAWN`; but for the sign of `SIDEWAYS`."""


def without_extra(motion: Motion) -> Motion:
    """The motion for networks, which know nothing of `EXTRA`."""
    values = motion.expression.values
    if not bool(values[:, list(EXTRA)].any()):
        return motion
    values = values.clone()
    values[:, list(EXTRA)] = 0
    return replace(motion, expression=replace(motion.expression, values=values))
