"""One mouth's inside as a clip shows it, laid between other lips: teeth keep their size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from gohd_core.mesh.contours import HALF, POINTS
from gohd_core.mesh.picture.photometry import LUMA, smoothstep

WIDTH, HEIGHT = 128, 80
"""Texels of a mouth's inside, along and across its axis."""
_SIDES, _BETWEEN = (0.3, 1.0), (0.35, 0.75)
"""Where lips that are nearer together than a picture's leave out a part of it: from the middle to the
corners, and from the upper lip to the lower one."""
_STRETCH, _BESIDE = 1.25, (0.9, 1.15)
"""Most by which a picture is stretched along the mouth, and shares of its reach from and at which it is dark
beside what it shows then: so it is between teeth and cheeks."""
_LOWER = (1.3, 2.0)
"""Light below the place where a picture parts over that above it, from and at which what is at the lower lip
stays there when lips draw together: elsewhere upper teeth hide it."""
_LIFTED = (0.3, 0.01)
"""Share of an opening by which an upper lip rises from its teeth, and the most, model units."""
_LOWER_LIGHT = 0.8
"""Most light of lower teeth over that of upper ones."""
_SEAM = (0.4, 0.65)
"""Light between rows of teeth over theirs, up to and from which they are two, and are one."""
_PARTING = (0.2, 0.85)
"""Where a picture may part when lips open farther than it shows, from the upper lip to the lower one."""
_ONE_ROW, _BELOW = (0.7, 0.85), 1.12
"""Light where a picture parts over that of its teeth, from and at which they are one row, and where that
parts: it is not torn in two."""
_ASTRAY = 0.06
"""Distance, as a share of the opening, by which columns count at most of where a picture parts."""
_ACROSS = 0.25
"""Weight of changes of light across a mouth, which a dark hollow above a tongue has as well."""
_LEVELS = 32
"""Places across a mouth at which it is looked for where it parts."""
_CENTRED = 60.0
"""Darkness, of 255, that the middle has before either lip as the place where a picture parts."""
_SOFT = 0.012
"""Height over which a picture goes over into what is drawn between its parts, model units."""
_HOLLOW, _OWN_LIGHT = 0.25, 0.25
"""Light of the hollow between the parts over the picture's, at most, and the share of its own there."""


