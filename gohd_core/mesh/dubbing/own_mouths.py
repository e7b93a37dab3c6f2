"""The insides of a clip's own mouths, by how far they are open: what other lips show when they part."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import grey_closing

from gohd_core.images import Image
from gohd_core.mesh.dubbing.mouth_picture import HEIGHT, WIDTH, Axes, MouthPicture
from gohd_core.mesh.picture.photometry import smoothstep

_INSET, _ENDS = 0.003, 0.2
"""How far inside the lips' edges a picture ends, model units, and the share of its height at its corners."""
LEVELS = 12
LEAST, APART = 0.042, 0.006
"""Gap of the smallest mouth that is kept, and by how much their gaps differ, model units."""
THIN = 0.016
"""Openings thinner than this are darker: lips lie over them."""
_NARROWEST = 0.2
"""Share of the way from corner to corner of the mesh's mouth that is open at least."""
_GAP, _FADE = WIDTH // 8, 3
"""Columns that may be narrower within a mouth, and that found edges are smoothed over at its ends."""
_A_LEVEL, _AS_GOOD, _FRAMES_APART = 3, 1.0, 2
"""Most frames of one gap, by how much they may be worse than the best of it, and frames between them."""
_WIDTH_APART = 0.04
"""Difference in width that makes a mouth as bad a choice as 8 degrees of turning do, model units."""
_THIN_LIGHT, _MIXED = 0.42, (0.0, 0.4)
_LIP_DISTANCE = 14.0
"""Distance in Lab from the lips' colour at which a pixel is lip as much as not."""
_FADED, _CONTRAST = 5.0, 0.5
"""The same in dim and faded clips, at least, and its share of the distance of what is between the lips, where
nothing there is farther from their colour than that of other clips."""
_ROWS, _PRIOR = 96, 0.02
_LEAST_OPEN = (0.45, 2.5)
"""Share of the gap, and pixels, that must lie between the lips by their colours; less, and the mesh's mouth
is wider open than the picture's, or the inside can't be told from the lips."""
_LEAST_CHANGE = 0.5
"""Mean change from row to row, of 255, of what is more than one row of pixels drawn out."""
_LESS_RED, _SEEN = 0.9, 0.2
"""Share of the lips' redness that so much of a mouth's inside is below: light on a lip is as red as that."""
_WEIGHTS = np.array([0.5, 1.0, 1.0])
_USUAL = 10.0
"""Mean difference in light from the others, of 255, that makes a mouth half as good a choice."""
_MOST_UNLIKE = 0.45
"""Mean difference in light of other mouths from the chosen one, over the deviation of its light, up to which
they are shown as well: teeth that come and go are seen as flicker."""


def chosen_frames(
    gap: np.ndarray, width: np.ndarray, yaw: np.ndarray, place: np.ndarray, free: np.ndarray
) -> list[int]:
    """Frames whose mouths are kept: steady ones neither rounded nor broad, at several gaps.

    Args:
        gap, width: [T] of the mouths, model units. yaw: [T] radians. place: [T,3] of the heads.
        free: [T] bool, frames in which nothing is before the mouth.
    """
    top = float(np.percentile(gap, 99.5))
    low = max(LEAST, 0.6 * float(np.percentile(gap, 50)))
    if top <= 1.15 * low or len(gap) < 3:
        return []
    speed = np.abs(np.gradient(gap)) / 0.02 + np.linalg.norm(np.gradient(place, axis=0), axis=1) / 0.01
    aside = np.degrees(np.abs(yaw - np.median(yaw))) / 8 + np.abs(width - np.median(width)) / _WIDTH_APART
    kept: set[int] = set()
    for level in np.linspace(low, top, LEVELS):
        near = np.flatnonzero((np.abs(gap - level) < 0.12 * (top - low) + 0.004) & free)
        if not len(near):
            continue
        bad = (speed + aside + np.abs(gap - level) / 0.006)[near]
        found: list[int] = []
        for frame in near[np.argsort(bad, kind="stable")][: int((bad < bad.min() + _AS_GOOD).sum())]:
            if len(found) < _A_LEVEL and all(abs(frame - other) > _FRAMES_APART for other in found):
                found.append(int(frame))
        kept |= set(found)
    return sorted(kept, key=lambda frame: gap[frame])


