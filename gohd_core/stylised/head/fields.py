"""Smooth scalar fields from which the stylised head is composed."""

from __future__ import annotations

import numpy as np


def smoothstep(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 before ``low``, 1 beyond ``high``, a cubic between; ``low > high`` falls instead."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def bump(
    a: np.ndarray, b: np.ndarray, centre: tuple[float, float], sigma_a: float, sigma_b: float | None = None
) -> np.ndarray:
    """Gaussian bump of height 1 in the layout plane."""
    sigma_b = sigma_a if sigma_b is None else sigma_b
    return np.exp(-0.5 * (((a - centre[0]) / sigma_a) ** 2 + ((b - centre[1]) / sigma_b) ** 2))


def pair(
    a: np.ndarray, b: np.ndarray, centre: tuple[float, float], sigma_a: float, sigma_b: float | None = None
) -> np.ndarray:
    """Sum of a bump at ``centre`` and its mirror image across the head's middle plane."""
    mirrored = (-centre[0], centre[1])
    return bump(a, b, centre, sigma_a, sigma_b) + bump(a, b, mirrored, sigma_a, sigma_b)


def vertex_normals(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals ``[V, 3]`` of a mesh (``points [V, 3]``, ``faces [F, 3]``)."""
    corners = points[faces]
    face_normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(points)
    for corner in range(3):
        for axis in range(3):
            normals[:, axis] += np.bincount(faces[:, corner], face_normals[:, axis], minlength=len(points))
    return normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12)


def grid_faces(columns: int, rows: int, *, wrap: bool = False) -> np.ndarray:
    """Triangles ``[F, 3]`` of a ``rows x columns`` grid stored row by row.

    ``wrap`` joins the last column to the first.
    """
    count = columns if wrap else columns - 1
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(count), indexing="ij")
    first = (row * columns + column).ravel()
    second = (row * columns + (column + 1) % columns).ravel()
    lower = np.stack([first, second, first + columns], -1)
    upper = np.stack([second, second + columns, first + columns], -1)
    return np.concatenate([lower, upper]).astype(np.int32)
