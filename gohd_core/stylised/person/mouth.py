"""Inside of the mouth: a cavity drawn from the lips every frame, teeth, gums and tongue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gohd_core import parsing_labels as labels
from gohd_core.stylised.head.expressions import INDEX, JAW_ANGLE, JAW_HINGE
from gohd_core.stylised.head.fields import grid_faces, smoothstep, vertex_normals
from gohd_core.stylised.head.template import MOUTH, Template
from gohd_core.stylised.person.parts import PLAIN, Part, plain_colour

_DEPTHS = np.array([0.0, 0.05, 0.16, 0.30, 0.34])
_SCALES = np.array([1.0, 1.10, 1.10, 0.80, 0.02])
_SHADES = np.array([0.52, 0.40, 0.22, 0.12, 0.10])
ARCH_COLUMNS, ARCH_ROWS = 49, 8
"""Vertices of a row of teeth, stored row by row from the top, the image's left first."""


@dataclass
class MouthInside:
    """Parts of the inner mouth and how they follow the jaw."""

    ring: np.ndarray
    """Skin vertices of the innermost lip ring."""
    cavity: Part
    rigid: Part
    moving: list[Part]
    """Parts that turn with the jaw."""
    rest: list[np.ndarray]

    @property
    def parts(self) -> list[Part]:
        """Every part."""
        return [self.rigid, *self.moving, self.cavity]

    def deform(self, skin: np.ndarray, expression: np.ndarray) -> dict[str, np.ndarray]:
        """Positions of the moving parts for the deformed ``skin`` and an expression ``[64]``."""
        ring = skin[self.ring]
        centre = ring.mean(0)
        scaled = centre + (ring - centre)[None] * _SCALES[:, None, None]
        scaled[:, :, 2] -= _DEPTHS[:, None]
        positions = {self.cavity.name: scaled.reshape(-1, 3)}
        angle = JAW_ANGLE * float(expression[INDEX["jaw_open"]])
        cosine, sine = np.cos(angle), np.sin(angle)
        for part, rest in zip(self.moving, self.rest, strict=True):
            moved = rest.copy()
            dy, dz = rest[:, 1] - JAW_HINGE[0], rest[:, 2] - JAW_HINGE[1]
            moved[:, 1] = JAW_HINGE[0] + dy * cosine - dz * sine
            moved[:, 2] = JAW_HINGE[1] + dy * sine * 0.7 + dz * cosine
            positions[part.name] = moved
        return positions


def _arch(name: str, centre: np.ndarray, half: float, top: float, bottom: float, *, upper: bool) -> Part:
    """A row of teeth with its gum on a parabolic arch."""
    u = np.linspace(-1.0, 1.0, ARCH_COLUMNS)
    v = np.linspace(0.0, 1.0, ARCH_ROWS)
    u, v = np.meshgrid(u, v)
    tooth = np.abs(np.sin(u * np.pi * 4.0))
    bulge = 0.010 * tooth**0.5
    y = top + (bottom - top) * v
    edge = smoothstep(v, 0.8, 1.0) if upper else 1 - smoothstep(v, 0.0, 0.2)
    y = y + (0.006 if upper else -0.006) * (1 - tooth) * edge
    z = centre[2] - 0.20 * half * 5 * u * u * 0.5 + bulge
    points = np.stack([centre[0] + half * np.sin(u * 1.25) / np.sin(1.25), y, z], -1)
    gum = (1 - smoothstep(v, 0.22, 0.34)) if upper else smoothstep(v, 0.62, 0.74)
    gap = 0.90 + 0.10 * np.clip(tooth / 0.22, 0, 1)
    side = 1.0 - 0.45 * smoothstep(np.abs(u), 0.35, 1.0)
    white = np.array([0.955, 0.945, 0.92])
    pink = np.array([0.80, 0.42, 0.42])
    colour = (white * (1 - gum[..., None]) + pink * gum[..., None]) * (gap * side)[..., None]
    if not upper:
        colour = colour * 0.86
    gloss = np.full((*u.shape, 1), 0.25)
    parameters = np.concatenate([colour, gloss], -1).reshape(-1, 4)
    faces = grid_faces(ARCH_COLUMNS, ARCH_ROWS)[:, ::-1]
    points = points.reshape(-1, 3)
    return Part(
        name,
        PLAIN,
        points,
        faces,
        parameters,
        labels.INNER_MOUTH,
        normals=vertex_normals(points, faces),
        occlusion=0.9,
        dynamic=not upper,
    )


def _tongue(centre: np.ndarray, half: float) -> Part:
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    polar = np.linspace(0, np.pi, 14)
    turn, polar = np.meshgrid(turn, polar)
    x = np.cos(turn) * np.sin(polar)
    y = np.sin(turn) * np.sin(polar)
    z = np.cos(polar)
    y = np.where(y > 0, y * (1 - 0.35 * np.exp(-((x / 0.2) ** 2))), y)
    points = np.stack([x * half * 0.70, y * 0.052, z * 0.17], -1).reshape(-1, 3) + centre
    faces = grid_faces(24, 14, wrap=True)
    parameters = plain_colour((0.80, 0.40, 0.41), len(points), 0.35)
    parameters[:, :3] *= (0.45 + 0.55 * smoothstep(z, -0.4, 0.8)).reshape(-1, 1)
    return Part(
        "tongue",
        PLAIN,
        points,
        faces,
        parameters,
        labels.INNER_MOUTH,
        normals=vertex_normals(points, faces),
        occlusion=0.85,
        dynamic=True,
    )


def mouth_inside(head: Template, skin: np.ndarray) -> MouthInside:
    """Build the inner mouth behind the lips of the neutral ``skin [V, 3]``."""
    edge = skin[head.ring(MOUTH, 0.0)]
    ring = head.ring(MOUTH, -0.02)
    centre = edge.mean(0)
    half = float(np.ptp(edge[:, 0])) / 2
    depth = float(edge[:, 2].max())
    arch = np.array([centre[0], centre[1], depth - 0.115])
    upper = _arch("teeth_upper", arch, half * 0.84, centre[1] + 0.085, centre[1] - 0.022, upper=True)
    arch = arch - np.array([0.0, 0.0, 0.022])
    lower = _arch("teeth_lower", arch, half * 0.76, centre[1] - 0.016, centre[1] - 0.105, upper=False)
    tongue = _tongue(np.array([centre[0], centre[1] - 0.085, depth - 0.30]), half)
    count = len(ring)
    colour = np.concatenate([plain_colour(np.array([1.0, 0.42, 0.40]) * s, count) for s in _SHADES])
    cavity = Part(
        "cavity",
        PLAIN,
        np.tile(skin[ring], (len(_DEPTHS), 1)),
        grid_faces(count, len(_DEPTHS), wrap=True),
        colour,
        labels.INNER_MOUTH,
        normals=np.tile([0.0, 0.0, 1.0], (count * len(_DEPTHS), 1)),
        occlusion=0.8,
        dynamic=True,
    )
    moving = [lower, tongue]
    rest = [part.positions.astype(np.float32) for part in moving]
    return MouthInside(ring, cavity, upper, moving, rest)
