"""Synthesis of a shut lid over the open eye of a picture: skin without lashes, glasses kept."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gohd_core.mesh.frame import EDGE, POINTS
from gohd_core.mesh.photometry import LUMA, blur, fill_polygon, has_colour, inpaint, smoothstep

FOLD, BROW = 4, 6
"""Contours of the lid's fold and below the brow."""
_BRIDGE = 0.3
"""Least contrast of a bridge of glasses against the nose."""
_BELOW_BROWS = -0.32
"""Highest place of a bridge above the eyes, in distances of the inner corners: brows and hair lie above."""
_LASH_LIGHT, _LASH_THICKNESS = 0.50, (0.028, 0.060)
"""Most light of lashes as a share of the lid's, and least and greatest thickness of their line."""
_NEAR_LID = 0.3
"""Share of a dark stroke that lies below the fold, above which it is lashes and no part of a brow."""
_FRAME_DARK, _LEAST_FRAME = 0.16, 0.10
"""Darkness of frames against skin, and the side, in eye widths, of the square that they fill at least beyond
the eye."""
_BRIGHTER = 0.80
"""Weight of skin that is brighter than a slope through it, against 1 of both sides."""
_HUE = (0.16, 0.08)
"""Differences from the skin's shares of red, green and blue of what is none, and of what is."""


def wears_glasses(picture: np.ndarray, points: np.ndarray) -> bool:
    """Whether a dark bridge crosses the nose between the eyes of a picture [S,S,3]; points [478,2]."""
    right, left, top, bottom = points[[133, 362, 9, 197]]
    apart = float(np.linalg.norm(left - right))
    across, down = (left - right) / apart, (bottom - top) / np.linalg.norm(bottom - top)
    steps = np.arange(-0.42, 0.45, 1 / max(apart, 24))
    start, luma = (right + left) / 2, picture @ LUMA
    columns = []
    for share in np.linspace(-0.2, 0.2, 9):
        at = start + apart * (share * across + steps[:, None] * down)
        columns.append(cv2.remap(luma, at[None].astype(np.float32), None, cv2.INTER_LINEAR)[0])
    lines = np.array(columns)
    kernel = np.ones((1, 2 * max(1, round(0.10 * len(steps))) + 1))
    bright = cv2.morphologyEx(lines, cv2.MORPH_CLOSE, kernel)
    dark = ((bright - lines) / np.maximum(bright, 0.08))[:, steps > _BELOW_BROWS]
    return bool(np.median(dark.max(1)) > _BRIDGE)


def closed_lid(
    part: np.ndarray, contours: np.ndarray, width: float, skin: np.ndarray, glasses: bool
) -> tuple[np.ndarray, np.ndarray, LashLine]:
    """The picture around an eye as its lid looks when it is shut, still where it is while open.

    Args:
        part: [h,w,3] in 0..1.
        contours: [7,48,2] in its pixels.
        width: of the eye.
        skin: [3] colour of the face.
        glasses: whether dark frames may cross the lid; they stay.

    Returns:
        Its skin [h,w,3]; how far it is painted and where frames are [h,w,2]; its lashes.
    """
    shape, half = part.shape[:2], POINTS // 2
    edge = contours[EDGE]
    along, down = _axes(edge, shape, width)
    upper, crease, above_fold, brow = (
        _height(contours[k, : half + 1], edge, along, width) for k in (EDGE, FOLD, FOLD + 1, BROW)
    )
    below = _height(edge[half:], edge, along, width)
    t = (down - crease) / np.maximum(upper - crease, 0.03)  # 0 at the fold, 1 at the lid's edge
    luma = part @ LUMA
    darkness, darkness_of_thick = _darkness(luma, width), _darkness(luma, 2.2 * width)
    open_ = cv2.dilate(fill_polygon(edge, shape), np.ones((3, 3)), iterations=max(1, round(0.05 * width)))
    near_edge = smoothstep(-0.11, -0.04, down - upper) * smoothstep(0.13, 0.05, down - below)
    near_edge = near_edge * smoothstep(0.66, 0.56, np.abs(along))
    below_brow = smoothstep(0.0, 0.05, down - above_fold)
    known = smoothstep(0.16, 0.04, darkness) * (1 - np.maximum(open_, near_edge)) * (0.02 + 0.98 * below_brow)
    known = known * smoothstep(0.95, 0.75, np.abs(along)) * smoothstep(0.45, 0.30, down - below)
    known = known * _like_skin(part, skin)
    lit = _lit_skin(part, along, down, known)
    # Close to what is seen of the skin, and where nothing is, as the skin around is lit.
    rest = inpaint((part - lit) * known[..., None], known + 0.01)
    lid = np.clip(lit + blur(rest, max(0.6, 0.04 * width)), 0, 1)
    share = smoothstep(-0.25, 0.25, t) * (down < below) * smoothstep(0.56, 0.50, np.abs(along))
    rim = smoothstep(0.11, 0.05, down - below) * smoothstep(0.64, 0.56, np.abs(along)) * (down > upper - 0.05)
    share = np.maximum(np.maximum(share, open_), rim)
    # Lashes and liner that reach beyond, but no brows.
    dark = smoothstep(0.06, 0.16, ((lid - part) @ LUMA) / np.maximum(lid @ LUMA, 0.08))
    thick = smoothstep(0.08, 0.20, darkness_of_thick)
    zone = smoothstep(0.0, 0.05, down - brow) * (down < below)
    axis = (edge[0] - edge[half]) / width
    first, last = (contours[FOLD + 1, [half, 0]] - (edge[0] + edge[half]) / 2) @ axis / width
    zone = zone * smoothstep(first - 0.08, first + 0.06, along) * smoothstep(last + 0.08, last - 0.06, along)
    lashes = _whole_strokes(np.minimum(dark, thick) * zone, down > above_fold + 0.03)
    lashes = cv2.dilate(lashes, np.ones((3, 3)), iterations=max(1, round(0.02 * width)))
    # Where the mesh's lower edge lies too high, white would be left below a shut lid.
    white = white_beside(part - lid, open_, along, down - below, down - upper)
    share = blur(np.maximum(np.maximum(share, lashes), white), max(0.6, 0.025 * width))
    lash = _lash_line(part, lid, edge, share, (along, down - upper), darkness_of_thick, skin)
    frames = np.zeros_like(share)
    if glasses:
        frames = frames_of_glasses(darkness_of_thick, open_, (along, down - below), width)
    maps = np.stack([share, frames], -1)
    return lid.astype(np.float32), maps.astype(np.float32), lash


