"""Hair: one continuous shell of strands from the crown over the scalp, hanging where it is long."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gohd_core import parsing_labels as labels
from gohd_core.stylised.head.fields import grid_faces, smoothstep, vertex_normals
from gohd_core.stylised.person.hair_styles import COLUMNS, HairShape, column_azimuth, hair_shape
from gohd_core.stylised.person.identity import Style
from gohd_core.stylised.person.parts import HAIR, Part, bind, direction, layout_of, sphere

SCALP_ROWS, HANG_ROWS = 28, 12


def _shell(
    skin: np.ndarray, normals: np.ndarray, shape: HairShape, style: Style
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions ``[rows, COLUMNS, 3]``, how open to light, and the offset above the skin."""
    azimuth = column_azimuth()
    t = np.linspace(0.0, 1.0, SCALP_ROWS) ** 0.85
    start = direction(np.array(shape.crown[0]), np.array(shape.crown[1]))
    edge = direction(azimuth, shape.edge)
    angle = np.arccos(np.clip(edge @ start, -1, 1))[None, :, None]
    along = t[:, None, None]
    ways = (np.sin((1 - along) * angle) * start + np.sin(along * angle) * edge) / np.sin(angle)
    binding = bind(layout_of(ways.reshape(-1, 3)))
    base = binding.apply(skin).reshape(*ways.shape)
    outward = binding.apply(normals).reshape(*ways.shape)
    # Far from the scalp the shell follows the smooth skull rather than every wrinkle of the skin.
    outward = 0.4 * outward + 0.6 * ways
    outward /= np.linalg.norm(outward, axis=-1, keepdims=True)
    hangs = smoothstep(shape.hang, 0.0, 0.12)[None]
    rolled = np.clip((t[:, None] - shape.roll) / (1 - shape.roll), 0, 1)
    rounding = np.sqrt(np.maximum(1 - rolled**2, 0.0))
    rounding = rounding * (1 - hangs) + hangs
    turn = azimuth * shape.locks / np.pi
    groove = np.abs(np.cos(np.pi * (turn[None] + 0.35 * np.sin(5 * t[:, None]))))
    ridge = shape.ridges * (1 - (1 - groove) ** 2) * smoothstep(t, 0.1, 0.5)[:, None]
    even = smoothstep(t, 0.0, 0.45)[:, None]
    thickness = shape.thickness.mean() * (1 - even) + shape.thickness[None] * even
    offset = thickness * (0.85 + 0.3 * np.sin(np.pi * np.minimum(t * 0.9, 1)))[:, None]
    offset = offset + ridge
    if shape.curl:
        d = ways * shape.curl_size
        phase = 6 * style.hair_numbers[7]
        curls = np.sin(d[..., 0] + phase) * np.sin(d[..., 1] * 1.1) * np.sin(d[..., 2] + 1.0)
        curls += 0.5 * np.sin(1.9 * d[..., 0] + 1.0) * np.sin(2.1 * d[..., 1] + phase)
        offset = offset + shape.curl * curls
    if shape.spikes:
        spike = np.maximum(np.cos(2 * np.pi * turn), 0.0)[None]
        row = np.maximum(np.sin(np.pi * 3.5 * t[:, None] + np.pi * np.round(turn)[None]), 0.0)
        offset = offset + shape.spikes * spike * row**1.5
    offset = offset * rounding - 0.012 * (rolled**3) * (1 - hangs)
    points = base + outward * offset[..., None]
    lift = np.broadcast_to(np.asarray(shape.lift), azimuth.shape)[None]
    rise = lift * np.sin(np.pi * np.clip((t[:, None] - 0.35) / 0.65, 0, 1)) ** 0.8
    points = points + rise[..., None] * np.array([0.0, 0.9, 0.55])
    return points, smoothstep(offset / max(float(shape.thickness.max()), 0.03), -0.1, 0.6), groove


