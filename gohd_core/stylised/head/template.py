"""Topology and mean surface of the stylised head.

The head is laid out on a plane of azimuthal angles ``(a, b)`` in radians around the direction the
face looks to: ``a`` to the image's right, ``b`` up, the back of the head at radius pi. Rings of
vertices follow the lids and the lips; a plain triangulation fills the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from gohd_core.stylised.head.fields import bump, pair, smoothstep

TRIANGLES = "triangles.npz"
"""File with the template's triangles, made by `scripts/make_triangles.py`."""
GRID, EYE_LEFT, EYE_RIGHT, MOUTH = 0, 1, 2, 3
"""Kinds of vertices. Left is the subject's left: +x, the image's right."""

EYE_A, EYE_B, EYE_HALF_WIDTH, EYE_HALF_HEIGHT = 0.435, 0.015, 0.285, 0.192
MOUTH_B, MOUTH_HALF_WIDTH, MOUTH_HALF_HEIGHT = -0.575, 0.275, 0.05
EYEBALL_RADIUS = 0.272
LID_GAP = 0.014
EYE_RINGS = (-0.02, 0.0, 0.012, 0.028, 0.05, 0.08, 0.115)
EYE_POINTS = 48
MOUTH_RINGS = (-0.02, 0.0, 0.012, 0.026, 0.042, 0.058, 0.078, 0.105, 0.14)
MOUTH_POINTS = 52


@dataclass(frozen=True)
class Template:
    """Layout, topology and mean surface of the skin (``V`` vertices, ``F`` triangles)."""

    layout: np.ndarray
    """``[V, 2]`` angles (a, b)."""
    kind: np.ndarray
    """``[V]``: GRID, EYE_LEFT, EYE_RIGHT or MOUTH."""
    offset: np.ndarray
    """``[V]``: distance outwards from the lid or lip edge in layout radians (9 on the grid)."""
    angle: np.ndarray
    """``[V]``: position around the ring, 0 at the image's right corner, counter-clockwise."""
    faces: np.ndarray
    mean: np.ndarray
    eye_centres: np.ndarray
    """``[2, 3]``: centres of the left and right eyeball in the mean head."""

    def ring(self, kind: int, offset: float) -> np.ndarray:
        """Vertex indices of one ring in the order of its angle."""
        return np.flatnonzero((self.kind == kind) & (self.offset == offset))


