"""Occluders of a speaker's mouth, a hand or a microphone: found against the rest of the clip.

Of each frame the colours at points of the mesh around the mouth are kept; the points go with lips and jaw.
One is covered where its colour is seen there in few other frames.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d, grey_opening, maximum_filter1d

from gohd_core.images import Image
from gohd_core.measures.face_points import OVAL
from gohd_core.mesh.clip import NOSE_BASE
from gohd_core.mesh.contours import INNER_LIPS, LIPS_1, LIPS_2, N_FACE, OUTER_LIPS
from gohd_core.mesh.picture.photometry import smoothstep
from gohd_core.mesh.reading.canonical import canonical_face

SAMPLES = 48
"""Frames that others are compared with."""
SELDOM = 0.35
"""Share of the sampled frames from which on a colour is no foreign one."""
_LIGHT = 0.4
"""Weight of lightness, which shadows change."""
_APART = (11.0, 18.0)
"""Distance in Lab from and at which a colour is a foreign one."""
_LEAST = 5
"""Fewest covered points away from the lips that count as a covering object."""
_LIPS_REACH = 0.06
"""Distance from the lips up to which a point lies beside them, model units."""
_MOST_LIPS = (0.3, 0.5)
"""Share of the lips' points from and at which, covered, all of the frame is left alone."""
_LIKE = (0.5, 0.62)
"""Correlation of all points' colours in a frame with those in others, up to and from which they are hidden
and seen: a hand has the skin's own colours, but no lips."""
_PLAIN = 1.5
"""Deviation of the points' colours in Lab, of 255, up to which a face shows nothing to know it by."""
_LASTING, _LASTING_LIPS = 0.16, 0.28
"""Seconds that points and lips are covered for at least: a shadow, or lips pressed together, are shorter."""
_WIDE = 0.045
"""Radius around a covered point that counts as covered, model units."""
_BLOCK = 256


def _points() -> list[int]:
    """Mesh points below the nose that are neither at the face's edge nor within the mouth."""
    height = canonical_face().points[:, 1]
    gone = {*OVAL, *INNER_LIPS.points, *LIPS_2.points}
    return [k for k in range(N_FACE) if height[k] < height[NOSE_BASE] and k not in gone]


def _beside_lips() -> np.ndarray:
    """Which of `POINTS` lie so near to the lips that their edges and shadows pass over them."""
    face = canonical_face().points[:, :2].numpy()
    way = face[POINTS][:, None] - face[list(OUTER_LIPS.points)][None]
    return np.linalg.norm(way, axis=-1).min(1) < _LIPS_REACH


POINTS = _points()
_LIPS, _BESIDE_LIPS = np.isin(POINTS, LIPS_1.points), _beside_lips()


class Covering:
    """Gathers a clip's frames, then tells what is covered in them.

    Attributes:
        seen: uint8 [P,3] Lab at the points of each frame so far.
    """

    def __init__(self) -> None:
        self.seen: list[np.ndarray] = []

    def add(self, image: Image, places: np.ndarray, scale: float) -> None:
        """The next frame: where `POINTS` are in it, [P,2] pixels, at so many pixels a model unit."""
        low, high = places.min(0).astype(int) - 2, places.max(0).astype(int) + 3
        low = np.clip(low, 0, np.array(image.shape[1::-1]) - 1)
        high = np.maximum(np.clip(high, 0, np.array(image.shape[1::-1])), low + 1)
        part = cv2.GaussianBlur(image[low[1] : high[1], low[0] : high[0]], (0, 0), max(0.5, 0.012 * scale))
        at = (places - low).astype(np.float32)[None]
        colours = cv2.remap(part, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        self.seen.append(cv2.cvtColor(colours, cv2.COLOR_RGB2LAB)[0])

    def found(self, fps: float) -> np.ndarray:
        """Occlusion of each point in each frame, float32 [T,P] in 0..1."""
        seen = np.stack(self.seen)
        sample = seen[:: max(1, -(-len(seen) // SAMPLES))].astype(np.float32)
        rank = min(int(SELDOM * len(sample)), len(sample) - 1)
        weights = np.array([_LIGHT, 1.0, 1.0], np.float32)
        cover, hidden = np.zeros(seen.shape[:2], np.float32), np.zeros(len(seen), np.float32)
        pattern = _pattern(sample * weights)
        known = float(np.median((sample * weights).std(1).max(-1))) > _PLAIN
        for start in range(0, len(seen), _BLOCK):
            part = seen[start : start + _BLOCK, None].astype(np.float32)
            away = np.linalg.norm((part - sample) * weights, axis=-1)  # [t,n,P]
            away = np.partition(away, rank, axis=1)[:, rank]
            cover[start : start + _BLOCK] = smoothstep(*_APART, away)
            like = -np.partition(-_pattern(part[:, 0] * weights) @ pattern.T, rank, axis=1)[:, rank]
            hidden[start : start + _BLOCK] = known * (1 - smoothstep(*_LIKE, like))
        away_from_lips = (cover > 0.5)[:, ~_BESIDE_LIPS].sum(1)
        cover[(away_from_lips < _LEAST) & (cover[:, _LIPS].mean(1) < _MOST_LIPS[0])] = 0
        lips = smoothstep(*_MOST_LIPS, _lasting(cover[:, _LIPS].mean(1), _LASTING_LIPS * fps))
        lips = np.maximum(lips, _lasting(hidden, _LASTING_LIPS * fps))
        cover = np.maximum(_lasting(cover, _LASTING * fps), lips[:, None])
        return gaussian_filter1d(
            maximum_filter1d(cover, 3, axis=0, mode="nearest"), 0.8, axis=0, mode="nearest"
        )


def _pattern(colours: np.ndarray) -> np.ndarray:
    """Colours [n,P,3] of points as vectors [n,3P] whose products are correlations."""
    found = (colours - colours.mean(1, keepdims=True)).reshape(len(colours), -1)
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-3)


def _lasting(cover: np.ndarray, frames: float) -> np.ndarray:
    """Temporal opening of values [T,...]: what is shorter than so many frames goes."""
    size = [max(1, round(frames)), *([1] * (cover.ndim - 1))]
    return grey_opening(cover, size, mode="nearest").astype(np.float32)


def spread(cover: np.ndarray, places: np.ndarray, side: int, scale: float) -> np.ndarray:
    """Covered points [P] at pixels [P,2] of a square as a map [side,side] in 0..1."""
    step = max(1.0, _WIDE * scale / 3)
    size = int(np.ceil(side / step))
    at = np.floor(places / step).astype(int)
    within = ((at >= 0) & (at < size)).all(1)
    weight, total = np.zeros((2, size, size), np.float32)
    np.add.at(weight, (at[within, 1], at[within, 0]), 1)
    np.add.at(total, (at[within, 1], at[within, 0]), cover[within])
    weight, total = (cv2.GaussianBlur(each, (0, 0), 3.0) for each in (weight, total))
    return cv2.resize(total / (weight + 1e-3), (side, side), interpolation=cv2.INTER_LINEAR)
