"""Blinks without the lids' gaze-following part, which the mesh animator adds itself."""

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
    """A motion whose blinks leave out the lowering of lids as eyes look down, which the mesh animator adds.

    So a blink means the same whosever eyes and gaze go with it.
    """
    height = into_head(motion.pose.values, motion.gaze.values.flip(-1))[:, 1]
    follow = lid_shift(height)[:, None]
    values = motion.expression.values.clone()
    blinks = values[:, COLUMNS] - follow
    values[:, COLUMNS] = torch.where(blinks > 0, blinks / (1 - follow), blinks)
    return replace(motion, expression=replace(motion.expression, values=values))