def base_surface(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Head without lids and lips: layout angles ``[N]`` -> positions ``[N, 3]``."""
    radius = np.sqrt(a * a + b * b) + 1e-9
    sine = np.sin(radius) / radius
    dx, dy, dz = a * sine, b * sine, np.cos(radius)
    # A rounder skull than an ellipsoid's.
    up = np.clip(dy, 0.0, 0.999)
    round_ = (1.0 - up**2.45) ** (1 / 2.45) / np.sqrt(1.0 - up**2)
    x, y, z = 0.672 * dx * round_, 0.820 * dy, 0.735 * dz * round_
    low = smoothstep(-dy, 0.05, 1.0)
    front = smoothstep(dz, -0.15, 0.5)
    x = x * (1.0 - 0.15 * low**1.4) * 1.0
    z = z + 0.09 * low * front
    x = x * (1.0 + 0.085 * np.exp(-0.5 * ((dy + 0.70) / 0.20) ** 2) * front)
    z = np.where(dz > 0, z * (1.0 - 0.05 * np.exp(-(((dy - 0.02) / 0.45) ** 2))), z * 1.06)
    # The nape and the underside of the jaw recede, so that the chin is the lowest point.
    z = z * (1.0 - 0.30 * smoothstep(-dy, 0.15, 0.9) * (1.0 - front))
    under = smoothstep(-dy, 0.55, 1.0) * (1.0 - smoothstep(dz, -0.05, 0.60))
    y = y + 0.17 * under
    y = y - 0.035 * bump(a, b, (0.0, -1.02), 0.34, 0.20)
    face = (dz > 0).astype(float)
    nose = (
        0.165 * bump(a, b, (0.0, -0.225), 0.082, 0.085)
        + 0.085 * bump(a, b, (0.0, -0.06), 0.062, 0.150)
        + 0.052 * pair(a, b, (0.098, -0.262), 0.050, 0.044)
        - 0.030 * pair(a, b, (0.060, -0.318), 0.034, 0.024)
    )
    z = z + face * nose
    z = z + face * (
        -0.030 * pair(a, b, (EYE_A, EYE_B), 0.22, 0.17)
        + 0.022 * pair(a, b, (0.38, 0.36), 0.26, 0.09)
        + 0.034 * pair(a, b, (0.50, -0.33), 0.19, 0.17)
        + 0.055 * bump(a, b, (0.0, -0.90), 0.17, 0.12)
        - 0.022 * bump(a, b, (0.0, -0.735), 0.20, 0.05)
        + 0.018 * bump(a, b, (0.0, 0.70), 0.45, 0.25)
    )
    x = x + face * 0.020 * np.sign(a) * pair(a, b, (0.62, -0.30), 0.22, 0.22)
    return np.stack([x, y, z], -1)


def eye_contour(angle: np.ndarray, offset: float, side: int) -> np.ndarray:
    """Almond lid contour ``[N, 2]`` in the layout, ``offset`` outside the lid edge."""
    cosine, sine = np.cos(angle), np.sin(angle)
    width, height = EYE_HALF_WIDTH + offset, EYE_HALF_HEIGHT + 0.9 * offset
    up = height * np.abs(sine) ** 0.92
    down = -0.80 * height * np.abs(sine) ** 1.0
    outward = cosine * side
    b = np.where(sine > 0, up, down) + 0.024 * outward
    return np.stack([side * EYE_A + width * cosine, EYE_B + b], -1)


def mouth_contour(angle: np.ndarray, offset: float) -> np.ndarray:
    """Lip contour ``[N, 2]`` in the layout; the mean surface closes it to a line."""
    cosine, sine = np.cos(angle), np.sin(angle)
    a = (MOUTH_HALF_WIDTH + 0.8 * max(offset, 0.0)) * cosine
    b = MOUTH_B + np.sign(sine) * (MOUTH_HALF_HEIGHT + offset) * np.abs(sine) ** 0.85
    return np.stack([a, b], -1)


def template_points() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Layout, kind, offset and angle of the vertices (`Template`), without the one that closes the back."""
    points, kinds, offsets, angles = [], [], [], []

    def add(ring: np.ndarray, kind: int, offset: float, angle: np.ndarray) -> None:
        points.append(ring)
        kinds.append(np.full(len(ring), kind))
        offsets.append(np.full(len(ring), offset))
        angles.append(angle)

    eye_angle = np.linspace(0.0, 2 * np.pi, EYE_POINTS, endpoint=False)
    mouth_angle = np.linspace(0.0, 2 * np.pi, MOUTH_POINTS, endpoint=False)
    for kind, side in ((EYE_LEFT, 1), (EYE_RIGHT, -1)):
        for offset in EYE_RINGS:
            add(eye_contour(eye_angle, offset, side), kind, offset, eye_angle)
    for offset in MOUTH_RINGS:
        add(mouth_contour(mouth_angle, offset), MOUTH, offset, mouth_angle)

    def clear_of_rings(p: np.ndarray) -> np.ndarray:
        a, b = np.abs(p[:, 0]), p[:, 1]
        wide, high = EYE_HALF_WIDTH + 0.138, EYE_HALF_HEIGHT + 0.132
        clear = ((a - EYE_A) / wide) ** 2 + ((b - EYE_B) / high) ** 2 > 1
        wide, high = MOUTH_HALF_WIDTH + 0.14, MOUTH_HALF_HEIGHT + 0.168
        return clear & ((a / wide) ** 2 + ((b - MOUTH_B) / high) ** 2 > 1)

    def in_nose(p: np.ndarray) -> np.ndarray:
        return (p[:, 0] / 0.17) ** 2 + ((p[:, 1] + 0.17) / 0.25) ** 2 < 1

    def hexagons(step: float, reach: float) -> np.ndarray:
        rows = []
        count = int(reach / step) + 1
        for j, b in enumerate(np.arange(-reach, reach, step * 0.866)):
            a = (np.arange(-count, count + 1) + 0.5 * (j % 2)) * step
            rows.append(np.stack([a, np.full_like(a, b)], -1))
        return np.concatenate(rows)

    coarse = hexagons(0.055, 1.5)
    coarse = coarse[(np.hypot(*coarse.T) < 1.36) & ~in_nose(coarse)]
    fine = hexagons(0.026, 0.6)
    fine = fine[in_nose(fine)]
    grid = np.concatenate([coarse, fine])
    grid = grid[clear_of_rings(grid)]
    rings = []
    for radius in np.arange(1.41, 3.1, 0.105):
        count = int(2 * np.pi * min(radius, 1.6) / 0.11)
        turn = np.arange(count) * 2 * np.pi / count
        rings.append(np.stack([radius * np.cos(turn), radius * np.sin(turn)], -1))
    grid = np.concatenate([grid, *rings])
    add(grid, GRID, 9.0, np.zeros(len(grid)))
    return tuple(np.concatenate(x) for x in (points, kinds, offsets, angles))


def triangulate(layout: np.ndarray, kind: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Triangles [F,3] between vertices, none across eyes and mouth; triangles.npz holds the template's."""
    from scipy.spatial import Delaunay

    faces = Delaunay(layout).simplices
    hole = np.where(kind == GRID, False, offset == -0.02)
    corner_kind = kind[faces]
    inside = hole[faces].all(1) & (corner_kind == corner_kind[:, :1]).all(1)
    faces = faces[~inside]
    p = layout[faces]
    area = (p[:, 1, 0] - p[:, 0, 0]) * (p[:, 2, 1] - p[:, 0, 1]) - (p[:, 1, 1] - p[:, 0, 1]) * (
        p[:, 2, 0] - p[:, 0, 0]
    )
    faces[area < 0] = faces[area < 0][:, ::-1]
    return faces[np.abs(area) > 1e-9].astype(np.int32)


def lip_line() -> float:
    """Height y of the closed mouth in the mean head."""
    return float(base_surface(np.zeros(1), np.array([MOUTH_B]))[0, 1])


def lip_width(angle: np.ndarray) -> np.ndarray:
    """Width of the red of the lips in layout radians, tapering at the corners."""
    sine = np.sin(angle)
    bow = 0.008 * np.cos(4.0 * (angle - np.pi / 2)) * (sine > 0)
    full = np.where(sine > 0, 0.052 - bow, 0.064)
    return 0.006 + full * np.abs(sine) ** 0.75


def _close_mouth(points: np.ndarray, template_args: tuple[np.ndarray, ...]) -> np.ndarray:
    kind, offset, angle = template_args
    lips = kind == MOUTH
    sine, cosine = np.sin(angle), np.cos(angle)
    side = np.sign(np.where(np.abs(sine) < 1e-9, 0.0, sine))
    outward = np.maximum(offset, 0.0)
    full = np.where(sine > 0, 0.036, 0.046) * np.abs(sine) ** 0.6
    middle = np.where(sine > 0, 0.026, 0.034)
    volume = full * np.exp(-(((outward - middle) / 0.028) ** 2))
    points[:, 2] += np.where(lips, volume, 0.0)
    close = np.exp(-((outward / 0.062) ** 2))
    # A gentle bow: the middle hangs a little, the corners turn up a little.
    line = lip_line() + 0.034 * np.abs(cosine) ** 2.6
    line = line - 0.010 * np.exp(-((cosine / 0.25) ** 2))
    closed = line + side * (-0.0008 + 0.72 * outward * np.abs(sine) ** 0.75)
    points[:, 1] = np.where(lips, points[:, 1] * (1 - close) + close * closed, points[:, 1])
    # The rim rolls inwards so that open lips have thickness.
    rim = lips & (offset < 0)
    points[:, 2] -= np.where(lips, 0.020 * np.exp(-((outward / 0.008) ** 2)), 0.0)
    points[:, 2] -= np.where(rim, 0.060, 0.0)
    points[:, 1] += np.where(rim, side * 0.012, 0.0)
    return points


def _round_lids(points: np.ndarray, template_args: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
    kind, offset, _ = template_args
    centres = []
    for eye, _side in ((EYE_LEFT, 1), (EYE_RIGHT, -1)):
        edge = points[(kind == eye) & (offset == 0.0)]
        centre_xy = edge[:, :2].mean(0)
        reach = EYEBALL_RADIUS + LID_GAP
        sagitta = np.sqrt(np.maximum(reach**2 - ((edge[:, :2] - centre_xy) ** 2).sum(1), 0.01))
        depth = float((edge[:, 2] - sagitta).mean()) + 0.018
        centre = np.array([*centre_xy, depth])
        centres.append(centre)
        ring = kind == eye
        p = points[ring]
        distance = ((p[:, :2] - centre_xy) ** 2).sum(1)
        sphere = depth + np.sqrt(np.maximum(reach**2 - distance, 0.004))
        outward = np.maximum(offset[ring], 0.0)
        weight = np.exp(-((outward / 0.070) ** 2))
        p[:, 2] = p[:, 2] * (1 - weight) + weight * sphere
        cover = smoothstep(outward, 0.14, 0.06)
        short = sphere - p[:, 2]
        p[:, 2] += cover * 0.5 * (short + np.sqrt(short**2 + 0.008**2))
        p[:, 2] += 0.009 * np.exp(-(((outward - 0.022) / 0.020) ** 2))
        inner = offset[ring] < 0
        p[inner] = centre + (p[inner] - centre) * 0.86
        points[ring] = p
    return points, np.array(centres)


@lru_cache(maxsize=1)
def template() -> Template:
    """The one template of the stylised space (about 6,000 vertices)."""
    layout, kind, offset, angle = template_points()
    # SciPy takes longer to be imported than all else here together.
    faces = np.load(Path(__file__).with_name(TRIANGLES), allow_pickle=False)["faces"].astype(np.int32)
    points = base_surface(layout[:, 0], layout[:, 1])
    # The inner rims start from the edge itself.
    for which in (EYE_LEFT, EYE_RIGHT, MOUTH):
        rim = np.flatnonzero((kind == which) & (offset == -0.02))
        points[rim] = points[np.flatnonzero((kind == which) & (offset == 0.0))]
    points = _close_mouth(points, (kind, offset, angle))
    points, centres = _round_lids(points, (kind, offset, angle))
    # Close the back of the head with one more vertex.
    last = np.flatnonzero(np.hypot(*layout.T) > 3.05)
    pole = len(layout)
    ring = last[np.argsort(np.arctan2(layout[last, 1], layout[last, 0]))]
    fan = np.stack([ring, np.full(len(ring), pole), np.roll(ring, -1)], -1)
    layout = np.concatenate([layout, [[0.0, 3.14]]])
    points = np.concatenate([points, points[last].mean(0, keepdims=True)])
    kind, offset, angle = (np.append(kind, GRID), np.append(offset, 9.0), np.append(angle, 0.0))
    faces = np.concatenate([faces, fan.astype(np.int32)])
    arrays = (layout, kind, offset, angle, faces, points, centres)
    for array in arrays:
        array.setflags(write=False)
    return Template(*arrays)
