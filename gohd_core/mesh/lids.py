"""Upper lids: what a shutting lid shows, its lashes and its shadow on the eye."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.face.camera import Camera, transform
from gohd_core.mesh.frame import EDGE, POINTS, EyeFrame, OwnFace
from gohd_core.mesh.photometry import (
    LUMA,
    as_map,
    as_picture,
    blur,
    blur_radius,
    fill_polygon,
    has_colour,
    inpaint,
    skin_colour,
    skin_grain,
    smooth,
    smoothstep,
)

FOLD, _BROW = 4, 6
"""Contours of the lid's fold and below the brow."""
PAINTED = (0.12, 0.45)
"""From which blink on lashes and fold of the open lid are painted out, and from which on they are gone."""
_BRIDGE = 0.3
"""How much darker than the nose a bridge of glasses is at least."""
_LASH_REACH = 0.20
"""Height of the texture of lashes, in eye widths."""
_BRIGHTER = 0.80
"""Weight of skin that is brighter than a slope through it, against 1 of both sides."""
_HUE = (0.16, 0.08)
"""Differences from the skin's shares of red, green and blue of what is none, and of what is."""
_FOLLOW_DOWN, _FOLLOW_UP, _FOLLOW_LIMITS = 1.25, 0.9, (-0.14, 0.5)
"""Blink per radian that the gaze is lowered by, and raised by, and its least and greatest."""


def lids_follow_gaze(blink: Tensor, pitch: Tensor) -> Tensor:
    """Blinks of lids that go with a gaze: lowered by what looks down, a little raised by what looks up.

    Args:
        blink: [...,2] as told, 0..1.
        pitch: [...] how far the gaze in the head is above the portrait's own, radians.

    Returns:
        [...,2]; below 0 where the eye opens wider than in the picture.
    """
    return blink + lid_shift(pitch)[..., None] * (1 - blink.clamp(0, 1))


def lid_shift(pitch: Tensor) -> Tensor:
    """By how much of a blink open lids go with a gaze that is so far above the portrait's own, radians."""
    return torch.where(pitch < 0, -_FOLLOW_DOWN * pitch, -_FOLLOW_UP * pitch).clamp(*_FOLLOW_LIMITS)


def wears_glasses(picture: np.ndarray, points: np.ndarray) -> bool:
    """Whether a dark bridge crosses the nose between the eyes of a picture [S,S,3]; points [478,2]."""
    right, left, top, bottom = points[[133, 362, 9, 197]]
    apart = float(np.linalg.norm(left - right))
    across, down = (left - right) / apart, (bottom - top) / np.linalg.norm(bottom - top)
    steps = np.arange(-0.42, 0.45, 1 / max(apart, 24))
    start = (right + left) / 2
    columns = []
    for share in np.linspace(-0.2, 0.2, 9):
        at = start + apart * (share * across + steps[:, None] * down)
        columns.append(cv2.remap(picture @ LUMA, at[None].astype(np.float32), None, cv2.INTER_LINEAR)[0])
    lines = np.array(columns)
    kernel = np.ones((1, 2 * max(1, round(0.10 * len(steps))) + 1))
    bright = cv2.morphologyEx(lines, cv2.MORPH_CLOSE, kernel)
    dark = (bright - lines) / np.maximum(bright, 0.08)
    return bool(np.median(dark.max(1)) > _BRIDGE)


