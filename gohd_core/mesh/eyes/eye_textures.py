"""What a picture shows of an eyeball, apart: white, iris, light and shade, reflections."""

from __future__ import annotations

import cv2
import numpy as np

from gohd_core.mesh.picture.photometry import LUMA, blur, fill_polygon, inpaint, smoothstep

LIMBUS = (1.05, 1.27)
"""Radii between which the iris blends into the sclera (limbus), in iris radii."""
LIFT = 10 / 255
"""Added to colours before they are compared, so that black divides by something."""


def eye_textures(
    part: np.ndarray, edge: np.ndarray, rho: np.ndarray, radius: float
) -> tuple[np.ndarray, np.ndarray]:
    """Textures [h,w,9] (white, gain, iris) and highlights [h,w,3] of an eye in a window of the picture.

    Args:
        part: [h,w,3] in 0..1.
        edge: [48,2] its lids' edge in the window's pixels.
        rho: [h,w] distance from the iris's middle, in its radii.
        radius: the iris's, in pixels.
    """
    mask = fill_polygon(edge, part.shape[:2])
    inner = cv2.erode(mask, np.ones((3, 3)), iterations=max(1, round(0.06 * radius)))
    # Under the upper lid colours are those of its shadow and lashes: they are not the eyeball's.
    depth = (np.cumsum(mask, 0) - 0.5 * mask) / radius
    fade = smoothstep(LIMBUS[1], LIMBUS[0], rho)[..., None]
    shine = highlights(part, inner, rho, radius)
    plain = part - shine
    white = _white(plain, mask, inner * smoothstep(0.05, 0.25, depth), rho, radius)
    iris = _iris(plain, inner * smoothstep(0.15, 0.45, depth), rho, radius)
    drawn = white * (1 - fade) + iris * fade
    # What lids and lashes do to the eyeball stays; the iris's own ring, well inside, goes with the iris.
    gain = np.clip((plain + LIFT) / (drawn + LIFT), 0.12, 1.5)
    free = cv2.erode(mask, np.ones((3, 3)), iterations=max(2, round(0.12 * radius)))
    free = blur(free, max(0.7, 0.06 * radius))[..., None]
    wide = cv2.dilate(mask, np.ones((3, 3)), iterations=max(1, round(0.06 * radius)))
    # What is not told apart from the iris's own ring is grown from both its sides, up to the lids.
    known = wide * np.clip(1.02 - 1.1 * np.exp(-(((rho - 1.22) / 0.34) ** 4)), 0, 1)
    grey = (gain @ LUMA)[..., None]
    gain = blur(gain + (grey - gain) * np.maximum(fade, free), max(0.6, 0.05 * radius))
    gain = np.clip(inpaint(gain, known), 0.12, 1.4)
    # Where the iris was the white is in the lid's shadow too.
    white = white * (1 - 0.34 * np.exp(-np.maximum(depth, 0) / 0.30) * fade[..., 0] * mask)[..., None]
    return np.concatenate([white, gain, iris], -1), shine


def highlights(part: np.ndarray, inner: np.ndarray, rho: np.ndarray, radius: float) -> np.ndarray:
    """Specular reflections on an iris: what they add to it, [h,w,3]."""
    size = 2 * max(1, round(0.34 * radius)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    luma = np.ascontiguousarray(part @ LUMA)
    spot = luma - cv2.morphologyEx(luma, cv2.MORPH_OPEN, kernel)
    where = smoothstep(0.12, 0.30, spot) * smoothstep(1.0, 0.75, rho) * (inner > 0.5)
    if where.max() < 0.5:
        return np.zeros_like(part)
    where = cv2.dilate(where, np.ones((3, 3)))
    plain = inpaint(part, 1 - where)
    return (part - np.minimum(plain, part)) * blur(where, max(0.5, 0.04 * radius))[..., None]


def _white(
    part: np.ndarray, mask: np.ndarray, inner: np.ndarray, rho: np.ndarray, radius: float
) -> np.ndarray:
    """The white of the eye as it is where it is seen, grown over the iris.

    Only the part that is bright in every channel is believed to be white: skin, corners and lashes are not.
    """
    seen = inner * smoothstep(1.14, 1.30, rho)
    far = cv2.erode(mask, np.ones((3, 3)), iterations=max(1, round(0.12 * radius)))
    known = next((k for k in (far * seen, seen) if k.sum() > 12), seen)
    pale = blur(part, max(0.6, 0.05 * radius)).min(-1)
    believed = pale[known > 0.5]
    if believed.size > 6:
        low, high = np.percentile(believed, [55, 88])
        known = known * (0.01 + 0.99 * smoothstep(low - 0.004, high, pale))
    return blur(inpaint(part, known), max(0.6, 0.15 * radius))


def _iris(part: np.ndarray, inner: np.ndarray, rho: np.ndarray, radius: float) -> np.ndarray:
    """The iris: what is seen of it, the rest by the mean of its rings."""
    seen = inner * smoothstep(1.42, 1.36, rho)
    rings, count = 24, 1.45
    ring = np.clip((rho / count * rings).astype(int), 0, rings - 1)
    weight = np.bincount(ring.ravel(), seen.ravel(), rings)
    known = np.flatnonzero(weight > 1)
    if not known.size:
        return part
    profile = [np.bincount(ring.ravel(), (part[..., c] * seen).ravel(), rings) for c in range(3)]
    at = rho / count * rings - 0.5
    values = [np.interp(np.arange(rings), known, p[known] / weight[known]) for p in profile]
    round_ = np.stack([np.interp(at, np.arange(rings), v) for v in values], -1)
    round_ = blur(round_.astype(np.float32), max(0.6, 0.06 * radius))
    return part * seen[..., None] + round_ * (1 - seen[..., None])