def lip_colours(frame: Image, contours: np.ndarray) -> np.ndarray:
    """Lab colours [2,n,3] of the upper and the lower lip, from contours [7,48,2] of shut lips in pixels."""
    height, width = frame.shape[:2]
    found = []
    for half in (slice(5, 20), slice(29, 44)):
        rows = [contours[3], (contours[3] + contours[2]) / 2, 0.6 * contours[3] + 0.4 * contours[4]]
        at = np.concatenate([row[half] for row in rows]).round().astype(int)
        found.append(frame[at[:, 1].clip(0, height - 1), at[:, 0].clip(0, width - 1)])
    return cv2.cvtColor(np.stack(found).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


class OwnMouths:
    """Pictures of the mouths' insides of a clip.

    Attributes:
        gaps: of each, rising, model units. pictures: of each.
        cuts: [2] by how much the upper and the lower lip's true edge lies inside the mesh's, in the median.
        faded: whether the clip is. shows: how much of teeth the best of them shows.
    """

    def __init__(self, lips: np.ndarray, faded: bool = False) -> None:
        """lips: [2,3] Lab colours of the upper and the lower lip.
        faded: what differs from them less than usual lies between the lips as well."""
        self.lips = lips
        self.faded = faded
        self.shows = 0.0
        self.gaps: list[float] = []
        self.pictures: list[MouthPicture] = []
        self._cuts: list[np.ndarray] = []

    @property
    def cuts(self) -> np.ndarray:
        return np.median(self._cuts, axis=0).clip(-0.06, 0.04) if self._cuts else np.zeros(2)

    def add(self, frame: Image, contours: np.ndarray, gap: float, unit: np.ndarray) -> None:
        """The next larger mouth, if it shows its inside.

        Args:
            contours: [7,48,2] in pixels.
            unit: [2] pixels of a model unit along the mouth's axis and across it.
        """
        scale = float(unit[1])
        edge, within = contours[1], (contours[3] + contours[4]) / 2
        axes = Axes.of(edge)
        left, right = axes.ends(edge)
        share = (np.arange(WIDTH) + 0.5) / WIDTH
        along = left + share * (right - left)
        upper, lower = axes.heights(edge, along)
        upper_lip, lower_lip = axes.heights(within, along)
        margin = np.stack(
            [np.clip(upper_lip - upper, 0.5, 0.06 * scale), np.clip(lower - lower_lip, 0.5, 0.06 * scale)]
        )
        outer = (upper + margin[0], lower - margin[1])
        cut, step = self._cut(_sampled(frame, axes, along, *outer, _ROWS), margin, outer, scale)
        middle = slice(WIDTH // 3, 2 * WIDTH // 3)
        inside = cut * step - margin
        top, bottom = upper - inside[0] - _INSET * scale, lower + inside[1] + _INSET * scale
        height = top - bottom
        if np.median(height[middle]) < max(_LEAST_OPEN[0] * gap * scale, _LEAST_OPEN[1]):
            return
        left, right = _widest(along, height, max(_ENDS * float(np.median(height[middle])), 1.0))
        if right - left < _NARROWEST * (along[-1] - along[0]):
            return
        place = left + share * (right - left)
        top, bottom = (np.interp(place, along, each) for each in (top, bottom))
        high, low = top.max(), bottom.min()
        flat = np.ones(WIDTH)
        colours = _sampled(frame, axes, place, high * flat, low * flat, HEIGHT)
        if np.abs(np.diff(colours[:, middle].mean(-1), axis=0)).mean() < _LEAST_CHANGE:
            return
        ends = left / float(unit[0]), right / float(unit[0])
        heights = [each / scale for each in (top, bottom)]
        picture = MouthPicture(colours, ends, high / scale, low / scale, *heights)
        if (picture.redness < _LESS_RED * self.lips[:, 1].min()).mean() < _SEEN:
            return
        self._cuts.append(inside[:, middle].mean(1) / scale)
        self.gaps.append(gap)
        self.pictures.append(picture)

    def settle(self) -> None:
        """Keeps of the mouths that were added the one that shows most, and those that look like it."""
        if not self.pictures:
            return
        light = np.stack([each.light for each in self.pictures])
        unusual = [np.abs(light - each).mean() for each in light]
        shown = [
            float(gap) ** 0.25 * each.teeth / (_USUAL + far)
            for gap, each, far in zip(self.gaps, self.pictures, unusual, strict=True)
        ]
        order = np.argsort(shown)[::-1]
        self.shows = shown[order[0]]
        best = self.pictures[order[0]]
        kept: list[int] = []
        for k in order:
            apart = all(abs(self.gaps[k] - self.gaps[other]) > APART for other in kept)
            if apart and (not kept or best.unlike(self.pictures[k]) <= _MOST_UNLIKE * best.contrast):
                kept.append(int(k))
        kept.sort(key=lambda k: self.gaps[k])
        self.gaps, self.pictures = [self.gaps[k] for k in kept], [self.pictures[k] for k in kept]

    def _cut(
        self, seen: np.ndarray, margin: np.ndarray, outer: tuple[np.ndarray, np.ndarray], scale: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rows [2,WIDTH] at which each lip ends, counted from outside, and pixels a row [WIDTH]."""
        lab = cv2.cvtColor((seen / 255).clip(0, 1).astype(np.float32), cv2.COLOR_RGB2LAB)
        away = [np.sqrt((((lab - lip) * _WEIGHTS) ** 2).sum(-1)) for lip in self.lips]
        away = np.stack([cv2.GaussianBlur(each, (0, 0), 1.0) for each in (away[0], away[1][::-1])])
        distance = _LIP_DISTANCE
        if self.faded:
            between = np.percentile(away[:, :, WIDTH // 4 : -WIDTH // 4], 90)
            if between < _LIP_DISTANCE:
                distance = max(_CONTRAST * float(between), _FADED)
        gain = np.cumsum((distance - away).clip(-distance, distance), 1)
        step = (outer[0] - outer[1]) / _ROWS
        rows = np.arange(_ROWS)[None, :, None]
        prior = -0.10 * distance * ((rows * step - margin[:, None]) / (_PRIOR * scale)) ** 2
        cut = (gain + prior)[:, : _ROWS // 2].argmax(1).astype(np.float32)
        window = np.stack([np.roll(cut, k, axis=1) for k in range(-4, 5)])
        cut = np.median(window, axis=0).astype(np.float32)
        return np.stack([cv2.GaussianBlur(row[None], (0, 0), 3.0)[0] for row in cut]), step

    def inside(self, edge: np.ndarray, gap: float, pixels: np.ndarray, unit: np.ndarray) -> np.ndarray:
        """Colours [h,w,3] at pixels [h,w,2] between lips whose inner contour is `edge` [48,2].

        gap: by which the picture is chosen; there must be one. unit: as of `add`.
        """
        axes = Axes.of(edge)
        place = pixels - axes.middle
        along, up = place @ axes.right, place @ axes.up
        upper, lower = (each.reshape(along.shape) for each in axes.heights(edge, along.ravel()))
        left, right = (each / unit[0] for each in axes.ends(edge))
        height = np.maximum(upper - lower, 0.5) / unit[1]
        at = along / unit[0], ((upper - up) / unit[1]).clip(0, height), height, (left, right)
        level = int(np.clip(np.searchsorted(self.gaps, gap) - 1, 0, max(len(self.gaps) - 2, 0)))
        colour = self.pictures[level].at(*at)
        if len(self.gaps) > 1:
            low, high = self.gaps[level : level + 2]
            share = float(smoothstep(*_MIXED, np.clip((gap - low) / (high - low), 0, 1)))
            if share > 0:
                colour = colour * (1 - share) + self.pictures[level + 1].at(*at) * share
        thin = smoothstep(0.0, 1.0, (upper - lower) / (THIN * unit[1]))
        return colour * (_THIN_LIGHT + (1 - _THIN_LIGHT) * thin[..., None])


def _sampled(
    frame: Image, axes: Axes, along: np.ndarray, top: np.ndarray, bottom: np.ndarray, rows: int
) -> np.ndarray:
    """A picture between two curves over a mouth's axis, float32 [rows,n,3]."""
    share = ((np.arange(rows) + 0.5) / rows)[:, None]
    at = axes.pixels(np.tile(along, (rows, 1)), top * (1 - share) + bottom * share).astype(np.float32)
    found = cv2.remap(frame, at[..., 0], at[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return found.astype(np.float32)


def _widest(along: np.ndarray, height: np.ndarray, least: float) -> tuple[float, float]:
    """Where a mouth [n] that is `height` open ends on the left and the right of its middle."""
    shut, middle = np.flatnonzero(grey_closing(height, _GAP) < least), len(height) // 2
    left = int(shut[shut < middle].max(initial=-1)) + 1 + _FADE
    right = int(shut[shut >= middle].min(initial=len(height))) - 1 - _FADE
    return float(along[left]), float(along[right])
