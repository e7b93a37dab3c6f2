"""Exact correspondences between frames of one identity: barycentric weights and dense flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gohd_core import parsing_labels as labels
from gohd_core.errors import BadInput

if TYPE_CHECKING:
    from gohd_core.stylised.rendering.frames import RenderedFrame

DEPTH_TOLERANCE = 0.05
"""A source pixel shows the point if its depth is at most this much nearer, model units."""
_ENCLOSED = (labels.LEFT_EYE, labels.RIGHT_EYE, labels.INNER_MOUTH)
"""Parts behind lids and lips by less than that: the source pixel must show the very same part."""


def barycentric_weights(triangle: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Perspective-correct weights ``[H, W, 2]`` of each pixel centre in its triangle.

    ``triangle [H, W]`` holds index + 1 (0 = background), ``vertices [V, 3]`` pixel x, y and depth.
    """
    height, width = triangle.shape
    weights = np.zeros((height, width, 2), np.float32)
    row, column = np.nonzero(triangle)
    corners = vertices.astype(np.float64)[faces[triangle[row, column] - 1]]
    first, second, third = corners[:, 0], corners[:, 1], corners[:, 2]
    x, y = column - third[:, 0], row - third[:, 1]
    ax, ay = first[:, 0] - third[:, 0], first[:, 1] - third[:, 1]
    bx, by = second[:, 0] - third[:, 0], second[:, 1] - third[:, 1]
    area = ax * by - ay * bx
    area = np.where(np.abs(area) < 1e-12, 1e-12, area)
    u, v = (x * by - y * bx) / area, (ax * y - ay * x) / area
    over_depth = np.stack([u, v, 1 - u - v], -1) / corners[..., 2]
    over_depth /= over_depth.sum(1, keepdims=True)
    weights[row, column] = np.clip(over_depth[:, :2], 0.0, 1.0)
    return weights


def dense_flow(source: RenderedFrame, target: RenderedFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Backward flow from ``target`` to ``source``: where each target pixel comes from.

    Returns ``flow [H, W, 2]`` float32 in pixels (x, y), to be added to the target pixel's place,
    ``visible [H, W]`` bool (the source shows that very point) and ``material [H, W]`` uint8 (the
    face-parsing class of the target pixel). The background stays where it is. Both frames must be
    of one identity and size, rendered with ``correspondence=True``.
    """
    a, b = source.correspondence, target.correspondence
    if a is None or b is None:
        raise BadInput("dense_flow needs frames rendered with correspondence=True.")
    if a.triangle.shape != b.triangle.shape or a.faces.shape != b.faces.shape:
        raise BadInput("dense_flow needs two frames of the same identity and size.")
    height, width = b.triangle.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    background = b.triangle == 0
    corners = a.vertices[a.faces[np.maximum(b.triangle - 1, 0)]]
    first, second = b.barycentric[..., 0], b.barycentric[..., 1]
    weights = np.stack([first, second, 1 - first - second], -1)
    # Screen positions times depth are linear in object space.
    depth = (weights * corners[..., 2]).sum(-1)
    place = (weights[..., None] * corners[..., :2] * corners[..., 2:]).sum(-2) / depth[..., None]
    place = np.where(background[..., None], np.stack([x, y], -1), place)
    column = np.rint(place[..., 0]).astype(int)
    row = np.rint(place[..., 1]).astype(int)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    column, row = np.clip(column, 0, width - 1), np.clip(row, 0, height - 1)
    shown = a.triangle[row, column] > 0
    near = (depth <= a.depth[row, column] + DEPTH_TOLERANCE) & shown
    near &= ~np.isin(target.parsing, _ENCLOSED) | (source.parsing[row, column] == target.parsing)
    visible = inside & np.where(background, ~shown, near)
    flow = (place - np.stack([x, y], -1)).astype(np.float32)
    return flow, visible, target.parsing
