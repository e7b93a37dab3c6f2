"""Draws an iris elsewhere in its eye, and lids that follow, in a frame's own pixels; nothing else changes."""

from __future__ import annotations

import cv2
import numpy as np

from gohd_core.images import Image
from gohd_core.mesh.eye_contact.eye_contact import Eye
from gohd_core.mesh.eye_contact.iris_plane import disc, seen_disc
from gohd_core.mesh.eye_contact.rims import rims
from gohd_core.mesh.eyes.eye_textures import highlights
from gohd_core.mesh.eyes.lid_following import moved_lids
from gohd_core.mesh.picture.photometry import inpaint, smoothstep

LEAST_SHIFT = 0.05
"""Pixels below which nothing is drawn."""
EDGE, IRIS_END, WHITE_FROM = 1.11, 1.17, (1.15, 1.33)
"""Radii in limbus radii: of the iris' soft edge, its end, and the range from which on there is sclera."""
NO_LIGHTER = (0.85, 1.0)
"""Range of radii from which on an iris is no lighter than the white around it."""
FAINT, FAINT_FROM = 0.02, (0.95, 1.15)
"""Weight of what is white only perhaps, and its range of radii."""
BESIDE = 0.22
"""Distance from an iris, in its radii, up to which the white is drawn anew where it was."""
CARRIED = 0.06
"""The same within which lashes and shade below an upper lid do not go along with it."""
ROOM = (0.5, 2.0)
"""Pixels that a lid opens by from and at which the eye beside its old edge is drawn anew."""
FINER = 4
"""Supersampling of the lids' outline."""
SHADE_DEPTH, SHADE = 0.30, (12, 24)
"""How far below an upper lid lashes and shade are looked at, over the eye's width, and the size of their map:
down, and along the eye."""
WHITEST = (35, 90)
"""Percentiles of whiteness between lids: up to the first it is their edges, from the second on white."""
_PROFILE, _PROFILE_END = 24, 1.26
_CORE = 0.8
"""Radius in iris radii within which the iris is compared with the white."""
SIDES = 0.7
"""Sine of the angle above and below the line through both sides up to which an iris' edge is its side."""
_FROM_ABOVE = np.array([[1, 1, 1], [1, 1, 1], [0, 0, 0]], np.uint8)
"""Structuring element that erodes a mask from above and the sides, not from below."""
HIGHLIGHT_SHARE = 0.55
"""Of an iris' way, that of lights in the cornea: 5.6 mm from the eyeball's middle to its centre of curvature,
over 10 mm to the pupil (Gullstrand's eye)."""
CORNER = (0.04, 0.16)
"""Distance from an eye's corners, over its width, from and at which their skin hides no iris."""