def _hang(points: np.ndarray, shape: HairShape, style: Style) -> np.ndarray:
    azimuth = column_azimuth()
    s = np.linspace(0.0, 1.0, HANG_ROWS + 1)[1:, None]
    root = points[-1]
    phase = 6.28 * style.hair_numbers[5]
    drop = shape.hang[None] * s
    behind = smoothstep(np.abs(azimuth), 1.4, 2.2)[None]
    widen = 1.0 + shape.flare * s - shape.tuck * smoothstep(s, 0.55, 1.0) - 0.10 * behind * s
    wave = shape.wave * np.sin(9.0 * drop + 2.5 * np.sin(2 * azimuth)[None] + phase)
    widen = widen + wave * smoothstep(s, 0.0, 0.3)
    turn = azimuth * shape.locks / np.pi
    lock = 0.012 * np.abs(np.cos(np.pi * (turn[None] + 0.5 * s)))
    ragged = 1.0 - 0.02 * np.abs(np.cos(np.pi * turn + 1.0))[None] * s
    hanging = np.empty((HANG_ROWS, COLUMNS, 3))
    moving = smoothstep(shape.hang, 0.0, 0.12)[None]
    widen = 1.0 + moving * (widen - 1.0 + lock * s)
    hanging[..., 0] = root[None, :, 0] * widen
    hanging[..., 2] = root[None, :, 2] * widen
    hanging[..., 1] = root[None, :, 1] - drop * ragged
    return hanging


def _strand_part(
    name: str, grid: np.ndarray, occlusion: np.ndarray, strand: np.ndarray, *, wrap: bool, rough: float = 0.0
) -> Part:
    rows, columns = grid.shape[:2]
    along = np.gradient(grid, axis=0)
    along /= np.linalg.norm(along, axis=-1, keepdims=True) + 1e-9
    faces = grid_faces(columns, rows, wrap=wrap)[:, ::-1]
    points = grid.reshape(-1, 3)
    down = np.broadcast_to(np.linspace(0, 1, rows)[:, None], (rows, columns))
    parameters = np.stack([strand, down, np.full((rows, columns), rough), np.zeros((rows, columns))], -1)
    return Part(
        name,
        HAIR,
        points,
        faces,
        parameters.reshape(-1, 4),
        labels.HAIR,
        extra=along.reshape(-1, 3),
        occlusion=occlusion.ravel(),
        normals=vertex_normals(points, faces),
    )


def _ball(name: str, centre: np.ndarray, radii: np.ndarray, axis: np.ndarray) -> Part:
    """A ball of hair (bun) whose strands run from its base along ``axis``."""
    columns, rows = 40, 22
    points, _ = sphere(columns, rows)
    helper = np.array([0.0, 0.0, 1.0]) if abs(axis[2]) < 0.8 else np.array([1.0, 0.0, 0.0])
    first = np.cross(helper, axis)
    first /= np.linalg.norm(first)
    frame = np.stack([first, np.cross(axis, first), axis])
    turn = np.arctan2(points[:, 1], points[:, 0])
    polar = np.arccos(np.clip(points[:, 2], -1, 1))
    swirl = 1 + 0.045 * np.abs(np.cos(3 * turn + 4 * polar))
    grid = (points * swirl[:, None] * radii) @ frame + centre
    shade = 0.62 + 0.38 * smoothstep(points[:, 2], -0.8, 0.0)
    strand = (turn + 1.3 * polar).reshape(rows, columns)
    return _strand_part(name, grid.reshape(rows, columns, 3), shade.reshape(rows, columns), strand, wrap=True)


