"""Glasses in a picture: how dark those are that somebody wears, and where their frames are."""

from __future__ import annotations

import cv2
import numpy as np

from gohd_core.mesh.picture.photometry import LUMA, blur

_BRIDGE = 0.3
"""Least contrast of a bridge of glasses against the nose."""
_BELOW_BROWS = -0.32
"""Highest place of a bridge above the eyes, in distances of the inner corners: brows and hair lie above."""
_THICK_FRAME = (0.15, 0.38)
"""Thickness of thick frames, and the side of the square that one fills at least, in eye widths."""
_BESIDE_LID = 0.21
"""Distance from the lids within which dark structures are lashes and not thick frames, in eye widths."""
_OF_BRIDGE, _LEAST_FRAME = 0.55, 0.10
"""Least darkness of frames as a share of their bridge's, shades of lids and folds being paler; and the side,
in eye widths, of the square that they fill at least beyond the eye."""


def bridge_darkness(picture: np.ndarray, points: np.ndarray) -> float:
    """Darkness 0..1, against skin, of the bridge of glasses across the nose in a picture [S,S,3]; 0 where
    there is none. points: [478,2]."""
    right, left, top, bottom = points[[133, 362, 9, 197]]
    apart = float(np.linalg.norm(left - right))
    across, down = (left - right) / apart, (bottom - top) / np.linalg.norm(bottom - top)
    steps = np.arange(-0.42, 0.45, 1 / max(apart, 24))
    start = (right + left) / 2
    columns = []
    for share in np.linspace(-0.2, 0.2, 9):
        at = start + apart * (share * across + steps[:, None] * down)
        columns.append((cv2.remap(picture, at[None].astype(np.float32), None, cv2.INTER_LINEAR) @ LUMA)[0])
    lines = np.array(columns)
    kernel = np.ones((1, 2 * max(1, round(0.10 * len(steps))) + 1))
    bright = cv2.morphologyEx(lines, cv2.MORPH_CLOSE, kernel)
    dark = ((bright - lines) / np.maximum(bright, 0.08))[:, steps > _BELOW_BROWS]
    bridge = float(np.median(dark.max(1)))
    return bridge if bridge > _BRIDGE else 0.0


def frames_of_glasses(
    darkness: np.ndarray, bridge: float, open_: np.ndarray, place: tuple[np.ndarray, np.ndarray], width: float
) -> np.ndarray:
    """Frames of glasses [h,w]: lines about as dark as their bridge that go on beyond the eye, where lashes
    and folds end. Of thick ones nothing is kept beside the lids: what touches them there are lashes.

    bridge: see `bridge_darkness`. place: along the eye, and down from the lower lid's edge [h,w], in eye
    widths.
    """
    along, below = place
    dark = ((darkness > _OF_BRIDGE * bridge) & (open_ < 0.5)).astype(np.uint8)
    beyond = (np.abs(along) > 0.66) | (below > 0.25)
    count, label = cv2.connectedComponents(dark)
    goes_on = np.bincount(label[beyond], minlength=count) > (_LEAST_FRAME * width) ** 2
    goes_on[0] = False
    kept = goes_on[label]
    thick = cv2.morphologyEx(dark, cv2.MORPH_OPEN, _disc(_THICK_FRAME[0] * width / 2))
    largest = cv2.connectedComponentsWithStats(thick)[2][1:, cv2.CC_STAT_AREA].max(initial=0)
    if largest > (_THICK_FRAME[1] * width) ** 2:
        kept &= cv2.dilate((open_ > 0.5).astype(np.uint8), _disc(_BESIDE_LID * width)) == 0
    return blur(cv2.dilate(kept.astype(np.float32), np.ones((3, 3))), 0.8)


def darkness_within(luma: np.ndarray, width: float, reach: float) -> np.ndarray:
    """Mask of thin dark structures (lashes, liner, frames) against the skin within `reach`, 0..1."""
    bright = blur(cv2.morphologyEx(luma, cv2.MORPH_CLOSE, _disc(reach * width)), 0.05 * width)
    return (bright - luma) / np.maximum(bright, 0.08)


def _disc(radius: float) -> np.ndarray:
    """Structuring element of a radius in pixels."""
    side = 2 * max(1, round(radius)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
