"""The stylised head in the linear form of the paper's eq. 10: mean, identity, expression."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gohd_core.constants import N_LANDMARKS
from gohd_core.stylised.head.expressions import expression_basis
from gohd_core.stylised.head.identity_modes import identity_basis
from gohd_core.stylised.head.template import EYE_LEFT, EYE_RIGHT, MOUTH, Template, lip_width, template


@dataclass(frozen=True)
class StylisedBasis:
    """Linear model of the skin: ``shape = mean + identity_basis @ c + expression_basis @ e``."""

    mean_shape: np.ndarray
    """``[V, 3]`` float32."""
    identity_basis: np.ndarray
    """``[V, 3, 80]`` float32."""
    expression_basis: np.ndarray
    """``[V, 3, 64]`` float32."""
    faces: np.ndarray
    """``[F, 3]`` int32, counter-clockwise from outside."""
    landmark_indices: np.ndarray
    """``[68]`` int64: the standard landmarks, in the image's order (0 = image-left jaw)."""


def _on_ring(head: Template, kind: int, offset: float, angle: float) -> int:
    ring = head.ring(kind, offset)
    distance = np.abs(np.angle(np.exp(1j * (head.angle[ring] - angle))))
    return int(ring[distance.argmin()])


def _nearest(head: Template, a: float, b: float) -> int:
    return int(((head.layout - (a, b)) ** 2).sum(1).argmin())


def landmark_vertices(head: Template) -> np.ndarray:
    """Vertex indices ``[68]`` of the standard landmarks."""
    jaw = np.linspace(np.pi, 2 * np.pi, 17)
    found = [_nearest(head, 1.22 * np.cos(angle), 0.06 + 1.10 * np.sin(angle)) for angle in jaw]
    arc = 0.365 + 0.045 * np.sin(np.linspace(0.15, 1.0, 5) * np.pi)
    outer_to_inner = list(zip(np.linspace(-0.66, -0.17, 5), arc[::-1], strict=True))
    found += [_nearest(head, a, b) for a, b in outer_to_inner]
    found += [_nearest(head, -a, b) for a, b in outer_to_inner[::-1]]
    found += [_nearest(head, 0.0, b) for b in (0.03, -0.06, -0.15, -0.235)]
    found += [_nearest(head, a, -0.315 + 0.2 * abs(a)) for a in np.linspace(-0.10, 0.10, 5)]
    sixth = np.pi / 3
    turns = [turn * sixth for turn in (3, 2, 1, 0, 5, 4)]
    found += [_on_ring(head, eye, 0.0, turn) for eye in (EYE_RIGHT, EYE_LEFT) for turn in turns]
    for angle in np.linspace(np.pi, -np.pi, 13)[:-1]:
        width = max(float(lip_width(np.array([angle]))[0]), 0.012)
        offsets = np.unique(head.offset[head.kind == MOUTH])
        offset = offsets[np.abs(offsets - width).argmin()]
        found.append(_on_ring(head, MOUTH, offset, angle))
    found += [_on_ring(head, MOUTH, 0.0, angle) for angle in np.linspace(np.pi, -np.pi, 9)[:-1]]
    assert len(found) == N_LANDMARKS
    return np.array(found, np.int64)


@lru_cache(maxsize=1)
def stylised_basis() -> StylisedBasis:
    """Build (once) the stylised linear model; about 4,400 vertices."""
    head = template()
    arrays = (
        head.mean.astype(np.float32),
        np.ascontiguousarray(identity_basis(head).transpose(1, 2, 0)),
        np.ascontiguousarray(expression_basis(head).transpose(1, 2, 0)),
        head.faces,
        landmark_vertices(head),
    )
    for array in arrays:
        array.setflags(write=False)
    return StylisedBasis(*arrays)
