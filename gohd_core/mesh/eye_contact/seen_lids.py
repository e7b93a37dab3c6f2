"""Lids' edges as a frame shows them: meshes make wide and drawn eyes narrower than they are."""

from __future__ import annotations

import cv2
import numpy as np

from gohd_core.images import Image
from gohd_core.mesh.picture.photometry import LUMA, smoothstep

_INSIDE, _BEYOND = 0.10, (0.15, 0.20)
"""Farthest place within an edge that shows the eyeball, and those beyond it that show skin, in eye widths."""
_FARTHEST, _AT_CORNERS = 0.14, 0.07
"""Largest outward shifts of an edge, in its middle and at the corners, in eye widths."""
_STEP = 0.01
_CONTRAST = 0.14
"""Difference of eyeball and skin or lashes (0..1) from which on the edge between them is believed."""
_OPEN, _SURE = (0.28, 0.40), (0.02, 0.05)
"""Height of an opening over its width, and shift of an edge in eye widths, up to which edges stay and from
which on they go the whole way: meshes are of eyes that are neither wide nor drawn."""
_CALM = 0.6
"""Share of the shift of the frame before that is kept."""
_ORDER = [*range(9), *range(15, 8, -1)]
"""Points of the lids around the eye."""


class SeenLids:
    """Widens the lids of one eye in frames that follow one another."""

    def __init__(self) -> None:
        self._shift: np.ndarray | None = None

    def widened(self, image: Image, lids: np.ndarray) -> np.ndarray:
        """The lids [16,2] (lower edge 0..8, upper 9..15) of the next frame, where its eyeball is seen to end
        farther out; pixels, float32."""
        width = float(np.linalg.norm(lids[8] - lids[0]))
        if width < 8:
            return lids
        ways = _outwards(lids, width)
        found = _ends(image, lids, ways, width)
        if self._shift is not None:
            found = _CALM * self._shift + (1 - _CALM) * found
        self._shift = found
        height = float(np.linalg.norm(lids[12] - lids[4])) / width
        share = width * float(smoothstep(*_OPEN, height)) * found
        return (lids + share[:, None] * ways).astype(np.float32)


def _outwards(lids: np.ndarray, width: float) -> np.ndarray:
    """Directions [16,2] away from the opening: along it at its corners, across it in the middle."""
    right = (lids[8] - lids[0]) / width
    across = lids[9:16].mean(0) - lids[1:8].mean(0)
    up = np.array([right[1], -right[0]])
    up = up * np.sign(across @ up)
    along = (2 * ((lids - lids[0]) @ right) / width - 1).clip(-1, 1)
    high = np.sqrt(1 - along**2)
    high[:9] *= -1
    return along[:, None] * right + high[:, None] * up


def _ends(image: Image, lids: np.ndarray, ways: np.ndarray, width: float) -> np.ndarray:
    """How far beyond each point [16] the eyeball goes on, in eye widths."""
    steps = np.arange(-_INSIDE, _BEYOND[1] + _STEP, _STEP)
    side = np.stack([-ways[:, 1], ways[:, 0]], -1)
    beside = 0.02 * width * np.array([-1.0, 0.0, 1.0])[:, None, None, None] * side[:, None]
    at = (lids[:, None] + width * steps[:, None] * ways[:, None] + beside).astype(np.float32)  # [3,16,k,2]
    flat = at.reshape(-1, len(steps), 2)
    colours = cv2.remap(image, flat, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    colours = colours.reshape(*at.shape[:3], 3).astype(np.float32).mean(0) / 255  # [16,k,3]
    # Lids that nearly meet show the eyeball only close to their edges.
    depth = 0.4 * np.linalg.norm(lids[12] - lids[4]) / width
    within = (steps < -0.02) & (steps > -max(min(depth, _INSIDE), 0.04))
    ball = np.median(colours[:, within], 1)
    skin = np.median(colours[:, (steps >= _BEYOND[0]) & (steps <= _BEYOND[1])], 1)
    out = steps >= 0
    beyond = colours[:, out]
    way = skin - ball
    like_skin = (
        np.einsum("nkc,nc->nk", beyond - ball[:, None], way) / np.maximum((way**2).sum(1), 1e-6)[:, None]
    )
    light, own = beyond @ LUMA, ball @ LUMA
    darkest = light.min(1)
    # Lashes and lids' shade end an eyeball as skin does; where neither differs from it nothing is known.
    lashes = light < ((own + darkest) / 2)[:, None]
    dark = own - darkest > _CONTRAST
    ended = ((like_skin > 0.5) & (np.linalg.norm(way, axis=1) > _CONTRAST)[:, None]) | (
        lashes & dark[:, None]
    )
    known = ended.any(1)
    known[9:16] &= dark[9:16]  # irises and upper lashes are dark alike
    shift = np.where(known, steps[out][ended.argmax(1)], 0.0)
    shift = np.minimum(shift, _AT_CORNERS + (_FARTHEST - _AT_CORNERS) * np.abs(ways @ _across(lids)))
    around, sure = shift[_ORDER], known[_ORDER]
    if sure.sum() < 6:
        return np.zeros(16)
    places = np.arange(16)
    around = np.interp(places, places[sure], around[sure], period=16)
    # One point alone is taken for a lash or a light.
    padded = np.concatenate([around[-1:], around, around[:1]])
    around = np.median([padded[:-2], padded[1:-1], padded[2:]], 0)
    padded = np.concatenate([around[-1:], around, around[:1]])
    around = 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]
    made = np.empty(16)
    made[_ORDER] = around * smoothstep(*_SURE, around)
    return made


def _across(lids: np.ndarray) -> np.ndarray:
    right = (lids[8] - lids[0]) / max(float(np.linalg.norm(lids[8] - lids[0])), 1e-6)
    return np.array([-right[1], right[0]])
