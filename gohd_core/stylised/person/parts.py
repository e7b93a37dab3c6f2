"""Pieces of an avatar's mesh, and how extra surfaces are bound to the skin."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from gohd_core.stylised.head.template import template

SKIN, EYE, HAIR, PLAIN = "skin", "eye", "hair", "plain"
"""Names of the shading programs."""


@dataclass
class Part:
    """One connected surface in the neutral head's frame (``N`` vertices)."""

    name: str
    program: str
    positions: np.ndarray
    faces: np.ndarray
    parameters: np.ndarray
    """``[N, 4]``: for PLAIN red, green, blue, gloss; see the shaders for the others."""
    parsing: int
    extra: np.ndarray | None = None
    """``[N, 3]``: tangent of HAIR; layout and region of SKIN."""
    occlusion: np.ndarray | float = 1.0
    """Baked ambient light, 1 = open."""
    attach: np.ndarray | float = 1.0
    """1 moves with the head, 0 with the body."""
    normals: np.ndarray | None = None
    dynamic: bool = False
    """True when the avatar rewrites its positions every frame."""
    start: int = field(default=0, compare=False)
    """First vertex in the assembled mesh."""

    @property
    def span(self) -> slice:
        """Its vertices in the assembled mesh."""
        return slice(self.start, self.start + len(self.positions))


def plain_colour(colour: np.ndarray | tuple, count: int, gloss: float = 0.0) -> np.ndarray:
    """Parameters ``[count, 4]`` of one PLAIN colour."""
    return np.tile(np.array([*colour, gloss], np.float32), (count, 1))


@dataclass(frozen=True)
class Binding:
    """Points fixed to the skin: ``position = sum(weights * skin[indices])``."""

    indices: np.ndarray
    weights: np.ndarray

    def apply(self, skin: np.ndarray) -> np.ndarray:
        """Values of ``skin [V, C]`` at the bound points, ``[N, C]``."""
        return np.einsum("nk,nkc->nc", self.weights, skin[self.indices])


@lru_cache(maxsize=1)
def _triangulation() -> object:
    from scipy.spatial import Delaunay

    return Delaunay(template().layout)


def bind(layout: np.ndarray) -> Binding:
    """Bind layout points ``[N, 2]`` to the skin by barycentric coordinates."""
    layout = np.asarray(layout, np.float64)
    radius = np.linalg.norm(layout, axis=1, keepdims=True)
    layout = layout * np.minimum(1.0, 3.02 / np.maximum(radius, 1e-9))
    triangles = _triangulation()
    found = triangles.find_simplex(layout, tol=1e-6)
    found = np.maximum(found, 0)
    transform = triangles.transform[found]
    two = np.einsum("nij,nj->ni", transform[:, :2], layout - transform[:, 2])
    weights = np.concatenate([two, 1.0 - two.sum(1, keepdims=True)], 1)
    return Binding(triangles.simplices[found], weights.astype(np.float32))


def layout_of(directions: np.ndarray) -> np.ndarray:
    """Unit directions ``[..., 3]`` from the head's centre -> layout angles ``[..., 2]``."""
    radius = np.arccos(np.clip(directions[..., 2], -1.0, 1.0))
    flat = np.linalg.norm(directions[..., :2], axis=-1)
    return directions[..., :2] * (radius / np.maximum(flat, 1e-9))[..., None]


def direction(azimuth: np.ndarray, elevation: np.ndarray) -> np.ndarray:
    """Unit vectors ``[..., 3]``: azimuth about the vertical (0 front, + image's right)."""
    cosine = np.cos(elevation)
    return np.stack([cosine * np.sin(azimuth), np.sin(elevation), cosine * np.cos(azimuth)], axis=-1)


def sphere(columns: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit sphere about +z: positions ``[N, 3]`` and faces."""
    from gohd_core.stylised.head.fields import grid_faces

    turn = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    polar = np.linspace(0, np.pi, rows)
    turn, polar = np.meshgrid(turn, polar)
    points = np.stack([np.cos(turn) * np.sin(polar), np.sin(turn) * np.sin(polar), np.cos(polar)], -1)
    return points.reshape(-1, 3), grid_faces(columns, rows, wrap=True)
