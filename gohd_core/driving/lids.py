"""Lids that a driver was seen with are drawn as they were: they have followed the driver's eyes already."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from gohd_core.animator.geometry.linear_shape import MOVING
from gohd_core.mesh.gaze import into_head
from gohd_core.mesh.lids import lid_shift
from gohd_core.mesh.shape import BLINKS
from gohd_core.motion import Motion

COLUMNS = [MOVING[k] for k in BLINKS]


def with_seen_lids(motion: Motion, own: Motion) -> Motion:
    """A motion whose blinks leave out what the mesh animator lowers lids by where eyes look down.

    own: the portrait's, one frame, from which that counts (`mesh.drawing`).
    """
    follow = lid_shift(_height(motion) - _height(own))[:, None]
    values = motion.expression.values.clone()
    blinks = values[:, COLUMNS] - follow
    values[:, COLUMNS] = torch.where(blinks > 0, blinks / (1 - follow), blinks)
    return replace(motion, expression=replace(motion.expression, values=values))


def _height(motion: Motion) -> Tensor:
    """How far up eyes look in the head [T]."""
    return into_head(motion.pose.values, motion.gaze.values.flip(-1))[:, 1]
