"""Synthesis of a shut lid over the open eye of a picture: skin without lashes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gohd_core.mesh.encoding.glasses import darkness_within, frames_of_glasses
from gohd_core.mesh.eyes.lash_line import COURSE, WING_END, LashLine, lash_course, lash_darkness, read_lashes
from gohd_core.mesh.frame import EDGE, POINTS
from gohd_core.mesh.picture.photometry import LUMA, blur, fill_polygon, has_colour, inpaint, smoothstep

FOLD, BROW = 4, 6
"""Contours of the lid's fold and below the brow."""
_NEAR_LID = 0.3
"""Share of a dark stroke that lies below the fold, above which it is lashes and no part of a brow."""
_BLACK = 0.12
"""Light below which nothing is skin."""
_BROAD, _NOT_BLACK = 0.05, (0.3, 0.45)
"""Distance, in eye widths, within which a lid in shade is as dark, which lashes are not; and light of what is
none for certain and of what is, as a share of bright skin's."""
_LASHES, _FRAMES, _SHADE = 0.10, 0.13, 0.17
"""Distances within which skin lies beside lashes, beside frames, and beside all that is no shade, in eye
widths."""
_SHADED = (0.15, 0.42, 0.05)
"""Light, as a share of bright skin's, of what may be hair or shadow, and of what is skin for certain; and how
far the first is believed."""
_MOST_OFF, _MEETS = (-0.3, 0.2), 0.22
"""By how much a lid is made darker and lighter at most so that it meets the skin around it, light 0..1; and
how far inside, in eye widths."""
_HUE = (0.16, 0.08)
"""Differences from the skin's shares of red, green and blue of what is none, and of what is."""


