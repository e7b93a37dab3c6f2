"""Contours of lips and lids from the points of a face mesh, and the gaps between their two halves."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gohd_core.mesh.frame import EDGE, LEFT_EYE, POINTS, RIGHT_EYE

HALF = POINTS // 2
N_POINTS, N_FACE = 478, 468
"""Points of the mesh, and those without the irises."""


@dataclass(frozen=True)
class Loop:
    """A closed curve of mesh points in the image's order: right corner, upper half, left corner, lower
    half."""

    right: int
    upper: tuple[int, ...]
    left: int
    lower: tuple[int, ...]

    @property
    def points(self) -> tuple[int, ...]:
        return (self.right, *self.upper, self.left, *self.lower)


INNER_LIPS = Loop(
    308, (415, 310, 311, 312, 13, 82, 81, 80, 191), 78, (95, 88, 178, 87, 14, 317, 402, 318, 324)
)
LIPS_2 = Loop(292, (407, 272, 271, 268, 12, 38, 41, 42, 183), 62, (96, 89, 179, 86, 15, 316, 403, 319, 325))
LIPS_1 = Loop(306, (408, 304, 303, 302, 11, 72, 73, 74, 184), 76, (77, 90, 180, 85, 16, 315, 404, 320, 307))
OUTER_LIPS = Loop(
    291, (409, 270, 269, 267, 0, 37, 39, 40, 185), 61, (146, 91, 181, 84, 17, 314, 405, 321, 375)
)
LIP_SKIN = Loop(
    287, (410, 322, 391, 393, 164, 167, 165, 92, 186), 57, (43, 106, 182, 83, 18, 313, 406, 335, 273)
)
LEFT_LIDS = (
    Loop(263, (466, 388, 387, 386, 385, 384, 398), 362, (382, 381, 380, 374, 373, 390, 249)),
    Loop(359, (467, 260, 259, 257, 258, 286, 414), 463, (341, 256, 252, 253, 254, 339, 255)),
    Loop(446, (342, 445, 444, 443, 442, 441, 413), 464, (453, 452, 451, 450, 449, 448, 261)),
)
RIGHT_LIDS = (
    Loop(133, (173, 157, 158, 159, 160, 161, 246), 33, (7, 163, 144, 145, 153, 154, 155)),
    Loop(243, (190, 56, 28, 27, 29, 30, 247), 130, (25, 110, 24, 23, 22, 26, 112)),
    Loop(244, (189, 221, 222, 223, 224, 225, 113), 226, (31, 228, 229, 230, 231, 232, 233)),
)
"""Each eye's lid edge, the skin around it up to the fold, and the skin towards brow and cheek."""
LIPS_WITHIN = tuple(sorted({p for loop in (INNER_LIPS, LIPS_2, LIPS_1) for p in loop.points}))
INNER_GAP = ((13, 14), (82, 87), (312, 317))
"""Pairs of an upper and a lower inner lip point."""


def opposite(values: Tensor, dim: int) -> Tensor:
    """A contour's values at the points across from each other, upper for lower: [..., 48, ...]."""
    order = (-torch.arange(POINTS, device=values.device, dtype=torch.long)) % POINTS
    return values.index_select(dim, order)


def angles(device: torch.device, dtype: torch.dtype) -> Tensor:
    """[48] angle of each point around its contour, 0 at the right corner."""
    return torch.arange(POINTS, device=device, dtype=dtype) * (2 * torch.pi / POINTS)


def inner_gap(points: Tensor) -> Tensor:
    """Height of the opening between the inner lips [B], from points in the head [B, 468 or 478, 3]."""
    upper, lower = (list(each) for each in zip(*INNER_GAP, strict=True))
    return (points[:, upper, 1] - points[:, lower, 1]).mean(1)


def edge_gap(edge: Tensor) -> Tensor:
    """Gap [...] of inner lip contours [...,48,3] in head space."""
    upper = edge[..., [9, 12, 15], 1]
    lower = edge[..., [POINTS - 9, POINTS - 12, POINTS - 15], 1]
    return (upper - lower).mean(-1)