@dataclass(frozen=True, eq=False)
class Axes:
    """A mouth's axis in pixels: middle [2], unit vectors to the right corner and up [2]."""

    middle: np.ndarray
    right: np.ndarray
    up: np.ndarray

    @classmethod
    def of(cls, edge: np.ndarray) -> Axes:
        """From an inner contour [48,2]."""
        way = edge[0] - edge[HALF]
        right = way / max(float(np.linalg.norm(way)), 1e-6)
        return cls(edge.mean(0), right, np.array([right[1], -right[0]]))

    def heights(self, contour: np.ndarray, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Heights of a contour's upper and lower half at places along the axis."""
        place = contour - self.middle
        x, y = place @ self.right, place @ self.up
        upper = np.arange(HALF + 1)[::-1]
        lower = np.arange(HALF, POINTS + 1) % POINTS
        step = np.arange(HALF + 1) * 1e-4
        found = [np.interp(along, np.maximum.accumulate(x[k] + step), y[k]) for k in (upper, lower)]
        return found[0], found[1]

    def ends(self, contour: np.ndarray) -> tuple[float, float]:
        """Places of its left and right corner along the axis."""
        place = (contour - self.middle) @ self.right
        return float(place[HALF]), float(place[0])

    def pixels(self, along: np.ndarray, up: np.ndarray) -> np.ndarray:
        """Places as pixels [...,2]."""
        return self.middle + along[..., None] * self.right + up[..., None] * self.up


@dataclass(frozen=True, eq=False)
class MouthPicture:
    """One mouth's inside as the clip shows it, in model units over its axis.

    Attributes:
        colours: float32 [HEIGHT,WIDTH,3] from `ends` on the left to the right and from `high` down to `low`.
        ends: (left, right) of what lips show between them. high, low: of the picture.
        upper, lower: [WIDTH] heights at which the lips end.
        cut: [WIDTH] share of the way from the upper to the lower lip at which it parts.
        hollow: float32 [1,WIDTH,3] what lies between its parts.
    """

    colours: np.ndarray
    ends: tuple[float, float]
    high: float
    low: float
    upper: np.ndarray
    lower: np.ndarray

    @cached_property
    def cut(self) -> np.ndarray:
        share = (np.arange(_LEVELS) + 0.5) / _LEVELS
        seen = cv2.GaussianBlur(self._sampled(share[:, None]) @ LUMA, (0, 0), 6.0, sigmaY=0.8)
        middle = (share - sum(_PARTING) / 2) / (_PARTING[1] - _PARTING[0]) * 2
        seen += (_CENTRED * middle**2 + 1e3 * (np.abs(middle) > 1))[:, None]
        found = share[seen.argmin(0)]
        along, inner = np.linspace(-1, 1, WIDTH), slice(WIDTH // 8, -WIDTH // 8)
        for _ in range(3):  # a parabola, whatever few columns show
            curve = np.polyval(np.polyfit(along[inner], found[inner], 2), along)
            found = np.clip(found, curve - _ASTRAY, curve + _ASTRAY)
        curve = curve.clip(*_PARTING)
        light = self._sampled(share[:, None]) @ LUMA
        seam = np.median((self._sampled(curve[None]) @ LUMA)[:, inner])
        one_row = float(smoothstep(*_ONE_ROW, seam / max(float(np.percentile(light[:, inner], 80)), 1.0)))
        return curve + one_row * (_BELOW - curve)

    @cached_property
    def hollow(self) -> np.ndarray:
        light = self.light
        dark = self.middle[light <= np.percentile(light, 8)].mean(0)
        row = cv2.GaussianBlur(self._sampled(self.cut[None]), (0, 0), 10.0, sigmaY=0.1)
        found = dark + _OWN_LIGHT * (row - dark)
        most = _HOLLOW * float(np.median(light))
        return (found * np.minimum(1.0, most / np.maximum(found @ LUMA, 1.0))[..., None]).astype(np.float32)

    @cached_property
    def middle(self) -> np.ndarray:
        """Colours of the middle of the mouth, [n,m,3] from the upper lip to the lower one."""
        share = ((np.arange(_LEVELS) + 0.5) / _LEVELS)[:, None]
        return self._sampled(share)[:, WIDTH // 6 : -WIDTH // 6]

    @cached_property
    def light(self) -> np.ndarray:
        """Its light [n,m]."""
        return self.middle @ LUMA

    @property
    def redness(self) -> np.ndarray:
        """Its place [n,m] between green and red, a* of Lab."""
        return cv2.cvtColor((self.middle / 255).clip(0, 1).astype(np.float32), cv2.COLOR_RGB2LAB)[..., 1]

    @cached_property
    def contrast(self) -> float:
        """Deviation of that light."""
        return float(self.light.std())

    @cached_property
    def teeth(self) -> float:
        """How much that light changes along the mouth, from tooth to sharp tooth, and across it."""
        across, along = (float(np.abs(np.diff(self.light, axis=k)).sum(k).mean()) for k in (0, 1))
        return along + _ACROSS * across

    @cached_property
    def lower_share(self) -> float:
        """How far what is at the lower lip stays there when lips draw together."""
        return float(smoothstep(*_LOWER, self._lower_over_upper(np.mean)))

    @cached_property
    def lower_light(self) -> float:
        """Gain on what is at the lower lip: where there are upper teeth, they shade the lower ones."""
        light = _LOWER_LIGHT / self._lower_over_upper(lambda values: np.percentile(values, 80))
        middle = slice(WIDTH // 4, -WIDTH // 4)
        seam = np.median((self._sampled(self.cut[None]) @ LUMA)[:, middle])
        teeth = np.percentile((self.colours @ LUMA)[:, middle], 80)
        apart = 1 - float(smoothstep(*_SEAM, seam / max(teeth, 1.0)))
        return 1 - apart * (1 - self.lower_share) * max(0.0, 1 - light)

    def _lower_over_upper(self, of: Callable[[np.ndarray], np.ndarray]) -> float:
        """Quotient of the light below the place where it parts and of that above it."""
        share = ((np.arange(_LEVELS) + 0.5) / _LEVELS)[:, None]
        light = (self._sampled(share) @ LUMA)[:, WIDTH // 4 : -WIDTH // 4]
        is_lower = (share > self.cut)[:, WIDTH // 4 : -WIDTH // 4]
        if not is_lower.any():
            return 1.0
        return float(of(light[is_lower]) / max(float(of(light[~is_lower])), 1.0))

    def unlike(self, other: MouthPicture) -> float:
        """Mean difference in light of two mouths' middles, laid between the lips of the narrower one."""
        lips = min((self, other), key=lambda each: float((each.upper - each.lower).mean()))
        share = (np.arange(WIDTH) + 0.5) / WIDTH
        height = np.tile(np.maximum(lips.upper - lips.lower, 1e-4), (_LEVELS, 1))
        along = np.tile(lips.ends[0] + share * (lips.ends[1] - lips.ends[0]), (_LEVELS, 1))
        below = ((np.arange(_LEVELS) + 0.5) / _LEVELS)[:, None] * height
        seen = [each.at(along, below, height, lips.ends) @ LUMA for each in (self, other)]
        return float(
            np.abs(cv2.GaussianBlur(seen[0] - seen[1], (0, 0), 2.0))[:, WIDTH // 6 : -WIDTH // 6].mean()
        )

    def _sampled(self, share: np.ndarray) -> np.ndarray:
        """Colours [n,WIDTH,3] at shares [n,1] or [n,WIDTH] of the way from the upper lip to the lower one."""
        up = self.upper - share * (self.upper - self.lower)
        row = (self.high - up) / (self.high - self.low) * HEIGHT - 0.5
        column = np.tile(np.arange(WIDTH, dtype=np.float32), (len(row), 1))
        return cv2.remap(
            self.colours, column, row.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )

    def at(
        self, along: np.ndarray, below: np.ndarray, height: np.ndarray, ends: tuple[float, float]
    ) -> np.ndarray:
        """Colours [h,w,3] between other lips: teeth keep their size, and lips that draw together cover them.

        Lips that open farther than the picture's show a hollow where it parts.

        Args:
            along: [h,w] places along the axis. ends: (left, right) corners.
            below: [h,w] how far below the upper lip's edge. height: [h,w] of the opening there.
        """
        (left, right), (own_left, own_right) = ends, self.ends
        aside = along - (left + right) / 2
        half, own_half = (right - left) / 2, (own_right - own_left) / 2
        reach = min(half, _STRETCH * own_half)
        place = np.sign(aside) * _fitted(np.abs(aside), reach, own_half, _SIDES) / own_half
        column = ((place + 1) * WIDTH / 2 - 0.5).clip(0, WIDTH - 1)
        upper, lower, cut = (
            np.interp(column, np.arange(WIDTH), each) for each in (self.upper, self.lower, self.cut)
        )
        own = upper - lower
        more = np.maximum(height - own, 0)
        before = below - cut * own  # the parting, and how far below it
        apart = np.where(before < more, np.minimum(before, 0), before - more) + cut * own
        closer = below + np.minimum(_LIFTED[0] * (own - height), _LIFTED[1])
        closer += self.lower_share * (_fitted(below, height, own, _BETWEEN) - closer)
        up = upper - np.where(more > 0, apart, closer)
        row = (self.high - np.clip(up, lower, upper)) / (self.high - self.low) * HEIGHT - 0.5
        at = column.astype(np.float32), row.astype(np.float32)
        colour = cv2.remap(self.colours, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        if self.lower_light < 1:
            lower = smoothstep(0, _SOFT, upper - up - cut * own)
            colour *= (1 - (1 - self.lower_light) * lower)[..., None]
        beyond = reach < half
        if not more.any() and not beyond:
            return colour
        within = np.minimum(before, more - before)
        share = smoothstep(-_SOFT / 2, _SOFT / 2, within) * smoothstep(0, 2 * _SOFT, more)
        if beyond:
            share = np.maximum(share, smoothstep(*_BESIDE, np.abs(aside) / reach))
        hollow = cv2.remap(self.hollow, at[0], np.zeros_like(at[0]), cv2.INTER_LINEAR)
        return colour + share[..., None] * (hollow - colour)


def _fitted(place: np.ndarray, size: np.ndarray, own: np.ndarray, where: tuple[float, float]) -> np.ndarray:
    """Places 0..size in what is `own` large: both ends at their own size, and the difference in between.

    where: shares of `size` between which parts are left out; what is drawn out is drawn out all over.
    """
    share = place / np.maximum(size, 1e-4)
    way = np.where(own > size, smoothstep(*where, share), smoothstep(0.0, 1.0, share))
    return (place + (own - size) * way).clip(0, np.maximum(own, 0))