def _tail(skin_top: float, style: Style) -> Part:
    """A high ponytail that swings behind one side of the head."""
    n = style.hair_numbers
    side = 1.0 if n[5] < 0.5 else -1.0
    start = np.array([side * 0.10, skin_top - 0.02, -0.42])
    knots = np.array(
        [
            start,
            start + np.array([side * 0.16, 0.20, -0.10]),
            start + np.array([side * 0.48, 0.14, -0.10]),
            start + np.array([side * 0.80, -0.24, -0.02]),
            start + np.array([side * 0.84, -0.78, 0.06]),
            start + np.array([side * 0.70, -1.22, 0.10]),
        ]
    )
    from scipy.interpolate import PchipInterpolator

    s = np.linspace(0, 1, 30)
    spine = PchipInterpolator(np.linspace(0, 1, len(knots)), knots)(s)
    radius = (0.10 + 0.11 * smoothstep(s, 0.02, 0.35)) * np.sqrt(1.0001 - s**3.0)
    tangent = np.gradient(spine, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    first = np.cross(np.array([0.0, 0.0, 1.0]), tangent)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(tangent, first)
    columns = 32
    turn = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    locks = 1 + 0.08 * np.abs(np.cos(2.5 * turn[None] + 3 * s[:, None]))
    around = np.cos(turn)[None, :, None] * first[:, None] + np.sin(turn)[None, :, None] * second[:, None]
    grid = spine[:, None] + around * (radius[:, None] * locks)[..., None]
    shade = np.broadcast_to((0.6 + 0.4 * smoothstep(s, 0.0, 0.25))[:, None], grid.shape[:2])
    strand = np.broadcast_to(turn[None] + 1.2 * s[:, None], grid.shape[:2])
    return _strand_part("ponytail", grid[:, ::-1], shade, strand[:, ::-1], wrap=True)


def hair_parts(skin: np.ndarray, normals: np.ndarray, style: Style) -> list[Part]:
    """Hair over the neutral skin ``[V, 3]`` with its unit normals."""
    shape = hair_shape(style)
    if shape is None:
        return []
    points, openness, groove = _shell(skin, normals, shape, style)
    occlusion = (0.50 + 0.50 * openness) * (0.80 + 0.20 * groove)
    if shape.hang.max() > 0:
        points = np.concatenate([points, _hang(points, shape, style)])
        deep = np.linspace(1.0, 0.82, HANG_ROWS)[:, None] * occlusion[-1:]
        occlusion = np.concatenate([occlusion, deep])
    strand = np.broadcast_to(column_azimuth()[None], points.shape[:2])
    rough = 1.0 if shape.curl else (0.6 if style.hair_style == "buzz" else 0.0)
    parts = [_strand_part("hair", points, occlusion, strand, wrap=True, rough=rough)]
    top = float(skin[:, 1].max())
    n = style.hair_numbers
    if style.hair_style == "bun":
        radius = 0.15 + 0.05 * n[5]
        centre = np.array([0.0, top + 0.05 + radius * 0.30, -0.20])
        axis = np.array([0.0, 1.0, -0.25])
        parts.append(_ball("bun", centre, radius * np.array([1, 1, 0.85]), axis / np.linalg.norm(axis)))
    elif style.hair_style == "twin_buns":
        for side in (1, -1):
            axis = np.array([side * 0.75, 0.75, -0.1])
            axis /= np.linalg.norm(axis)
            centre = axis * np.array([0.76, 0.98, 0.8]) * (top / 0.83)
            parts.append(_ball("bun", centre, (0.17 + 0.05 * n[5]) * np.ones(3), axis))
    elif style.hair_style == "ponytail":
        parts.append(_tail(top, style))
    return parts


def hair_line_distance(style: Style) -> Callable[[np.ndarray], np.ndarray] | None:
    """A function of layout ``[N, 2]`` giving the distance (radians) below the hair line."""
    shape = hair_shape(style)
    if shape is None:
        return None
    azimuth = column_azimuth()

    def distance(layout: np.ndarray) -> np.ndarray:
        radius = np.hypot(*layout.T)
        sine = np.sin(radius) / np.maximum(radius, 1e-9)
        d = np.stack([*(layout * sine[:, None]).T, np.cos(radius)], -1)
        where = np.arctan2(d[:, 0], d[:, 2])
        edge = np.interp(where, azimuth, shape.edge, period=2 * np.pi)
        return edge - np.arcsin(np.clip(d[:, 1], -1, 1))

    return distance