def closed_lid(
    part: np.ndarray, contours: np.ndarray, width: float, outer: int, skin: np.ndarray, bridge: float
) -> tuple[np.ndarray, np.ndarray, LashLine]:
    """The picture around an eye as its lid looks when it is shut.

    Args:
        part: [h,w,3] in 0..1.
        contours: [7,48,2] in its pixels.
        width: of the eye.
        outer: 1 where its outer corner is at the image's right, -1 where at the left.
        skin: [3] colour of the face.
        bridge: darkness of glasses whose frames may cross the lid and stay, 0 without; see `bridge_darkness`.

    Returns:
        Its skin [h,w,3]; how far it is painted and where frames are [h,w,2]; its lashes.
    """
    edge, luma = contours[EDGE], part @ LUMA
    place = _Place.of(contours, part.shape[:2], width)
    along, outwards = place.along, outer * place.along
    between = fill_polygon(edge, part.shape[:2])
    # Of lashes between skin and eye, as if that were white all over.
    light = luma + (np.percentile(luma, 80) - luma).clip(0) * between
    darkness = darkness_within(light, width, _LASHES)
    open_ = cv2.dilate(between, np.ones((3, 3)), iterations=max(1, round(0.05 * width)))
    frames = np.zeros_like(between)
    if bridge:
        # Lines, and thick frames that are black.
        lines = np.maximum(darkness_within(luma, width, _FRAMES), part.max(-1) < _BLACK)
        frames = frames_of_glasses(lines, bridge, open_, (along, place.below), width)
    # Lashes and liner are darker than the shade of a lid, or than what is painted on it.
    most = lash_darkness(darkness, edge, width)
    liner = darkness / most * (1 - frames)
    # What is broader than they are and not black is a lid in shade.
    broad = smoothstep(0.35, 0.10, darkness_within(light, width, _BROAD) / most)
    broad = broad * smoothstep(*_NOT_BLACK, light / max(float(np.percentile(light, 80)), 0.05))
    bare = np.maximum(smoothstep(0.35, 0.10, liner), broad) * (1 - frames)
    # Skin above frames is no lid that lies below them.
    above = np.maximum.accumulate((frames * (place.above < 0))[::-1])[::-1]
    lid, lower = _skin(part, place, open_, bare * _like_skin(part, skin) * (1 - 0.98 * above))
    # Beside the eye no brighter than what lies there, such as a shaded temple.
    bright = light / np.maximum(1 - darkness_within(light, width, _SHADE), 0.05)
    lid = lid * blur(np.clip(1.15 * bright / np.maximum(lid @ LUMA, 0.02), 0, 1), 0.06 * width)[..., None]
    share = smoothstep(-0.35, 0.25, place.of_fold) * (place.below < 0) * smoothstep(0.56, 0.50, np.abs(along))
    rim = smoothstep(0.64, 0.56, np.abs(along)) * (place.above > -0.05) * smoothstep(0.11, 0.05, place.below)
    rim = rim * np.maximum(smoothstep(0.05, 0.03, place.below), smoothstep(0.3, 0.1, liner))
    # Lashes and liner that reach beyond, but no brows; those beyond the outer corner go on from the line.
    dark = smoothstep(0.06, 0.16, ((lid - part) @ LUMA) / np.maximum(lid @ LUMA, 0.08))
    zone = smoothstep(0.0, 0.05, place.below_brow) * smoothstep(0.70, 0.56, -outwards)
    zone = zone * smoothstep(WING_END + 0.01, WING_END - 0.08, outwards) * (place.below < 0)
    strokes = np.minimum(dark, smoothstep(0.2, 0.45, liner)) * zone
    lashes = _whole_strokes(strokes, place.below_skin > 0.03)
    lashes = cv2.dilate(lashes, np.ones((3, 3)), iterations=max(1, round(0.02 * width)))
    # Where the mesh's lower edge lies too high, white would be left below a shut lid.
    white = white_beside(part - lid, open_, along, place.below, place.above)
    share = blur(np.maximum.reduce([share, open_, rim, lashes, white]), max(0.6, 0.025 * width))
    shut_edge = _height(edge[POINTS // 2 :], edge, outer * COURSE, width)
    course = lash_course(liner, (outwards, place.down), shut_edge)
    lash = read_lashes(part, lid, edge, share, (along, place.above), darkness, skin, course)
    painted = lid + (lower - lid) * place.is_lower[..., None]
    painted = painted + _border(part - painted, bare, share, width)
    rounded = painted * _rounding(along, place.up)[..., None]
    painted = np.clip(rounded + (painted - rounded) * place.is_lower[..., None], 0, 1)
    maps = np.stack([share, frames], -1)
    return painted.astype(np.float32), maps.astype(np.float32), lash


@dataclass(frozen=True)
class _Place:
    """Places of pixels [h,w] around an eye, in eye widths: along and down its axis, and down from the upper
    and the lower lid's edge, from the skin above the fold and from the brow.

    `of_fold` is 0 at the fold and 1 at the upper lid's edge; `up` is 0 at the lower lid's edge and 1 at the
    fold; `is_lower` is 1 below the lower edge, softer beyond the corners; `width` is the eye's in pixels.
    """

    width: float
    along: np.ndarray
    down: np.ndarray
    above: np.ndarray
    below: np.ndarray
    below_skin: np.ndarray
    below_brow: np.ndarray
    of_fold: np.ndarray
    up: np.ndarray
    is_lower: np.ndarray

    @classmethod
    def of(cls, contours: np.ndarray, shape: tuple[int, int], width: float) -> _Place:
        edge, half = contours[EDGE], POINTS // 2
        along, down = _axes(edge, shape, width)
        upper, fold, skin, brow = (
            down - _height(contours[k, : half + 1], edge, along, width) for k in (EDGE, FOLD, FOLD + 1, BROW)
        )
        lower = down - _height(edge[half:], edge, along, width)
        soft = 0.13 * smoothstep(0.44, 0.54, np.abs(along))
        return cls(
            width,
            along,
            down,
            upper,
            lower,
            skin,
            brow,
            fold / np.maximum(fold - upper, 0.03),
            -lower / np.maximum(fold - lower, 0.05),
            smoothstep(-0.03 - soft, soft, lower),
        )


def _skin(
    part: np.ndarray, place: _Place, open_: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Skin [h,w,3] of the upper and of the lower lid, grown over the eye and its lashes from what is seen of
    them in a picture [h,w,3], where it is `known` to be skin [h,w] and not `open_`."""
    beside = np.abs(place.along)
    edges = smoothstep(-0.07, -0.03, place.above) * smoothstep(0.10, 0.04, place.below)
    known = known * (1 - np.maximum(open_, edges * smoothstep(0.66, 0.56, beside)))
    known = known * smoothstep(0.95, 0.75, beside) * smoothstep(0.45, 0.30, place.below)
    light, believed = part @ LUMA, known > 0.5
    bright = float(np.percentile(light[believed], 80)) if believed.any() else 1.0
    known = known * (_SHADED[2] + (1 - _SHADED[2]) * smoothstep(*_SHADED[:2], light / max(bright, 0.05)))
    of_lid = (0.02 + 0.98 * smoothstep(-0.04, 0.02, place.below_skin)) * (1 - 0.94 * place.is_lower)
    of_lower = np.maximum(known, 0.3 * (1 - open_)) * smoothstep(0.02, 0.05, place.below)
    upper = _grown(part, known * of_lid, 0.07 * place.width)
    return upper, _grown(part, of_lower, 0.04 * place.width)


def _grown(part: np.ndarray, known: np.ndarray, sigma: float) -> np.ndarray:
    """A picture [h,w,3] grown from where it is known [h,w] over the rest, without detail."""
    return blur(inpaint(part, known), max(0.6, sigma))


def _border(difference: np.ndarray, bare: np.ndarray, share: np.ndarray, width: float) -> np.ndarray:
    """What makes a lid meet the picture around it without a seam: their difference [h,w,3] where that is bare
    skin and not painted (`bare`, `share` [h,w]), grown over the lid and waning towards its middle."""
    grown = inpaint(difference.clip(*_MOST_OFF), bare * (1 - share))
    inside = cv2.distanceTransform((share > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    return blur(grown * smoothstep(_MEETS * width, 0, inside)[..., None], max(0.6, 0.05 * width))


def _rounding(along: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Shading [h,w] of a shut lid that bulges over the eyeball, at places along it in eye widths and up from
    its edge (0) to its fold (1)."""
    side = np.clip(1 - (2 * along) ** 2, 0, 1)
    bulge = 0.09 * np.exp(-(((up - 0.45) / 0.25) ** 2)) - 0.12 * np.exp(-((up / 0.28) ** 2))
    return 1 + (bulge - 0.06 * side * np.exp(-(((up - 0.92) / 0.16) ** 2))) * np.sqrt(side) * (up > -0.1)


def _whole_strokes(dark: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Of strokes [h,w] (how dark, 0..1) those that lie near the lid for a good part, whole."""
    count, label = cv2.connectedComponents((dark > 0.2).astype(np.uint8))
    share = np.bincount(label.ravel(), near.ravel(), count) / np.maximum(np.bincount(label.ravel()), 1)
    share[0] = 0
    return dark * np.maximum(share[label] > _NEAR_LID, near)


def white_beside(
    brighter: np.ndarray, open_: np.ndarray, along: np.ndarray, below: np.ndarray, above: np.ndarray
) -> np.ndarray:
    """White of the eye [h,w] that lies beyond the mesh's lids `open_` [h,w]: what is brighter than skin
    [h,w,3] in a channel, and hangs together with what lies between the lids.

    along, below and above: places along the eye, down from the lower and from the upper lid, in eye widths.
    """
    white = smoothstep(0.04, 0.10, brighter.max(-1)) * smoothstep(0.22, 0.16, below)
    white = white * smoothstep(-0.04, 0.0, above) * smoothstep(0.80, 0.72, np.abs(along))
    _, label = cv2.connectedComponents(((white > 0.3) | (open_ > 0.5)).astype(np.uint8))
    joined = np.isin(label, np.unique(label[open_ > 0.5]))
    return cv2.dilate(white * joined * (open_ < 0.5), np.ones((3, 3)))


def spread(grain: np.ndarray, shape: tuple[int, int], seed: int) -> np.ndarray:
    """Noise [h,w] of the strength and texture of a square of grain ("spot noise", van Wijk 1991)."""
    noise = np.random.default_rng(seed).standard_normal(shape)
    spot = np.fft.rfft2(grain / len(grain), shape)
    return np.fft.irfft2(np.fft.rfft2(noise) * spot, shape).astype(np.float32)


def _like_skin(part: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """1 where pixels [h,w,3] have about the hue of skin [3], 0 where they do not; any that are grey will do
    in pictures without colour."""
    if not has_colour(skin):
        return np.ones(part.shape[:2], np.float32)
    hues = part / np.maximum(part.sum(-1, keepdims=True), 0.05)
    return smoothstep(*_HUE, np.abs(hues - skin / max(float(skin.sum()), 0.05)).max(-1))


def _axes(edge: np.ndarray, shape: tuple[int, int], width: float) -> tuple[np.ndarray, np.ndarray]:
    """Places [h,w] along and down an eye's axis, in eye widths from the middle of its corners."""
    right, left = edge[0], edge[POINTS // 2]
    axis = (right - left) / width
    yy, xx = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    place = np.stack([xx, yy], -1) - (right + left) / 2
    return (place @ axis / width).astype(np.float32), (place @ [-axis[1], axis[0]] / width).astype(np.float32)


def _height(curve: np.ndarray, edge: np.ndarray, along: np.ndarray, width: float) -> np.ndarray:
    """Depth of a curve [N,2] at places along the eye's axis, in eye widths."""
    right, left = edge[0], edge[POINTS // 2]
    axis = (right - left) / width
    place = (curve - (right + left) / 2) / width
    x, y = place @ axis, place @ [-axis[1], axis[0]]
    order = np.argsort(x)
    return np.interp(along, x[order], y[order]).astype(np.float32)