def frames_of_glasses(
    darkness: np.ndarray, open_: np.ndarray, place: tuple[np.ndarray, np.ndarray], width: float
) -> np.ndarray:
    """Frames of glasses [h,w]: dark lines that go on beyond the eye, where lashes and folds end.

    place: along the eye, and down from the lower lid's edge [h,w], in eye widths.
    """
    along, below = place
    dark = ((darkness > _FRAME_DARK) & (open_ < 0.5)).astype(np.uint8)
    beyond = (np.abs(along) > 0.66) | (below > 0.25)
    count, label = cv2.connectedComponents(dark)
    goes_on = np.bincount(label[beyond], minlength=count) > (_LEAST_FRAME * width) ** 2
    goes_on[0] = False
    return blur(cv2.dilate(goes_on[label].astype(np.float32), np.ones((3, 3))), 0.8)


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


@dataclass(frozen=True)
class LashLine:
    """Lashes of an open lid: their colour [3], contrast to the lid 0..1, and thickness in eye widths."""

    colour: np.ndarray
    contrast: float
    thickness: float


def _lash_line(
    part: np.ndarray,
    lid: np.ndarray,
    edge: np.ndarray,
    share: np.ndarray,
    place: tuple[np.ndarray, np.ndarray],
    darkness: np.ndarray,
    skin: np.ndarray,
) -> LashLine:
    """Lashes of a picture [h,w,3] whose lid would look like `lid` where it is painted by `share` [h,w].

    place: along the eye's axis and down from the upper lid's edge [h,w], in eye widths. darkness: [h,w] of
    the picture, see `_darkness`. skin: its colour [3].
    """
    (along, below), half = place, POINTS // 2
    width = float(np.linalg.norm(edge[0] - edge[half]))
    at = np.clip(np.round(edge[3 : half - 2]).astype(int), 0, np.array(part.shape[1::-1]) - 1)
    lash = part[at[:, 1], at[:, 0]]
    dark = lash[lash @ LUMA <= np.percentile(lash @ LUMA, 25)].mean(0)
    lid_light = float(np.average(lid @ LUMA, weights=share + 1e-6))
    contrast = float(np.clip((lid_light - dark @ LUMA) / 0.45, 0, 1))
    hue = np.clip(skin / max(float(skin @ LUMA), 1e-3), 0.3, 2) ** 1.5
    dark = 0.85 * (dark + hue * float(dark @ LUMA)) / 2  # what is dark may be an iris's rim too
    # A shut lid's edge lies in shadow, however fair the lashes are.
    dark = dark * min(1.0, _LASH_LIGHT * lid_light / max(float(dark @ LUMA), 1e-3))
    band = smoothstep(0.15, 0.35, darkness) * (np.abs(along) < 0.45)
    height = float((band * (below > -0.12) * (below < 0.02)).sum()) / (0.9 * width**2)
    return LashLine(dark.astype(np.float32), contrast, float(np.clip(height, *_LASH_THICKNESS)))


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


def _lit_skin(part: np.ndarray, along: np.ndarray, down: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Illumination of skin [h,w,3] around an eye: a slope, bent along it, through the brighter known pixels.

    Least squares that weigh what is brighter more than what is darker ("expectiles"), so that shadows of
    lashes and lines count little, and what is far from all others not at all.
    """
    x, y = np.clip(along, -0.75, 0.75), np.clip(down, -0.5, 0.5)
    terms = np.stack([np.ones_like(x), x, y, x * x], -1).reshape(-1, 4).astype(np.float64)
    pick = np.flatnonzero(known.ravel() > 0.3)
    if len(pick) < 30:
        return np.broadcast_to(np.median(part, (0, 1)), part.shape)
    pick = pick[:: max(1, len(pick) // 4000)]
    some, colours, base = terms[pick], part.reshape(-1, 3)[pick].astype(np.float64), known.ravel()[pick]
    weight = base
    damping = np.diag([1e-6, 0.02, 0.02, 0.05]) * base.sum()
    for _ in range(8):
        weighed = some * weight[:, None]
        found = np.linalg.solve(some.T @ weighed + damping * (weight.sum() / base.sum()), weighed.T @ colours)
        error = (colours - some @ found) @ LUMA
        spread = np.sqrt(np.average(error**2, weights=weight)) + 0.01
        weight = base * np.where(error > 0, _BRIGHTER, 1 - _BRIGHTER) * (np.abs(error) < 2.0 * spread)
    return (terms @ found).reshape(part.shape).astype(np.float32)


def _darkness(luma: np.ndarray, width: float) -> np.ndarray:
    """Mask of thin dark structures (lashes, liner, frames) against the skin around them, 0..1."""
    reach = 2 * max(1, round(0.06 * width)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    bright = blur(cv2.morphologyEx(luma, cv2.MORPH_CLOSE, kernel), 0.05 * width)
    return (bright - luma) / np.maximum(bright, 0.08)


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