@dataclass(frozen=True)
class Lid:
    """An upper lid of a portrait.

    Attributes:
        width: from corner to corner of the eye, pixels of the crop.
        softness: the picture's blur, as a share of that.
        corner: [2] (column, row) of the texture's first pixel in the crop.
        skin: [1,4,h,w] the picture without eye, lashes and liner, as skin there is lit, and how far it takes
            the picture's place.
        glasses: [1,4,h,w] the picture, and where it shows frames of glasses; None if it does not.
        lash: [1,1,h,w] strokes along and down from the lid's edge.
        colour: [1,3,1,1] of the lashes, in [-1, 1].
        strength: how far lashes are darker than skin, 0..1.
    """

    width: float
    softness: float
    corner: Tensor
    skin: Tensor
    glasses: Tensor | None
    lash: Tensor
    colour: Tensor
    strength: float

    @classmethod
    def of(cls, face: OwnFace, picture: np.ndarray, eye: int) -> Lid:
        size, points = len(picture), face.points.cpu().numpy()
        contours = transform(face.contours[eye].flatten(0, 1), face.pose[0])
        contours = Camera.of_size(size).pixels(contours).unflatten(0, (-1, POINTS)).cpu().numpy()
        width = float(np.linalg.norm(contours[EDGE, 0] - contours[EDGE, POINTS // 2]))
        pad = 0.45 * width
        low = np.minimum(contours[_BROW].min(0), contours[EDGE].min(0) - pad)
        x0, y0 = np.clip(low.astype(int), 0, size - 8)
        x1, y1 = np.clip((contours[_BROW].max(0) + pad / 2).astype(int), 8, size)
        part = picture[y0:y1, x0:x1]
        sigma = blur_radius(picture, points, face.unit)
        painted, maps, dark, contrast = _closed_lid(
            part, contours - (x0, y0), width, skin_colour(picture, points), wears_glasses(picture, points)
        )
        painted = painted * (1 + _tiled(skin_grain(picture, points, face.unit), part.shape[:2])[..., None])
        like = face.image
        return cls(
            width,
            sigma / width,
            torch.tensor([x0, y0], dtype=torch.float32, device=like.device),
            torch.cat([as_picture(painted, like), as_map(maps[..., :1], like)], 1),
            torch.cat([as_picture(part, like), as_map(maps[..., 1:], like)], 1)
            if maps[..., 1].any()
            else None,
            as_map(_strokes(eye, width, contrast, sigma), like),
            as_picture(dark[None, None], like),
            contrast,
        )

    def cover(self, frame: EyeFrame) -> Tensor:
        """The window's skin, with eye, lashes and fold painted out as far as the lid is down, [B,3,h,w]."""
        share = smooth(*PAINTED, frame.blink)[:, None, None, None]
        middle = frame.rigid_at - self.corner  # what light falls on the lid does not go with it
        painted = self._sample(self.skin, middle, "border")
        lid = (painted[:, :3] + 1) * self._rounding(frame) - 1
        skin = torch.lerp(frame.skin, lid, share * painted[:, 3:])
        if self.glasses is None:
            return skin
        worn = self._sample(self.glasses, middle, "border")  # rigid, whatever the lid does
        return torch.lerp(skin, worn[:, :3], share * worn[:, 3:])

    def _rounding(self, frame: EyeFrame) -> Tensor:
        """What the light on a lid [B,1,h,w] is multiplied with, as it bulges over the eyeball."""
        along = frame.opening.along
        side = (1 - along.square()).clamp_min(0)
        middle = frame.contours[:, [EDGE, FOLD], POINTS // 4]
        height = (middle[:, 0] - middle[:, 1]).norm(dim=-1).clamp_min(1)[:, None, None, None]
        up = -frame.opening.above / (height * (0.15 + 0.85 * side.sqrt()))  # 0 at the edge, 1 at the fold
        bulge = 0.06 * torch.exp(-((up - 0.55) / 0.28).square()) - 0.10 * torch.exp(-(up / 0.30).square())
        bulge = bulge - 0.05 * torch.exp(-((up - 1.02) / 0.14).square())
        return 1 + bulge * side.sqrt() * (frame.opening.above < 0.1 * height)

    def opened(self, frame: EyeFrame) -> Tensor:
        """Share [B,1,h,w] of a pixel between the lids, their edges as soft as the picture."""
        soft = max(1.0, 1.6 * self.softness * self.width)
        above, below, along = frame.opening.above, frame.opening.below, frame.opening.along
        share = smooth(-soft / 2, soft / 2, above) * smooth(-soft / 2, soft / 2, below)
        return share * ((above + below) / soft).clamp(0, 1) * (along.abs() < 1)

    def shade(self, eyeball: Tensor, frame: EyeFrame) -> Tensor:
        """The eyeball [B,3,h,w] in the shadow of a lowered lid."""
        share = 0.40 * smooth(*PAINTED, frame.blink)[:, None, None, None]
        dark = share * torch.exp(-frame.opening.above.clamp_min(0) / (0.055 * self.width))
        return (eyeball + 1) * (1 - dark) - 1

    def lashes(self, picture: Tensor, frame: EyeFrame) -> Tensor:
        """The window [B,3,h,w] with lashes along the edge of a lowered lid."""
        share = smooth(*PAINTED, frame.blink)[:, None, None, None]
        down, along = frame.opening.above / self.width, frame.opening.along
        # The lid's margin: a soft line on the edge, thinner towards the nose and the end.
        thick = max(0.022, 1.2 * self.softness)
        line = torch.exp(-((down / thick) ** 2)) * (0.022 / thick) ** 0.4
        line = line + 0.25 * torch.exp(-((down / 0.06) ** 2))
        line = line * smooth(1.05, 0.55, along.abs())
        grid = torch.stack([along[:, 0], 2 * down[:, 0] / _LASH_REACH - 1], -1)
        strokes = F.grid_sample(self.lash.expand(len(grid), -1, -1, -1), grid, align_corners=False)
        opacity = torch.maximum(0.56 * line * (0.4 + 0.6 * self.strength), strokes * self.strength)
        return torch.lerp(picture, self.colour.expand_as(picture), opacity * share)

    @staticmethod
    def _sample(texture: Tensor, pixels: Tensor, beyond: str) -> Tensor:
        """A texture [1,C,h,w] at its pixels [B,h,w,2]."""
        size = texture.new_tensor(texture.shape[:1:-1])
        grid = (2 * pixels + 1) / size - 1
        texture = texture.expand(len(grid), -1, -1, -1)
        return F.grid_sample(texture, grid, "bilinear", beyond, align_corners=False)


def _closed_lid(
    part: np.ndarray, contours: np.ndarray, width: float, skin: np.ndarray, glasses: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """The picture around an eye as its lid looks when it is shut, still where it is while open.

    Args:
        part: [h,w,3] in 0..1.
        contours: [7,48,2] in its pixels.
        width: of the eye.
        skin: [3] colour of the face.
        glasses: whether dark frames may cross the lid; they stay.

    Returns:
        Its skin [h,w,3]; how far it is painted and where frames are [h,w,2]; the colour of lashes [3], and
        their contrast 0..1.
    """
    shape, half = part.shape[:2], POINTS // 2
    edge = contours[EDGE]
    along, down = _axes(edge, shape, width)
    upper, crease, above_fold = (
        _height(contours[k, : half + 1], edge, along, width) for k in (EDGE, FOLD, FOLD + 1)
    )
    below = _height(edge[half:], edge, along, width)
    t = (down - crease) / np.maximum(upper - crease, 0.03)  # 0 at the fold, 1 at the lid's edge
    luma = part @ LUMA
    darkness = _darkness(luma, width)
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
    thick = smoothstep(0.08, 0.20, _darkness(luma, 2.2 * width))
    lashes = np.minimum(dark, thick) * smoothstep(0.0, 0.08, down - above_fold) * (down < below)
    axis = (edge[0] - edge[half]) / width
    first, last = (contours[FOLD + 1, [half, 0]] - (edge[0] + edge[half]) / 2) @ axis / width
    lashes = lashes * smoothstep(first - 0.08, first + 0.06, along)
    lashes = lashes * smoothstep(last + 0.08, last - 0.06, along)
    lashes = cv2.dilate(lashes, np.ones((3, 3)), iterations=max(1, round(0.02 * width)))
    # Where the mesh's lower edge lies too high, white would be left below a shut lid.
    white = smoothstep(0.04, 0.10, (part - lid).max(-1)) * smoothstep(0.20, 0.14, down - below)
    white = cv2.dilate(white * (down > below), np.ones((3, 3))) * smoothstep(0.72, 0.62, np.abs(along))
    share = blur(np.maximum(np.maximum(share, lashes), white), max(0.6, 0.025 * width))
    at = np.clip(np.round(edge[3 : half - 2]).astype(int), 0, np.array(shape[::-1]) - 1)
    lash = part[at[:, 1], at[:, 0]]
    dark = lash[lash @ LUMA <= np.percentile(lash @ LUMA, 25)].mean(0)
    lid_light = float(np.average(lid @ LUMA, weights=share + 1e-6))
    contrast = float(np.clip((lid_light - dark @ LUMA) / 0.45, 0, 1))
    hue = np.clip(skin / max(float(skin @ LUMA), 1e-3), 0.3, 2) ** 1.5
    dark = (dark + hue * float(dark @ LUMA)) / 2  # what is dark may be an iris's rim too
    frames = np.zeros_like(share)
    if glasses:
        frames = smoothstep(-0.05, -0.09, down - upper) + smoothstep(0.04, 0.08, down - below)
        frames = np.clip(frames, 0, 1) * smoothstep(0.10, 0.22, darkness)
    maps = np.stack([share, frames], -1)
    return lid.astype(np.float32), maps.astype(np.float32), (0.85 * dark).astype(np.float32), contrast


def _tiled(grain: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A square of grain reflected over [h,w]."""
    pad = [(0, max(0, side - len(grain))) for side in shape]
    return np.pad(grain, pad, mode="symmetric")[: shape[0], : shape[1]]


def _like_skin(part: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """1 where pixels [h,w,3] have about the hue of skin [3], 0 where they do not; any that are grey will do
    in pictures without colour."""
    if not has_colour(skin):
        return np.ones(part.shape[:2], np.float32)
    hues = part / np.maximum(part.sum(-1, keepdims=True), 0.05)
    return smoothstep(*_HUE, np.abs(hues - skin / max(float(skin.sum()), 0.05)).max(-1))


def _lit_skin(part: np.ndarray, along: np.ndarray, down: np.ndarray, known: np.ndarray) -> np.ndarray:
    """How skin [h,w,3] is lit around an eye: a slope, bent along it, through the brighter of what is known.

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
    """How much darker thin things (lashes, liner, frames) are than the skin around them, 0..1."""
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
    """How far down a curve [N,2] lies at places along the eye's axis, in eye widths."""
    right, left = edge[0], edge[POINTS // 2]
    axis = (right - left) / width
    place = (curve - (right + left) / 2) / width
    x, y = place @ axis, place @ [-axis[1], axis[0]]
    order = np.argsort(x)
    return np.interp(along, x[order], y[order]).astype(np.float32)


def _strokes(eye: int, width: float, contrast: float, sigma: float) -> np.ndarray:
    """Lashes of a lowered lid, [h,w]: along it from the image's left, and down from its edge.

    `width` of the eye and `sigma` of the picture's blur in pixels.
    """
    columns, rows = max(32, round(1.5 * width)), max(8, round(1.5 * width * _LASH_REACH))
    fine = 4
    canvas = np.zeros((rows * fine, columns * fine), np.uint8)
    if contrast > 0.3:
        draws = np.random.default_rng(3 + eye)
        outer = 1 if eye == 1 else -1  # the left eye's outer corner is at the image's right
        scale = columns * fine / 2
        for place in np.linspace(-0.93, 0.93, 34):
            x = place + draws.uniform(-0.02, 0.02)
            long = 0.20 * (0.55 + 0.45 * outer * x) * draws.uniform(0.6, 1.1) * (1 - x * x) ** 0.3
            lean = 0.55 * x + 0.25 * outer
            steps = np.linspace(0, 1, 5)
            path = np.stack([x + long * lean * steps**1.4, long * (steps - 0.22 * steps**2)], -1)
            path = np.stack([(path[:, 0] + 1) * scale, path[:, 1] * scale], -1)
            for a, b, s in zip(path[:-1], path[1:], steps[1:], strict=True):
                shade, thick = int(draws.uniform(120, 200) * (1.1 - 0.7 * s)), max(1, round(fine * (1.4 - s)))
                cv2.line(
                    canvas,
                    *(tuple(np.round(p * 16).astype(int).tolist()) for p in (a, b)),
                    shade,
                    thick,
                    cv2.LINE_AA,
                    4,
                )
    small = cv2.resize(canvas, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return blur(small, max(0.5, 1.5 * sigma))