def draw_iris(frame: Image, eye: Eye, t: int, shift: np.ndarray) -> None:
    """Moves the iris of frame `t` by `shift` [2] in its plane, in place."""
    axes, scale, shift = eye.plane.axes[t], float(eye.plane.scale[t]), eye.shown * shift
    middle = eye.iris[t] + axes @ eye.limbus
    way = float(np.linalg.norm(axes @ shift))
    width, radius = eye.plane.width * scale, eye.radius * scale
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
    row, column = np.mgrid[0 : part.shape[0], 0 : part.shape[1]].astype(np.float32)
    places = np.stack([column, row], -1) + corner - middle
    facing = eye.plane.facing(t, eye.offset[t])
    on_iris = disc(places, facing) / radius
    rho = np.linalg.norm(on_iris, axis=-1)
    source = part.astype(np.float32)
    open_ = _inside(lids, rho.shape)
    inner = cv2.erode(open_, np.ones((3, 3)), iterations=max(1, round(scale * 0.008)))
    # Where an iris fills its eye the lids' edges tell of the white what can be told.
    white_known = np.maximum(
        inner * smoothstep(*WHITE_FROM, rho), FAINT * open_ * smoothstep(*FAINT_FROM, rho)
    )
    seen = inner * (rho < IRIS_END)
    if not white_known.any() or seen.sum() <= 4:
        return
    on_new = disc(places - axes @ shift, eye.plane.facing(t, eye.offset[t] + shift)) / radius
    new_rho = np.linalg.norm(on_new, axis=-1)
    soft = max(0.16, 1.4 / radius)

    def cover(distance: np.ndarray) -> np.ndarray:
        return ((EDGE + soft / 2 - distance) / soft).clip(0, 1).astype(np.float32)

    frames = rims(source, open_, lids, width, eye.bridge) if eye.bridge else np.zeros_like(inner)
    bare = inpaint(source, (frames < 0.02).astype(np.float32)) if frames.any() else source
    layers = np.dstack([bare, cover(rho - CARRIED)])
    follow = moved_lids(layers, lids, axes @ np.array([0.0, shift[1]]), width)
    carried, old = follow.skin[..., :3], follow.skin[..., 3]
    inside = _inside(follow.lids, part.shape[:2])
    # Lashes and shade below the upper lid go with it; where the iris was they are taken from beside it.
    shade = follow.share * (1 - smoothstep(0.4, 1.0, _below(follow.lids, rho.shape) / (SHADE_DEPTH * width)))
    white = _whole_white(source, white_known, lids, follow.lids, width)
    white += (shade * (1 - old).clip(0, 1))[..., None] * (carried - white)
    shine = 255 * highlights(source / 255, (inner > 0.5).astype(np.float32), rho, radius)
    iris = _whole_iris(source - shine, seen, on_iris, radius)
    pixels = seen_disc(on_new * radius, facing) + middle - corner
    moved, new = _cubic(iris, pixels), cover(new_rho) * _beside_corners(follow.lids, row, column)
    # Its edge is no lighter than the white that it comes to lie on.
    edge = (new > 0) & (new_rho > NO_LIGHTER[0])
    limit = np.minimum(moved[edge], white[edge])
    moved[edge] += smoothstep(*NO_LIGHTER, new_rho[edge])[:, None] * (limit - moved[edge])
    moved += _cubic(shine, places + middle - corner - HIGHLIGHT_SHARE * (axes @ shift))
    drawn = white * (1 - new[..., None]) + moved * new[..., None]
    # Where lids make room there is eye; what they go over is theirs.
    room = smoothstep(*ROOM, follow.opened) * (1 - inner)
    touched = np.maximum.reduce([cover(rho - BESIDE), new, room, shade])
    touched = cv2.GaussianBlur(cv2.dilate(touched, np.ones((3, 3))), (0, 0), max(0.6, scale * 0.004))
    # An iris that was cut off by the lower lid leaves nothing of it there, so that only lashes are spared.
    between = cv2.GaussianBlur(cv2.erode(inside, _FROM_ABOVE), (0, 0), max(0.6, scale * 0.003))
    touched *= (inside > 0) * smoothstep(0.0, 0.5, way)
    skin = source + follow.share[..., None] * (carried - source)
    ball = source + touched[..., None] * (drawn - source)
    result = skin + between[..., None] * (ball - skin)
    result += frames[..., None] * (source - result)
    changed = np.maximum(touched * between, follow.share * (1 - between)) >= 1 / 255
    part[changed] = result.clip(0, 255).round().astype(np.uint8)[changed]


