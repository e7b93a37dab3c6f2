"""Blinks of people who are seen: without what lids follow their eyes by, which whoever draws them adds."""

from __future__ import annotations

from dataclasses import replace

import torch

from gohd_core.animator.geometry.linear_shape import MOVING
from gohd_core.mesh.gaze import into_head
from gohd_core.mesh.lids import lid_shift
from gohd_core.mesh.shape import BLINKS
from gohd_core.motion import Motion

COLUMNS = [MOVING[k] for k in BLINKS]


def without_following(motion: Motion) -> Motion:
    """A motion whose blinks leave out what the mesh animator lowers lids by where eyes look down.

    So a blink means the same whosever eyes and gaze go with it.
    """
    height = into_head(motion.pose.values, motion.gaze.values.flip(-1))[:, 1]
    follow = lid_shift(height)[:, None]
    values = motion.expression.values.clone()
    blinks = values[:, COLUMNS] - follow
    values[:, COLUMNS] = torch.where(blinks > 0, blinks / (1 - follow), blinks)
    return replace(motion, expression=replace(motion.expression, values=values))
