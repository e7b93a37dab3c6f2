"""Irises as the pictures of a clip show them: their edge (limbus), beside the irises that the network reads.

The network reads looks far aside as nearer than they are. Lids hide most of a limbus in any one frame: its
radius and its mean place are told from many, its place in each of them by a search with those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from gohd_core.images import Image
from gohd_core.measures.sequences import parabola_vertex
from gohd_core.mesh.clip import EYES
from gohd_core.mesh.eye_contact.iris_plane import IrisPlane, seen_disc
from gohd_core.mesh.picture.photometry import LUMA, blur, fill_polygon, smoothstep

_EVERY, _SETTLED = 4, 12
"""Every so many frames are searched for the radius, until so many of them are."""
_OFFSETS, _RADII = np.linspace(-0.25, 0.25, 7), np.arange(0.88, 1.57, 0.04)
"""Search grid: offsets of the middle, and radii, in radii of the iris as it is read."""
_STEPS = ((0.1, 9), (0.03, 7))
"""Steps of the search in one frame, in radii of the limbus, and how many to each side and in the middle."""
_ARC, _LEAST_ARC = 64, 12
"""Directions in which a limbus is sampled, and how many of them must be visible."""
_EDGE = 0.12
"""Half the width of its edge, in radii."""
_LEAST_RADIUS = 2.5
"""Pixels of an iris below which no limbus is looked for."""
_LEAST_STEP = 0.03
"""Mean step of light (0..1) across a limbus below which it is noise."""
_DISTRUST = (0.25, 0.4)
"""Share of its score that one loses at the border of the search: for the clip, and in one frame."""
_CLEAR, _PULL = (0.3, 0.7), 0.15
"""Score in a frame over that of the clip up to which it tells nothing, and from which on it is believed; and
the weight of the mean place."""
_OPEN = 75
"""Percentile of a clip's frames whose steps of light tell those of an open eye: blinks show none."""
_STEADY = 1.0
"""Deviation in frames of the Gaussian over places."""
_RING = np.stack([np.cos(turn := np.arange(_ARC) * (2 * np.pi / _ARC)), np.sin(turn)], -1)


@dataclass(frozen=True, eq=False)
class Limbus:
    """An iris' edge in n frames, in model units to the image's right and down.

    Attributes:
        step: step of light (0..1) across it while the eye is open; hardly any where no iris is shown, as in
            statues.
        radius: of the round iris. middle: [2] mean place of its middle beside the iris as it is read.
        away: [n,2] its place in each frame beside that mean.
    """

    step: float
    radius: float
    middle: np.ndarray
    away: np.ndarray


class ShotLimbus:
    """Both limbi in the frames of one shot, as they come."""

    def __init__(self) -> None:
        self.scores = np.zeros((2, len(_OFFSETS), len(_OFFSETS), len(_RADII)))
        self.searched = 0
        self.sizes: list[float] = []
        self.places: list[np.ndarray] = []
        self.steps: list[np.ndarray] = []
        self.clear: list[np.ndarray] = []
        self._waiting: list[list[_EyeView | None]] = []
        self._known: _Found | None = None

    def add(
        self,
        image: Image,
        pose: np.ndarray,
        corners: np.ndarray,
        irises: np.ndarray,
        lids: np.ndarray,
        box: tuple[float, float, float],
    ) -> None:
        """The next frame, by one row of `EyeRows` and the square that poses are fitted in."""
        views: list[_EyeView | None] = []
        for k, (_, _, outward) in enumerate(EYES):
            plane = IrisPlane.of(corners[None, k], pose[None], box, outward)
            views.append(_EyeView.of(image, plane, irises[k], lids[k]))
        if self._known is not None:
            self._place(views, self._known)
            return
        if len(self._waiting) % _EVERY == 0:
            self.searched += 1
            for score, view in zip(self.scores, views, strict=True):
                if view is not None:
                    score += view.searched()
        self.sizes += [view.radius / view.scale for view in views if view is not None]
        self._waiting.append(views)
        if self.searched == _SETTLED and len(self._waiting) % _EVERY == 0:
            self.finish()

    def finish(self) -> None:
        """Places the limbi of all frames so far."""
        if self._known is None and self._waiting:
            self._known = _Found.of(self.scores / max(self.searched, 1), self.sizes)
            for views in self._waiting:
                self._place(views, self._known)
            self._waiting = []

    def _place(self, views: list[_EyeView | None], known: _Found) -> None:
        found = [
            (middle, 0.0) if view is None else view.placed(middle, known.radius)
            for view, middle in zip(views, known.middles, strict=True)
        ]
        self.places.append(np.stack([place for place, _ in found]))
        self.steps.append(np.array([step for _, step in found]))
        self.clear.append(smoothstep(*_CLEAR, self.steps[-1] / np.maximum(known.steps, _LEAST_STEP)))


def clip_limbus(shots: Sequence[ShotLimbus]) -> list[Limbus]:
    """Of a person's left and right eye in their shots, whose frames follow one another."""
    for shot in shots:
        shot.finish()
    scores = sum(shot.scores for shot in shots) / max(sum(shot.searched for shot in shots), 1)
    known = _Found.of(scores, [size for shot in shots for size in shot.sizes])
    steps = np.percentile(np.concatenate([shot.steps for shot in shots]), _OPEN, axis=0)
    limbi: list[Limbus] = []
    for k, middle in enumerate(known.middles):
        away = []
        for shot in shots:
            place, clear = (np.stack(each)[:, k] for each in (shot.places, shot.clear))
            total, weight = (
                gaussian_filter1d(each, _STEADY, axis=0, mode="nearest")
                for each in ((place - middle) * clear[:, None], clear[:, None])
            )
            away.append(total / (weight + _PULL))
        limbi.append(Limbus(float(steps[k]), known.radius, middle, np.concatenate(away)))
    return limbi


