"""Draws an iris elsewhere in its eye, and lids that follow, in a frame's own pixels; nothing else changes."""

from __future__ import annotations

import cv2
import numpy as np

from gohd_core.images import Image
from gohd_core.mesh.eye_contact import Eye
from gohd_core.mesh.gaze import RADIUS
from gohd_core.mesh.lid_following import moved_lids
from gohd_core.mesh.photometry import inpaint, smoothstep

LEAST_SHIFT = 0.05
"""Pixels below which nothing is drawn."""
EDGE, IRIS_END, WHITE_FROM = 1.20, 1.26, (1.24, 1.44)
"""Radii in iris radii: of the iris' soft edge, its end, and the range from which on there is sclera."""
ROOM = (0.5, 2.0)
"""Pixels that a lid opens by from and at which the eye beside its old edge is drawn anew."""
FINER = 4
"""Supersampling of the lids' outline."""
LID_SHADE, SHADE_DEPTH = 0.38, 0.07
"""Shadow of the upper lid on the sclera: its strength at the edge, and its reach in eye widths."""
_PROFILE, _PROFILE_END = 24, 1.36


def draw_iris(frame: Image, eye: Eye, t: int, shift: np.ndarray) -> None:
    """Moves the iris of frame `t` by `shift` [2] in its plane, in place."""
    axes, middle, radius = eye.axes[t], eye.iris[t], eye.radius
    way = float(np.linalg.norm(axes @ shift))
    scale = float(eye.scale[t])
    width = eye.width * scale
    if way < LEAST_SHIFT or width < 6:
        return
    reach = np.array([0.85, 0.65]) * width
    left, top = (middle - reach).astype(int)
    right, bottom = (middle + reach).astype(int) + 1
    if left < 0 or top < 0 or right > frame.shape[1] or bottom > frame.shape[0]:
        return
    part = frame[top:bottom, left:right]
    corner = np.array([left, top])
    lids = eye.lids[t] - corner
    inner = cv2.erode(_inside(lids, part.shape[:2]), np.ones((3, 3)), iterations=max(1, round(scale * 0.008)))
    row, column = np.mgrid[0 : part.shape[0], 0 : part.shape[1]].astype(np.float32)
    places = (np.stack([column, row], -1) + corner - middle) @ np.linalg.inv(axes).T
    offset, unit = eye.offset[t], RADIUS * eye.width
    on_iris, tilt = _disc(places, (offset - eye.rest) / unit, radius)
    on_new, _ = _disc(places - shift, (offset + shift - eye.rest) / unit, radius)
    rho, new_rho = np.linalg.norm(on_iris, axis=-1), np.linalg.norm(on_new, axis=-1)
    source = part.astype(np.float32)
    white_known = inner * smoothstep(*WHITE_FROM, rho)
    seen = inner * (rho < IRIS_END)
    if white_known.sum() <= 3 or seen.sum() <= 4:
        return
    follow = moved_lids(source, lids, axes @ np.array([0.0, shift[1]]), width)
    inside = _inside(follow.lids, part.shape[:2])
    white = inpaint(source, white_known) * _shade(follow.lids, row, column, width, rho)[..., None]
    iris = _whole_iris(source, seen, rho, radius * scale)
    from_disc = on_new * radius
    axis, cosine = tilt
    from_disc = from_disc - (from_disc @ axis * (1 - cosine))[..., None] * axis
    pixels = (from_disc @ axes.T + middle - corner).astype(np.float32)
    moved = cv2.remap(iris, pixels[..., 0], pixels[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    soft = max(0.16, 1.4 / (radius * scale))

    def cover(distance: np.ndarray) -> np.ndarray:
        return ((EDGE + soft / 2 - distance) / soft).clip(0, 1).astype(np.float32)

    new = cover(new_rho)
    drawn = white * (1 - new[..., None]) + moved * new[..., None]
    # Where lids make room there is eye; what they go over is theirs.
    room = smoothstep(*ROOM, follow.opened) * (1 - inner)
    touched = np.maximum(np.maximum(cover(rho - 0.22), new), room)
    touched = cv2.GaussianBlur(cv2.dilate(touched, np.ones((3, 3))), (0, 0), max(0.6, scale * 0.004))
    between = cv2.GaussianBlur(cv2.erode(inside, np.ones((3, 3))), (0, 0), max(0.6, scale * 0.003))
    mask = touched * between * (inside > 0) * smoothstep(0.0, 0.5, way)
    skin = follow.share * (1 - between)
    result = source + skin[..., None] * (follow.skin - source)
    result += mask[..., None] * (drawn - result)
    changed = np.maximum(mask, skin) >= 1 / 255
    part[changed] = result.clip(0, 255).round().astype(np.uint8)[changed]


def _inside(lids: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Coverage of pixels by the opening between lids [16,2], 0..1."""
    outline = np.concatenate([lids[:9], lids[:8:-1]])
    fine = np.zeros((shape[0] * FINER, shape[1] * FINER), np.uint8)
    points = np.round(((outline + 0.5) * FINER - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(fine, [points], 255, cv2.LINE_AA, 4)
    return cv2.resize(fine, shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _disc(
    places: np.ndarray, turned: np.ndarray, radius: float
) -> tuple[np.ndarray, tuple[np.ndarray, float]]:
    """Places from an iris' middle [h,w,2] in radii of the round iris; one that looks aside is seen narrower.

    turned: [2] sines of its gaze. Returns also the direction in which it is narrower, and by what factor.
    """
    size = float(np.linalg.norm(turned))
    cosine = float(np.sqrt(max(1 - min(size, 0.8) ** 2, 0.2)))
    axis = turned / size if size > 1e-3 else np.array([1.0, 0.0])
    along = places @ axis
    return places / radius + (along * (1 / cosine - 1) / radius)[..., None] * axis, (axis, cosine)


def _whole_iris(source: np.ndarray, seen: np.ndarray, rho: np.ndarray, radius: float) -> np.ndarray:
    """The iris as it is seen [h,w,3], and its mean around its middle where lids hide it."""
    bins = np.clip((rho / _PROFILE_END * _PROFILE).astype(int), 0, _PROFILE - 1).ravel()
    weight = np.bincount(bins, seen.ravel(), _PROFILE)
    known = np.flatnonzero(weight > 0.5)
    if not len(known):
        return source
    at = rho / _PROFILE_END * _PROFILE - 0.5
    profile = []
    for channel in range(3):
        total = np.bincount(bins, (source[..., channel] * seen).ravel(), _PROFILE)
        mean = np.interp(np.arange(_PROFILE), known, (total / np.maximum(weight, 1e-6))[known])
        profile.append(np.interp(at, np.arange(_PROFILE), mean))
    around = cv2.GaussianBlur(np.stack(profile, -1).astype(np.float32), (0, 0), max(0.5, radius * 0.06))
    own = (cv2.GaussianBlur(seen.astype(np.float32), (0, 0), 0.7) * seen)[..., None]
    return (source * own + around * (1 - own)).astype(np.float32)


def _shade(
    lids: np.ndarray, row: np.ndarray, column: np.ndarray, width: float, rho: np.ndarray
) -> np.ndarray:
    """The upper lid's shade on white that is shown where the iris was, [h,w]."""
    upper = lids[9:16][np.argsort(lids[9:16, 0])]
    edge = np.interp(column[0], upper[:, 0], upper[:, 1])
    depth = (row - edge[None]) / width
    near = smoothstep(0.8, 1.2, 1.6 - rho)
    return 1 - LID_SHADE * np.exp(-depth.clip(0) / SHADE_DEPTH) * near
