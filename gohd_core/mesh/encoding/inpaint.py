"""The background that a person hides: inpainted."""

from __future__ import annotations

import cv2
import numpy as np

from gohd_core.mesh.picture.photometry import inpaint, smoothstep

_MIRRORED = (2.0, 1.5, 1.2)
"""Search distance for background beyond the outline, in distances to the nearest background."""
_FAR = (0.08, 0.22)
"""Distances from the background, in picture sides, over which texture gives way to the smooth filling."""
_GRAIN, _SHARP = 0.014, (0.004, 0.022)
"""Root mean square (0..1) of the strongest texture that is mirrored unchanged: stronger texture shows
objects, which would visibly repeat. And distances from the background, in picture sides, up to which they may
repeat, and from which on texture is limited to that strength."""
_PLAN_SIDE, _SMOOTH_SIDE = 512, 256
"""Largest sides at which the search and the smooth filling are computed."""


def inpaint_background(image: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """The background that a person hides: mirrored about the outline with its texture, and deep inside
    smooth.

    Args:
        image: [S,S,3] float32.
        hidden: [S,S] bool, where the picture does not show the background.

    Returns:
        [S,S,3] float32; the picture itself where it shows the background.
    """
    if hidden.all() or not hidden.any():
        return image.copy()
    side = image.shape[0]
    small = min(side, _PLAN_SIDE)
    known = (~hidden).astype(np.float32)
    # The way to the nearest background, and colours without texture, are smooth: found at a smaller size.
    seen = (resized(known, small) == 1).astype(np.float32)
    way, near, distance = _plan(resized(image, small), seen)
    far = smoothstep(_FAR[0] * small, _FAR[1] * small, distance)
    way = resized(way * (side / small), side)
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).astype(np.float32)
    mirrored, weight = np.zeros_like(image), np.zeros((side, side), np.float32)
    for reach in _MIRRORED:
        at = grid + reach * way
        found = cv2.remap(image, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        shown = cv2.remap(known, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        share = smoothstep(0.6, 1.0, shown) * (1 - weight)
        mirrored += found * share[..., None]
        weight += share
    mirrored /= np.maximum(weight, 1e-3)[..., None]
    share = cv2.GaussianBlur(resized(weight, small), (0, 0), small / 70) * (1 - far)
    smooth, strength = _texture(resized(mirrored, small), resized(weight, small))
    weaker = np.minimum(1, _GRAIN / np.maximum(strength, 1e-4))
    kept = weaker + (1 - weaker) * (1 - smoothstep(_SHARP[0] * small, _SHARP[1] * small, distance))
    base = resized(near + (smooth - near) * (kept * share)[..., None], side)
    share = np.minimum(resized(kept * share, side), weight)[..., None]
    filled = (base + (mirrored - resized(smooth, side)) * share).clip(0, 1)
    edge = cv2.GaussianBlur(cv2.erode(known, np.ones((3, 3))), (0, 0), max(0.7, side / 350))
    edge = np.minimum(edge, known)[..., None]
    return (image * edge + filled * (1 - edge)).astype(np.float32)


def _plan(image: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each pixel the way (x, y) to the nearest background, its colour without texture, and how many
    pixels deep inside the person it lies."""
    side = len(image)
    distance, labels = cv2.distanceTransformWithLabels(
        (known == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    row, column = np.nonzero(known)
    nearest = np.zeros((labels.max() + 1, 2), np.float32)
    nearest[labels[row, column]] = np.stack([column, row], -1)
    nearest = nearest[labels]
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).astype(np.float32)
    way = cv2.GaussianBlur(nearest - grid, (0, 0), max(1.0, side / 110))
    box = (2 * max(2, side // 100) + 1,) * 2
    colours = cv2.blur(image * known[..., None], box) / np.maximum(cv2.blur(known, box), 1e-3)[..., None]
    at = nearest.astype(int)
    colours = cv2.GaussianBlur(colours[at[..., 1], at[..., 0]], (0, 0), side / 60)
    far = smoothstep(_FAR[0] * side, _FAR[1] * side, distance).astype(np.float32)
    return way, colours + (grow(image, known) - colours) * far[..., None], distance


def _texture(image: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A picture [n,n,3] without its texture, and how strong that is [n,n], as far as weights [n,n] know."""
    sigma = len(image) / 60
    known = np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3)
    smooth = cv2.GaussianBlur(image * weight[..., None], (0, 0), sigma) / known[..., None]
    power = ((image - smooth) ** 2).mean(-1) * weight
    return smooth, np.sqrt(cv2.GaussianBlur(power, (0, 0), sigma) / known)


def grow(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """`photometry.inpaint` of arrays [S,S,C] and [S,S], smooth: at most at `_SMOOTH_SIDE`."""
    side = len(image)
    small = min(_SMOOTH_SIDE, side)
    weight = resized(known, small)
    colours = resized(image * known[..., None], small) / np.maximum(weight, 1e-4)[..., None]
    return resized(inpaint(colours, weight), side)


def resized(array: np.ndarray, side: int) -> np.ndarray:
    """An array [S,S] or [S,S,C] at another size."""
    way = cv2.INTER_AREA if side < len(array) else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(array, np.float32), (side, side), interpolation=way)