@dataclass(frozen=True, eq=False)
class _Found:
    """What many frames show: radius of both irises (people's are alike), middles [2,2] beside those as read,
    model units, and mean steps of light [2]."""

    radius: float
    middles: np.ndarray
    steps: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray, sizes: list[float]) -> _Found:
        """From mean scores [2,n,n,r] of the search grid, and radii as they are read, model units."""
        away = np.hypot(np.hypot(_OFFSETS[:, None], _OFFSETS)[..., None] / _OFFSETS[-1], (_RADII - 1) / 0.5)
        scores = scores * (1 - _DISTRUST[0] * (away / 1.5) ** 2)
        size = float(np.median(sizes)) if sizes else 0.0
        line = scores.max((1, 2)).sum(0)
        at = int(line.argmax())
        radius = size * float(_RADII[at] + (_RADII[1] - _RADII[0]) * parabola_vertex(line, at))
        middles = []
        for score in scores[..., at]:
            y, x = np.unravel_index(score.argmax(), score.shape)
            beside = np.array([parabola_vertex(score[y], int(x)), parabola_vertex(score[:, x], int(y))])
            middles.append(size * (_OFFSETS[[x, y]] + (_OFFSETS[1] - _OFFSETS[0]) * beside))
        return cls(radius, np.array(middles), scores[..., at].max((1, 2)))


@dataclass(frozen=True, eq=False)
class _EyeView:
    """A window around an iris as it is read: light and what is between the lids [h,w], 0..1; the iris' middle
    [2] and radius in its pixels; pixels a model unit; and where it faces, [2]."""

    luma: np.ndarray
    between: np.ndarray
    middle: np.ndarray
    radius: float
    scale: float
    facing: np.ndarray

    @classmethod
    def of(cls, image: Image, plane: IrisPlane, iris: np.ndarray, lids: np.ndarray) -> _EyeView | None:
        radius = float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
        low, high = (iris[0] - 2.6 * radius - 2).astype(int), (iris[0] + 2.6 * radius + 3).astype(int)
        if radius < _LEAST_RADIUS or (low < 0).any() or (high > image.shape[1::-1]).any():
            return None
        part = image[low[1] : high[1], low[0] : high[0]].astype(np.float32) / 255
        between = fill_polygon(np.concatenate([lids[:9], lids[:8:-1]]) - low, part.shape[:2])
        luma = blur(np.ascontiguousarray(part @ LUMA), max(0.6, 0.06 * radius))
        facing = plane.facing(0, plane.offset(iris[:1].astype(np.float64))[0])
        middle = (iris[0] - low).astype(np.float64)
        return cls(luma, between.astype(np.float32), middle, radius, float(plane.scale[0]), facing)

    def searched(self) -> np.ndarray:
        """Scores of the search grid [n,n,r]: offsets down and to the right, radii."""
        down, right = np.meshgrid(_OFFSETS, _OFFSETS, indexing="ij")
        middles = self.radius * np.stack([right, down], -1)[:, :, None]  # [n,n,1,2]
        step, count = self._steps(middles, self.radius * _RADII)
        return np.where(count >= _LEAST_ARC, step / np.maximum(count, 1), 0)

    def placed(self, near: np.ndarray, radius: float) -> tuple[np.ndarray, float]:
        """Place [2] of a limbus of that radius, searched around `near` [2], and the mean step of light there;
        beside the iris as it is read, model units."""
        pixels = radius * self.scale
        start = found = near * self.scale
        best = 0.0
        for share, count in _STEPS:
            grid = (np.arange(count) - count // 2) * share * pixels
            middles = found + np.stack(np.meshgrid(grid, grid), -1)
            step, seen = self._steps(middles, np.array(pixels))
            away = np.linalg.norm(middles - start, axis=-1) / (_STEPS[0][0] * (_STEPS[0][1] // 2) * pixels)
            score = step / np.maximum(seen, _LEAST_ARC) * (1 - _DISTRUST[1] * away**2)
            y, x = np.unravel_index(score.argmax(), score.shape)
            best = float(score[y, x])
            beside = np.array([parabola_vertex(score[y], int(x)), parabola_vertex(score[:, x], int(y))])
            found = middles[y, x] + (grid[1] - grid[0]) * beside
        return found / self.scale, best

    def _steps(self, middles: np.ndarray, radii: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sums of steps of light across circles [...], and in how many directions they are seen [...], by
        their middles [...,2] beside the iris as it is read, and radii [...]; in pixels."""
        reach = radii[..., None, None] * np.array([1 - _EDGE, 1 + _EDGE])[:, None]  # [...,2,1]
        ring = seen_disc(_RING, self.facing)
        at = self.middle + middles[..., None, None, :] + reach[..., None] * ring  # [...,2,arc,2]
        light, between = (_sampled(each, at) for each in (self.luma, self.between))
        seen = (between > 0.9).all(-2)
        step = (light[..., 1, :] - light[..., 0, :]).clip(-0.1, 0.35)
        return (step * seen).sum(-1), seen.sum(-1)


def _sampled(picture: np.ndarray, at: np.ndarray) -> np.ndarray:
    """A picture [h,w] at pixels [...,2] (column, row)."""
    flat = np.ascontiguousarray(at, np.float32).reshape(-1, at.shape[-2], 2)
    found = cv2.remap(picture, flat, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return found.reshape(at.shape[:-1])