def resampled(points: Tensor, loop: Loop) -> Tensor:
    """A loop of mesh points [B,N,3] as a contour [B,48,3], evenly by the angle whose cosine is its place
    along the axis through its corners; between the points curves are monotone cubics."""
    right, left = points[:, loop.right], points[:, loop.left]
    axis = torch.nn.functional.normalize(right - left, dim=-1)
    middle = (right + left) / 2
    wanted = -torch.cos(torch.arange(HALF + 1, device=points.device, dtype=points.dtype) * (torch.pi / HALF))
    halves = []
    for inner in (loop.upper, loop.lower[::-1]):
        curve = points[:, [loop.right, *inner, loop.left]]  # [B,n,3]
        along = ((curve - middle[:, None]) * axis[:, None]).sum(-1)
        first, last = along[:, :1], along[:, -1:]
        place = -(2 * along - first - last) / (first - last)  # -1 at the right corner .. 1
        steps = torch.arange(place.shape[1], device=points.device, dtype=points.dtype)
        place = place.cummax(-1).values + steps * 1e-6
        halves.append(monotone_cubic(place, curve, wanted.expand(len(points), -1)))
    upper, lower = halves
    return torch.cat([upper, lower[:, 1:-1].flip(1)], dim=1)


def monotone_cubic(x: Tensor, y: Tensor, at: Tensor) -> Tensor:
    """Interpolates y [B,n,C] at x [B,n] (increasing) with monotone cubics (Fritsch and Carlson), [B,m,C]."""
    step = (x[:, 1:] - x[:, :-1])[..., None]
    slope = (y[:, 1:] - y[:, :-1]) / step
    before, after = slope[:, :-1], slope[:, 1:]
    w1, w2 = 2 * step[:, 1:] + step[:, :-1], step[:, 1:] + 2 * step[:, :-1]
    same = before * after > 0
    safe_before, safe_after = (torch.where(same, s, torch.ones_like(s)) for s in (before, after))
    inner = torch.where(same, (w1 + w2) / (w1 / safe_before + w2 / safe_after), torch.zeros_like(before))
    tangent = torch.cat([slope[:, :1], inner, slope[:, -1:]], dim=1)
    after = torch.searchsorted(x.contiguous(), at.contiguous()).clamp(1, x.shape[1] - 1)

    def pick(values: Tensor, index: Tensor) -> Tensor:
        return values.gather(1, index[..., None].expand(-1, -1, values.shape[-1]))

    h = pick(step, after - 1)
    t = ((at - x.gather(1, after - 1))[..., None] / h).clamp(0, 1)
    y0, y1, m0, m1 = pick(y, after - 1), pick(y, after), pick(tangent, after - 1), pick(tangent, after)
    squared, cubed = t * t, t * t * t
    return (
        (2 * cubed - 3 * squared + 1) * y0
        + (cubed - 2 * squared + t) * h * m0
        + (3 * squared - 2 * cubed) * y1
        + (cubed - squared) * h * m1
    )


def lip_contours(points: Tensor) -> Tensor:
    """Contours [B,7,48,3] of the lips from mesh points in the head [B, 468 or 478, 3]."""
    inner, second, first, outer, skin = (
        resampled(points, loop) for loop in (INNER_LIPS, LIPS_2, LIPS_1, OUTER_LIPS, LIP_SKIN)
    )
    rows = [
        inner,
        inner,
        (second + inner) / 2,
        (first + second) / 2,
        outer,
        skin,
        skin + 0.6 * (skin - outer),
    ]
    return torch.stack(rows, 1)


def face_contours(points: Tensor) -> Tensor:
    """Contours [B,3,7,48,3] of lips, left and right eye from mesh points in the head [B, 468 or 478, 3]."""
    parts = [lip_contours(points)]
    for loops in (LEFT_LIDS, RIGHT_LIDS):
        lid, fold, brow = (resampled(points, loop) for loop in loops)
        steps = [lid, lid, torch.lerp(lid, fold, 0.24), torch.lerp(lid, fold, 0.56), fold]
        parts.append(torch.stack([*steps, torch.lerp(fold, brow, 0.46), brow], 1))
    return torch.stack(parts, 1)


def corner_distance(contours: Tensor) -> Tensor:
    """Distance of the eyes' outer corners in contours [3,7,48,3] of lips, left and right eye."""
    return (contours[LEFT_EYE, EDGE, 0] - contours[RIGHT_EYE, EDGE, HALF]).norm()


def mouth_breadth(lips: Tensor) -> Tensor:
    """Distance of the corners of lips [...,7,48,2 or 3]."""
    return (lips[..., EDGE, 0, :] - lips[..., EDGE, HALF, :]).norm(dim=-1)


def shut(contours: Tensor) -> Tensor:
    """Contours [B,3,7,48,3] whose lips' two edges are one line: their middle."""
    edges = contours[:, 0, : EDGE + 1]
    closed = contours.clone()
    closed[:, 0, : EDGE + 1] = (edges + opposite(edges, 2)) / 2
    return closed
