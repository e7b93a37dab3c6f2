"""The line of lashes along the edge of a lowered lid, read from the open one and drawn as a texture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gohd_core.mesh.frame import POINTS
from gohd_core.mesh.picture.photometry import LUMA, blur, smoothstep

LASH_REACH, LASH_ENDS = 0.20, 1.5
"""How far above and below the edge the texture reaches, in eye widths, and how far to either side, in halves
of that."""
_DIP = 96
"""Texels along the edge at which `lash_dip` is told."""
_FINE = 4
"""Texels of a pixel along and down in which single lashes are drawn."""
_LASH_LIGHT, _LASH_THICKNESS = 0.45, (0.028, 0.070)
"""Most light of lashes as a share of the lid's, and least and greatest thickness of their line."""
_SHADOW = (0.5, 0.08)
"""Opacity and reach, in eye widths, of the shadow along the line where lids meet. In people who blink that
line is .16 of an eye's width broad at half its darkness, in videos; without a shadow drawn ones are .10."""
_LEAST_DARK = 0.15
"""Least darkness of a lash line."""
_STEP, WING_END, _WING_REACH, _LEAST_WING = 0.03, 0.75, 0.07, 0.12
"""Steps in which a wing is followed, where it ends, how far up and down it is looked for, and what share of
that it fills; eye widths."""
_WING_SEEN = 0.3
"""Strength from which on a wing is followed as it is."""
COURSE = np.arange(0.2, WING_END, _STEP)
"""Places outwards at which the course of a lash line is sampled, in eye widths."""


@dataclass(frozen=True)
class LashLine:
    """Lashes of an open lid: their colour [3], contrast to the lid 0..1, thickness in eye widths, and their
    line's course (see `lash_course`)."""

    colour: np.ndarray
    contrast: float
    thickness: float
    course: np.ndarray


def read_lashes(
    part: np.ndarray,
    lid: np.ndarray,
    edge: np.ndarray,
    share: np.ndarray,
    place: tuple[np.ndarray, np.ndarray],
    darkness: np.ndarray,
    skin: np.ndarray,
    course: np.ndarray,
) -> LashLine:
    """Lashes of a picture [h,w,3] whose lid would look like `lid` where it is painted by `share` [h,w].

    place: along the eye's axis and down from the upper lid's edge [h,w], in eye widths. darkness: [h,w] of
    the picture, see `darkness_within`. skin: its colour [3].
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
    return LashLine(dark.astype(np.float32), contrast, float(np.clip(height, *_LASH_THICKNESS)), course)


def lash_darkness(darkness: np.ndarray, edge: np.ndarray, width: float) -> float:
    """Darkness (see `darkness_within`) of the lashes and liner along an upper lid's edge [48,2]."""
    half = POINTS // 2
    axis = (edge[0] - edge[half]) / width
    at = edge[3 : half - 2] - 0.02 * width * np.array([-axis[1], axis[0]])
    at = np.clip(np.round(at).astype(int), 0, np.array(darkness.shape[::-1]) - 1)
    return max(_LEAST_DARK, float(np.percentile(darkness[at[:, 1], at[:, 0]], 75)))


def lash_course(liner: np.ndarray, place: tuple[np.ndarray, np.ndarray], edge: np.ndarray) -> np.ndarray:
    """Course of the lash line of a shut lid near its outer corner, and on along what lashes or liner draw
    beyond it: [n,3] places outwards, depths below the lid's edge, and how much there is of it 0..1.

    Args:
        liner: [h,w] darkness as a share of the lash line's.
        place: outwards and down from the eye's middle [h,w], in eye widths.
        edge: [n] depth of the shut lid's edge at places `COURSE`.
    """
    outwards, down = place
    weight, depth = smoothstep(0.25, 0.6, liner), edge.copy()
    strength = np.ones(len(edge))
    for k in np.flatnonzero(COURSE > 0.5):
        column = (np.abs(outwards - COURSE[k]) < _STEP / 2) & (np.abs(down - depth[k - 1]) < _WING_REACH)
        found = weight * column
        share = float(found.sum()) / max(_LEAST_WING * column.sum(), 1)
        strength[k] = min(strength[k - 1], smoothstep(0.8, 2.5, share))
        seen = float((found * down).sum() / max(found.sum(), 1e-6))
        depth[k] = depth[k - 1] + 0.5 * strength[k] * (seen - depth[k - 1])
    # From the lid to the wing's end it does not first go up to the corner.
    seen = strength > _WING_SEEN
    depth[seen] = _hull(COURSE[seen], depth[seen])
    smoothed = cv2.GaussianBlur(depth[None], (33, 1), 4.0, borderType=cv2.BORDER_REPLICATE)[0]
    return np.stack([COURSE, (smoothed - edge) * smoothstep(0.2, 0.35, COURSE), strength], -1)


