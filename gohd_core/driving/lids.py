"""Blinks of a motion that was read from people: lids move together, and not because of the gaze."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from scipy.ndimage import maximum_filter1d, median_filter

from gohd_core.animator.geometry.linear_shape import MOVING
from gohd_core.mesh.eyes.lids import lid_shift
from gohd_core.mesh.geometry.shape import BLINKS
from gohd_core.mesh.reading.gaze import into_head
from gohd_core.motion import Motion
from gohd_core.motion.curves import smoothstep

BLINK_COLUMNS = [MOVING[k] for k in BLINKS]
_WINK = (0.35, 0.6)
"""Difference between the lids up to which it is noise, and from which on one winks."""
_LASTS, _AROUND = 0.2, 0.5
"""Length of the median filter that removes glitches (a wink lasts longer than half of it), and of the window
around a wink that belongs to it; seconds."""
_TURNED = (0.35, 0.5)
"""Yaw from which on one lid counts less apart from the other, and none does: the far eye is hardly seen."""


def lids_together(motion: Motion) -> Motion:
    """A motion whose lids move together, as people's do (E. Hering 1868), unless one of them winks.

    Each is read by itself, with an error of a tenth of a blink, and more in turned heads: one would look half
    shut. In heads that are turned far aside a wink can't be told from that.
    """
    values = motion.expression.values.clone()
    blinks, yaw = values[:, BLINK_COLUMNS].numpy(), motion.pose.values[:, 1].numpy()
    values[:, BLINK_COLUMNS] = values.new_tensor(_together(blinks, yaw, motion.fps))
    return replace(motion, expression=replace(motion.expression, values=values))


def _together(blinks: np.ndarray, yaw: np.ndarray, fps: float) -> np.ndarray:
    """Blinks [T,2] of both eyes in heads turned by yaw [T] (radians), at `fps`."""
    apart = blinks[:, 0] - blinks[:, 1]
    lasting = median_filter(apart, 2 * int(_LASTS / 2 * fps) + 1, mode="nearest")
    wink = smoothstep(*_WINK, maximum_filter1d(np.abs(lasting), int(_AROUND * fps) | 1, mode="nearest"))
    wink *= 1 - smoothstep(*_TURNED, np.abs(yaw))
    return blinks.mean(1, keepdims=True) + 0.5 * (wink * apart)[:, None] * (1, -1)


def without_gaze_following(motion: Motion) -> Motion:
    """A motion whose blinks leave out the lowering of lids as eyes look down, which the mesh animator adds.

    So a blink means the same whosever eyes and gaze go with it.
    """
    height = into_head(motion.pose.values, motion.gaze.values.flip(-1))[:, 1]
    follow = lid_shift(height)[:, None]
    values = motion.expression.values.clone()
    blinks = values[:, BLINK_COLUMNS] - follow
    values[:, BLINK_COLUMNS] = torch.where(blinks > 0, blinks / (1 - follow), blinks)
    return replace(motion, expression=replace(motion.expression, values=values))