def _cubic(picture: np.ndarray, places: np.ndarray) -> np.ndarray:
    """A picture at pixels [h,w,2] (column, row), by cubic interpolation."""
    column, row = np.moveaxis(places.astype(np.float32), 2, 0)
    return cv2.remap(picture, column, row, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _inside(lids: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Coverage of pixels by the opening between lids [16,2], 0..1."""
    outline = np.concatenate([lids[:9], lids[:8:-1]])
    fine = np.zeros((shape[0] * FINER, shape[1] * FINER), np.uint8)
    points = np.round(((outline + 0.5) * FINER - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(fine, [points], 255, cv2.LINE_AA, 4)
    return cv2.resize(fine, shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _whole_iris(source: np.ndarray, seen: np.ndarray, on_iris: np.ndarray, radius: float) -> np.ndarray:
    """The iris as it is seen [h,w,3], and its mean around its middle where lids hide it.

    on_iris: [h,w,2] places from its middle in radii, right and down. Its edge is measured at its sides, away
        from lids and lashes.
    """
    rho = np.linalg.norm(on_iris, axis=-1)
    beside = (np.abs(on_iris[..., 1]) < SIDES * rho) | (rho < _CORE)
    bins = np.clip((rho / _PROFILE_END * _PROFILE).astype(int), 0, _PROFILE - 1).ravel()
    weight = np.bincount(bins, (seen * beside).ravel(), _PROFILE)
    known = np.flatnonzero(weight > 0.5)
    if not len(known):
        return source
    at = rho / _PROFILE_END * _PROFILE - 0.5
    profile = []
    for channel in range(3):
        total = np.bincount(bins, (source[..., channel] * seen * beside).ravel(), _PROFILE)
        mean = np.interp(np.arange(_PROFILE), known, (total / np.maximum(weight, 1e-6))[known])
        profile.append(np.interp(at, np.arange(_PROFILE), mean))
    around = cv2.GaussianBlur(np.stack(profile, -1).astype(np.float32), (0, 0), max(0.5, radius * 0.06))
    own = cv2.GaussianBlur(seen.astype(np.float32), (0, 0), 0.7) * seen
    # Towards lids lashes and shade lie on its edge, which would go along with it.
    steep = np.abs(on_iris[..., 1]) / np.maximum(rho, 1e-6)
    own = (own * (1 - smoothstep(SIDES, 1.0, steep) * smoothstep(_CORE, 1.0, rho)))[..., None]
    return (source * own + around * (1 - own)).astype(np.float32)


def _whole_white(
    source: np.ndarray, known: np.ndarray, lids: np.ndarray, new_lids: np.ndarray, width: float
) -> np.ndarray:
    """The eyeball without its iris [h,w,3]: its colour where it is seen, below its lashes and their shade.

    Args:
        known: [h,w] how surely white is seen. lids, new_lids: [16,2] as they are, and as they are to be.
    """
    whiteness = source.min(-1)  # of lids' edges, which are pink, it is low
    least, most = np.percentile(whiteness[known > 0.5 * known.max()], WHITEST)
    surely = known * (0.02 + 0.98 * smoothstep(least, most + 1.0, whiteness))
    white = inpaint(source, surely.astype(np.float32))
    light = (source / np.maximum(white, 1.0)).clip(0, 1)
    at, new_at = (_below_lid(each, known.shape, width) for each in (lids, new_lids))
    inside = (at[1] >= 0) & (at[1] <= SHADE[0] - 1)
    row, column = (np.round(each[inside]).astype(int) for each in (at[1], at[0]))
    place = row * SHADE[1] + column.clip(0, SHADE[1] - 1)
    weight = np.bincount(place, known[inside], SHADE[0] * SHADE[1]).reshape(SHADE)
    total = [
        np.bincount(place, (known * each)[inside], SHADE[0] * SHADE[1]) for each in np.moveaxis(light, 2, 0)
    ]
    share = np.stack(total, -1).reshape(*SHADE, 3) / np.maximum(weight, 1e-6)[..., None]
    seen = weight > 0.2
    rows, grid = np.flatnonzero(seen.any(1)), np.arange(SHADE[1])
    if not len(rows):
        return white
    shade = np.stack(
        [
            np.stack([np.interp(grid, grid[seen[k]], share[k, seen[k], channel]) for channel in range(3)], -1)
            for k in rows
        ]
    )
    shade = shade[np.abs(np.arange(SHADE[0])[:, None] - rows).argmin(1)]
    # Shade fades with its depth: what is darker farther down is skin, where lids are read too wide.
    shade = np.maximum.accumulate(shade, axis=0)
    shade = cv2.GaussianBlur(shade, (0, 0), 0.7, borderType=cv2.BORDER_REPLICATE).astype(np.float32)
    return white * _at(shade, new_at)


def _below_lid(lids: np.ndarray, shape: tuple[int, int], width: float) -> tuple[np.ndarray, np.ndarray]:
    """Places of pixels in a map of `SHADE` (column, row): along an eye, and down from its lid, [h,w]."""
    column = np.arange(shape[1])
    left, right = sorted((lids[0, 0], lids[8, 0]))
    along = (column - left) / max(right - left, 1e-6) * (SHADE[1] - 1)
    depth = _below(lids, shape) / (SHADE_DEPTH * width) * (SHADE[0] - 1)
    return np.broadcast_to(along, shape).astype(np.float32), depth.astype(np.float32)


def _at(picture: np.ndarray, places: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """A picture at places (column, row) [h,w] each, linearly interpolated."""
    return cv2.remap(picture, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _beside_corners(lids: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """0 at the corners of an eye, 1 away from them, [h,w]."""
    across = lids[8] - lids[0]
    along = ((column - lids[0, 0]) * across[0] + (row - lids[0, 1]) * across[1]) / max(
        float(across @ across), 1e-6
    )
    return smoothstep(*CORNER, np.minimum(along, 1 - along))


def _below(lids: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Depth of pixels below the upper lid's edge, pixels, at least 0; [h,w]."""
    row, column = np.mgrid[0 : shape[0], 0 : shape[1]]
    upper = lids[9:16][np.argsort(lids[9:16, 0])]
    return (row - np.interp(column[0], upper[:, 0], upper[:, 1])[None]).clip(0)