def _hull(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Least concave function of x [n], rising, that is nowhere below y [n]."""
    corners: list[int] = []
    for k in range(len(x)):
        while len(corners) > 1:
            i, j = corners[-2:]
            if (y[j] - y[i]) * (x[k] - x[i]) > (y[k] - y[i]) * (x[j] - x[i]):
                break
            corners.pop()
        corners.append(k)
    return np.interp(x, x[corners], y[corners])


def lash_dip(lash: LashLine, outer: int) -> np.ndarray:
    """By how much lashes of a shut lid lie below its edge within the eye, over `LASH_REACH`: [1,n] along the
    texture. A lid that is half shut does not have it, while its wing stays.

    outer: as of `lash_texture`.
    """
    along = (np.arange(_DIP) + 0.5) * (2 * LASH_ENDS / _DIP) - LASH_ENDS
    place, depth, _ = lash.course.T
    dip = np.interp(outer * along, 2 * place, depth) * smoothstep(1.2, 0.9, outer * along)
    return (dip / LASH_REACH)[None].astype(np.float32)


def lash_texture(lash: LashLine, outer: int, width: float, sigma: float) -> np.ndarray:
    """Opacities [h,w,2] of a lowered lid's lashes, and of the shadow where it meets the lower one; from the
    image's left and from above its edge.

    outer: 1 where the outer corner is at the image's right, -1 where at the left. `width` of the eye and
    `sigma` of the picture's blur in pixels.
    """
    columns, rows = max(48, round(1.5 * LASH_ENDS * width)), max(16, round(3 * width * LASH_REACH))
    along = (np.arange(columns) + 0.5) * (2 * LASH_ENDS / columns) - LASH_ENDS
    down = ((np.arange(rows) + 0.5) * (2 / rows) - 1)[:, None] * LASH_REACH
    outwards = outer * along
    place, depth, strength = lash.course.T
    down = down - np.interp(outwards, 2 * place, depth)
    # Thickest outwards of the middle, it thins out to both ends.
    thick = lash.thickness * (0.75 + 0.30 * np.clip(outwards, -1, 1)) * (1 - 0.5 * along**2).clip(0.4)
    thick = thick + 0.8 * sigma / width
    line = np.exp(-((np.where(down > 0, down, -1.3 * down) / thick) ** 2))
    beyond = np.interp(outwards, 2 * place, strength) * smoothstep(LASH_ENDS, 0.9, outwards)
    line = line * smoothstep(-1.06, -0.70, outwards) * np.maximum(beyond, smoothstep(1.06, 0.90, outwards))
    line = line * (0.8 + 0.15 * lash.contrast)
    if lash.contrast > 0.3:
        strokes = blur(_strokes((rows, columns), outer), max(0.5, 1.5 * sigma))
        line = np.maximum(line, strokes * lash.contrast)
    shadow = _SHADOW[0] * np.exp(-((down / _SHADOW[1]) ** 2)) * np.sqrt((1 - (along / 1.05) ** 2).clip(0))
    return np.stack([line, shadow], -1).astype(np.float32)


def _strokes(shape: tuple[int, int], outer: int) -> np.ndarray:
    """Single lashes [h,w] that hang from the middle row, swept outwards."""
    rows, columns = shape
    canvas = np.zeros((rows * _FINE, columns * _FINE), np.uint8)
    draws = np.random.default_rng(3 + outer)
    scale = np.array([columns * _FINE / (2 * LASH_ENDS), rows * _FINE / 2])
    for place in np.linspace(-0.93, 0.93, 34):
        x = place + draws.uniform(-0.02, 0.02)
        long = 0.20 * (0.55 + 0.45 * outer * x) * draws.uniform(0.6, 1.1) * (1 - x * x) ** 0.3
        lean = 0.55 * x + 0.25 * outer
        steps = np.linspace(0, 1, 5)
        path = np.stack([x + long * lean * steps**1.4 + LASH_ENDS, 1 + long * (steps - 0.22 * steps**2)], -1)
        for a, b, s in zip(path[:-1] * scale, path[1:] * scale, steps[1:], strict=True):
            shade, thick = int(draws.uniform(120, 200) * (1.1 - 0.7 * s)), max(1, round(_FINE * (1.4 - s)))
            ends = (tuple(np.round(p * 16).astype(int).tolist()) for p in (a, b))
            cv2.line(canvas, *ends, shade, thick, cv2.LINE_AA, 4)
    return cv2.resize(canvas, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
