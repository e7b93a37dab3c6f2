"""Eyeballs, brows and lashes."""

from __future__ import annotations

import numpy as np

from gohd_core import parsing_labels as labels
from gohd_core.stylised.head.fields import grid_faces, smoothstep
from gohd_core.stylised.head.template import EYE_LEFT, EYE_RIGHT, EYEBALL_RADIUS, Template
from gohd_core.stylised.person.identity import Style
from gohd_core.stylised.person.parts import EYE, PLAIN, Binding, Part, bind, plain_colour

_TURN, _POLAR = 36, 20
_BROW_COLUMNS, _BROW_ROWS = 24, 5


def eyeball_parts(centres: np.ndarray) -> list[Part]:
    """The two eyeballs (subject's left first) at ``centres [2, 3]``, looking along +z."""
    polar = np.linspace(0.0, 2.1, _POLAR)
    turn = np.linspace(0.0, 2 * np.pi, _TURN, endpoint=False)
    polar, turn = np.meshgrid(polar, turn, indexing="ij")
    unit = np.stack([np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar)], -1).reshape(
        -1, 3
    )
    faces = grid_faces(_TURN, _POLAR, wrap=True)
    parts = []
    for which, (name, parsing) in enumerate((("eye_left", labels.LEFT_EYE), ("eye_right", labels.RIGHT_EYE))):
        parameters = np.concatenate([unit, np.full((len(unit), 1), 1.0 - 2.0 * which)], 1)
        parts.append(
            Part(
                name,
                EYE,
                unit * EYEBALL_RADIUS + centres[which],
                faces,
                parameters,
                parsing,
                normals=unit,
                dynamic=True,
            )
        )
    return parts


def brow_parts(skin: np.ndarray, style: Style) -> list[tuple[Part, Binding]]:
    """Brows as thick strips bound to the skin (subject's left first)."""
    u = np.linspace(0.0, 1.0, _BROW_COLUMNS) ** 1.25
    half = 0.044 * style.brow_thickness * (1 - 0.62 * u**1.6)
    half = half * (0.30 + 0.70 * smoothstep(u, -0.03, 0.22)) * np.sqrt(np.clip((1.02 - u) * 7.0, 0, 1))
    a = 0.155 + 0.53 * u
    b = 0.335 + style.brow_arch * np.sin(np.pi * np.clip(0.12 + 0.88 * u, 0, 1)) * 1.25
    b = b + style.brow_slope * (u - 0.5)
    v = np.linspace(-1.0, 1.0, _BROW_ROWS)
    parts = []
    for side, name, parsing in ((1, "brow_left", labels.LEFT_BROW), (-1, "brow_right", labels.RIGHT_BROW)):
        layout = np.stack(
            [np.broadcast_to(side * a, (_BROW_ROWS, _BROW_COLUMNS)), b + v[:, None] * half], -1
        ).reshape(-1, 2)
        binding = bind(layout)
        faces = grid_faces(_BROW_COLUMNS, _BROW_ROWS)
        faces = faces if side > 0 else faces[:, ::-1]
        shade = np.repeat(0.86 + 0.14 * v, _BROW_COLUMNS)[:, None]
        colour = plain_colour(style.brow, len(layout), 0.05)
        colour[:, :3] *= shade
        part = Part(name, PLAIN, binding.apply(skin), faces, colour, parsing, dynamic=True, occlusion=0.95)
        parts.append((part, binding))
    return parts


def brow_heights() -> np.ndarray:
    """Height of brow vertices over the skin, ``[N, 1]``: rounded across the strip."""
    v = np.linspace(-1.0, 1.0, _BROW_ROWS)
    u = np.linspace(0.0, 1.0, _BROW_COLUMNS) ** 1.25
    ends = smoothstep(u, -0.04, 0.16) * smoothstep(u, 1.02, 0.80)
    rounded = 0.004 + 0.011 * np.sqrt(1 - 0.9 * v * v)[:, None] * ends
    return rounded.reshape(-1, 1)


def lash_rings(head: Template) -> list[np.ndarray]:
    """Vertices of the two upper lid edges from the inner to the outer corner."""
    rings = []
    for kind, side in ((EYE_LEFT, 1), (EYE_RIGHT, -1)):
        ring = head.ring(kind, 0.0)
        upper = ring[np.sin(head.angle[ring]) > -1e-6]
        outward = side * np.cos(head.angle[upper])
        rings.append(upper[np.argsort(outward)])
    return rings


def lash_parts(rings: list[np.ndarray], skin: np.ndarray) -> list[Part]:
    """Upper lashes as strips between the lid edge and a free edge."""
    parts = []
    for name, ring in zip(("lash_left", "lash_right"), rings, strict=True):
        count = len(ring)
        points = np.tile(skin[ring], (2, 1))
        colour = plain_colour((0.09, 0.065, 0.06), 2 * count, 0.0)
        parts.append(Part(name, PLAIN, points, grid_faces(count, 2), colour, labels.SKIN, dynamic=True))
    return parts


def lash_positions(edge: np.ndarray, side: int, length: float, closed: float) -> np.ndarray:
    """Strip ``[2 n, 3]`` from the lid edge ``[n, 3]``; ``closed`` is the blink coefficient."""
    u = np.linspace(0.0, 1.0, len(edge))
    reach = 0.062 * length * u**1.7 * np.clip((1.06 - u) * 12, 0, 1)
    rise = 0.75 - 1.25 * min(max(closed, 0.0), 1.0)
    away = np.stack([side * 0.80 * u, np.full_like(u, rise), np.full_like(u, 0.55)], -1)
    base = edge + np.array([0.0, 0.0, 0.006])
    return np.concatenate([base, base + away * reach[:, None]])
