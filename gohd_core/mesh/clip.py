"""A clip of one person by meshes: poses, the head without expression, and what the features do against it.

The pose is fitted to what an opening jaw leaves alone. The neutral face is the mean of frames with shut lips;
lips, chin and brows are then told by least squares in the directions that the own expressions have there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from gohd_core.constants import N_EXPRESSION
from gohd_core.face.geometry.camera import Camera, rotation
from gohd_core.mesh.contours import (
    HALF,
    INNER_LIPS,
    LEFT_LIDS,
    N_FACE,
    OUTER_LIPS,
    RIGHT_LIDS,
    edge_gap,
    inner_gap,
    opposite,
    resampled,
)
from gohd_core.mesh.face_at_rest import gap_bias, resting_expression
from gohd_core.mesh.frame import EDGE, LIPS
from gohd_core.mesh.geometry.shape import BLINKS, JAW_SHIFT, MOUTH_SHIFT, FaceShape, face_shape
from gohd_core.mesh.reading.canonical import canonical_face
from gohd_core.mesh.reading.columns import DRAWN
from gohd_core.mesh.reading.fit import FaceFit, centred_pixels, pose_at_scale, procrustes
from gohd_core.mesh.reading.gaze import LEFT_IRIS, RADIUS, REST, RIGHT_IRIS
from gohd_core.mesh.reading.least_squares import bounded_least_squares

NOSE_BASE = 2
"""Mesh point below which the jaw moves the face."""
CHIN = (152, 148, 377, 176, 400, 175, 199, 200)
_OUTLINE = 5
"""Of these, the first lie on the outline of the jaw, where the mesh slides along it as the head turns."""
RIGHT_BROW = (70, 63, 105, 66, 107, 46, 53, 52, 65, 55)
LEFT_BROW = (300, 293, 334, 296, 336, 276, 283, 282, 295, 285)
EYES = ((LEFT_LIDS[0], LEFT_IRIS, 1.0), (RIGHT_LIDS[0], RIGHT_IRIS, -1.0))
"""Lids, irises and outward direction of the left and the right eye."""

LIP_COLUMNS = (0, 1, 2, 3, 4, 5, 6, 7)
MOUTH_COLUMNS = (*LIP_COLUMNS, MOUTH_SHIFT, JAW_SHIFT)
BROW_COLUMNS = (10, 11, 12, 13)
"""Places in `DRAWN`."""
_MOUTH_LIMITS = (
    (0.0, 0.0, 0.0, 0.0, -0.2, -0.2, -0.7, -0.7, -1.0, -1.0),
    (1.3, 1.0, 1.0, 1.0, 1.0, 1.0, 1.4, 1.4, 1.0, 1.0),
)
_BROW_LIMITS = ((-0.3, -0.3, -0.3, 0.0), (1.0, 1.0, 1.0, 1.0))
"""Least and most of these columns; people who laugh smile more than wholly."""
_CHIN_WEIGHT, _GAP_WEIGHT, _CORNER_WEIGHT = 2.0, 8.0, 6.0
_ACROSS = (0.0, 4.0)
"""Weights sideways of the chin's outline and of its other points."""
_SHIFT_SHARE = 0.5
"""Share of the sideways shifts that the mesh shows."""
_CORNERS = [0, HALF]
"""Points of a contour at the corners of the mouth."""
_SHUT_NOISE = 0.005
"""Noise of the gap of shut lips, model units."""
_GAP_COLUMNS = (0, 4, 5)
"""Places in `MOUTH_COLUMNS` of the jaw and the lips' lift and drop, by which the gap is met exactly."""
_LID_SHUT = (0.04, 0.16)
"""Opening of shut lids, as they are read, over the eye's width: least and most."""
_BLINK_SHARE = 0.5
"""Share of an open eye's opening: a clip in which both never come below this in the mean shows no blink."""
_LID_OPEN = 0.75
"""Quantile of the openings that is an open eye's."""
_WIDER = -0.15
"""Largest opening of eyes beyond that, in blinks."""
IRIS_DEPTH = 0.2
"""Height of an iris in front of the plane through the corners of its eye, in widths of the eye."""
_BROW_SHARE = 0.7
"""Share of the brows' directions by which drawn brows move, read anew: .57 to .77 on four portraits."""
_BROW_REST = 0.3
"""Quantile of the brows' places that is at rest."""


@lru_cache(maxsize=1)
def upper_rigidity() -> Tensor:
    """Weights [468] of the canonical face: as its rigidity, and nothing below the nose."""
    face = canonical_face()
    weights = face.rigidity * (face.points[:, 1] >= face.points[NOSE_BASE, 1])
    return weights / weights.sum()


def fit_clip(points: Tensor, size: int) -> FaceFit:
    """Poses and own points of meshes [T,478,3], as `fit.fit_face`, whatever the jaw does.

    Raises:
        BadInput: another shape, or values that are not finite.
    """
    flat, weights = centred_pixels(points, size), upper_rigidity().to(points.device)
    scale, _, shift = procrustes(canonical_face().points.to(points.device), flat[:, :N_FACE], weights)
    depth = flat[..., 2] - shift[:, 0, 2:]
    return pose_at_scale(points.double(), Camera.of_size(size), scale[:, 0], depth, weights)


def lid_openings(points: Tensor) -> Tensor:
    """Openings of the left and the right eye [T,2], over the eyes' widths, from points in head space."""
    found = []
    for lids, _, _ in EYES:
        loop = resampled(points, lids)  # [T,48,3]
        middle = (loop[:, 8:17, 1] - opposite(loop, 1)[:, 8:17, 1]).mean(1)
        found.append(middle / (points[:, lids.left] - points[:, lids.right]).norm(dim=-1))
    return torch.stack(found, 1)


def iris_offsets(pose: Tensor, points: Tensor) -> Tensor:
    """Irises [T,2,2] (x, y of the head; left and right eye) from the middle of their eyes' corners.

    In widths of the eye, from points in head space [T,478,3] that poses [T,6] belong to.

    Irises are taken to lie `IRIS_DEPTH` in front of the corners: without it turned heads seem to look away.
    """
    turn = rotation(pose[:, :3].to(points.dtype))
    eye = torch.tensor([0.0, 0.0, Camera().distance], dtype=points.dtype, device=points.device)
    viewer = ((eye - pose[:, 3:])[:, None] @ turn.mT)[:, 0]  # the camera in head space
    found = []
    for lids, iris, _ in EYES:
        right, left = points[:, lids.right], points[:, lids.left]
        width, middle = (right - left).norm(dim=-1, keepdim=True), (right + left) / 2
        seen = points[:, iris.start]
        plane = middle[:, 2:] + IRIS_DEPTH * width
        way = (plane - viewer[:, 2:]) / (seen[:, 2:] - viewer[:, 2:])
        placed = viewer + way * (seen - viewer)
        found.append((placed - middle)[:, :2] / width)
    return torch.stack(found, 1)


def offset_gaze(offsets: Tensor) -> Tensor:
    """Offsets [T,2,2] of `iris_offsets` -> gaze in the head (horizontal, vertical) [T,2], the eyes' mean."""
    outward = offsets.new_tensor([[sign * REST[0], REST[1]] for _, _, sign in EYES])
    x, y = ((offsets - outward) / RADIUS).clamp(-0.9, 0.9).unbind(-1)
    vertical = y.asin()
    horizontal = (-x / vertical.cos()).clamp(-0.9, 0.9).asin()
    return torch.stack([horizontal, vertical], -1).mean(1)


@dataclass(frozen=True)
class Features:
    """Per-frame features for the fit of expressions, [T,...] each, in head space.

    Attributes:
        lips: [T,2,48,3] inner and outer contour.
        chin: [T,8,3].
        brows: [T,20,3] of the right and the left one.
        gap: [T] between the inner lips.
        lids: [T,2] openings of the left and the right eye over their widths.
    """

    lips: Tensor
    chin: Tensor
    brows: Tensor
    gap: Tensor
    lids: Tensor

    @classmethod
    def of(cls, points: Tensor) -> Features:
        """From points in head space [T,478,3]."""
        lips = torch.stack([resampled(points, loop) for loop in (INNER_LIPS, OUTER_LIPS)], 1)
        brows = points[:, [*RIGHT_BROW, *LEFT_BROW]]
        return cls(lips, points[:, list(CHIN)], brows, inner_gap(points), lid_openings(points))

    def rows(self, rows: np.ndarray) -> Features:
        """Some of the frames, by their numbers or a mask."""
        chosen = torch.from_numpy(rows)
        return Features(**{name: getattr(self, name)[chosen] for name in self.__dataclass_fields__})

    @classmethod
    def joined(cls, parts: Sequence[Features]) -> Features:
        """Frames one after another."""
        names = cls.__dataclass_fields__
        return cls(**{name: torch.cat([getattr(part, name) for part in parts]) for name in names})


class ClipExpression:
    """Tells expressions of one person's frames.

    Attributes:
        shape: the person's own geometry.
        bias: gap with which shut lips are read, model units.
        rest: [64] smile and pucker of the face at rest, which expressions are read against.
    """

    def __init__(self, neutral: Tensor, features: Features) -> None:
        """neutral [478,3] from `face_at_rest.neutral_points`; features of all frames, for what is at rest."""
        self.shape: FaceShape = face_shape(neutral)
        self.rest = resting_expression(neutral)
        self.bias = gap_bias(features.gap)
        self._mouth = _Columns.of_mouth(self.shape, neutral)
        self._brows = _Columns.of_brows(self.shape, neutral)
        rest = features.brows.quantile(_BROW_REST, dim=0)
        self._brow_rest = torch.stack([features.brows.median(0).values[:, 0], rest[:, 1], rest[:, 2]], 1)
        self._open = features.lids.quantile(_LID_OPEN, dim=0)
        both = (features.lids / self._open).mean(1)
        least = both.quantile(0.005)
        # Without a blink of both eyes the narrowest look is no shut eye; shut is then the least that is read.
        shut = features.lids[both <= least].mean(0) if least < _BLINK_SHARE else _LID_SHUT[0]
        self._shut = torch.as_tensor(shut, dtype=both.dtype, device=both.device).expand(2).clamp(*_LID_SHUT)

    def __call__(self, features: Features) -> Tensor:
        """Expressions [T,64] of frames, in the stylised space."""
        found = features.gap.new_zeros(len(features.gap), N_EXPRESSION)
        columns = list(DRAWN)
        mouth = self._met(self._mouth.solve(self._mouth_targets(features)), self.own_gap(features))
        brows = self._brows.solve((features.brows - self._brow_rest)[..., :2].flatten(1).double())
        found[:, [columns[k] for k in MOUTH_COLUMNS]] = mouth.float()
        found[:, [columns[k] for k in BROW_COLUMNS]] = brows.float()
        shut = (self._open - features.lids) / (self._open - self._shut).clamp_min(0.05)
        found[:, [columns[k] for k in BLINKS]] = shut.clamp(_WIDER, 1)
        return found

    def with_rest(self, expression: Tensor) -> Tensor:
        """Expressions [T,64] with what the face has at rest: who smiles through a clip smiles."""
        most = torch.ones_like(self.rest)
        most[[DRAWN[k] for k in MOUTH_COLUMNS]] = most.new_tensor(_MOUTH_LIMITS[1])
        whole = torch.minimum(expression + self.rest, most)
        return torch.where(self.rest > 0, torch.maximum(expression, whole), expression)

    def own_gap(self, features: Features) -> Tensor:
        """Gaps [T] without what shut lips are read with, model units."""
        return (features.gap - self.bias - _SHUT_NOISE).clamp_min(0)

    def _met(self, mouth: Tensor, gap: Tensor) -> Tensor:
        """Mouth columns [T,10], changed as little as gives the gaps [T]: shut lips are shut."""
        gain = edge_gap(self.shape.directions[list(MOUTH_COLUMNS), LIPS][:, EDGE]).to(mouth)
        missed = gap - edge_gap(self.shape.contours[LIPS][EDGE]) - mouth @ gain
        columns = list(_GAP_COLUMNS)
        way = gain[columns] / gain[columns].square().sum()
        mouth = mouth.clone()
        mouth[:, columns] += missed.to(mouth)[:, None] * way
        return mouth.clamp(*self._mouth.limits)

    def _mouth_targets(self, features: Features) -> Tensor:
        """Targets of the least-squares fit of the mouth's columns, [T,n]."""
        gap = self.own_gap(features)
        inner = features.lips[:, 0]
        middle, half = (inner + opposite(inner, 1)) / 2, (inner - opposite(inner, 1)) / 2
        share = (gap / features.gap.clamp_min(1e-4)).clamp(0, 1)
        inner = middle + share[:, None, None] * half
        neutral = self.shape.contours[LIPS]
        rows = [
            (inner - neutral[EDGE])[..., :2].flatten(1),
            (features.lips[:, 1] - neutral[4])[..., :2].flatten(1),
            _chin_rows(features.chin - self._mouth.rest),
            _GAP_WEIGHT * (gap - edge_gap(neutral[EDGE]))[:, None],
            _CORNER_WEIGHT * (features.lips[:, 1] - neutral[4])[:, _CORNERS, :2].flatten(1),
        ]
        return torch.cat(rows, 1).double()


@dataclass(frozen=True)
class _Columns:
    """Directions of some columns at points, and the least squares that go with them.

    Attributes:
        matrix: [n,m] float64. limits: ([m], [m]). rest: [k,3] chin points at rest; of brows empty.
    """

    matrix: Tensor
    limits: tuple[Tensor, Tensor]
    rest: Tensor

    @classmethod
    def of_mouth(cls, shape: FaceShape, neutral: Tensor) -> _Columns:
        directions = shape.directions[list(MOUTH_COLUMNS), LIPS]  # [10,7,48,3]
        chin = on_head(shape, neutral[list(CHIN)])[list(MOUTH_COLUMNS)]
        rows = [
            directions[:, EDGE, :, :2].flatten(1),
            directions[:, 4, :, :2].flatten(1),
            _chin_rows(chin),
            _GAP_WEIGHT * edge_gap(directions[:, EDGE])[:, None],
            _CORNER_WEIGHT * directions[:, 4, _CORNERS, :2].flatten(1),
        ]
        # The chin at rest is where the shape without an open jaw has it.
        rest = neutral[list(CHIN)] - shape.own[0] * chin[0]
        matrix = torch.cat(rows, 1).double().T
        matrix[:, len(LIP_COLUMNS) :] *= _SHIFT_SHARE
        limits = tuple(torch.tensor(_MOUTH_LIMITS, dtype=torch.float64, device="cpu"))
        return cls(matrix, limits, rest)

    @classmethod
    def of_brows(cls, shape: FaceShape, neutral: Tensor) -> _Columns:
        brows = on_head(shape, neutral[[*RIGHT_BROW, *LEFT_BROW]])[list(BROW_COLUMNS)]
        matrix = _BROW_SHARE * brows[..., :2].flatten(1).double().T
        limits = tuple(torch.tensor(_BROW_LIMITS, dtype=torch.float64, device="cpu"))
        return cls(matrix, limits, neutral[:0])

    def solve(self, targets: Tensor) -> Tensor:
        """Targets [T,n] -> columns [T,m] within their limits."""
        return bounded_least_squares(self.matrix, targets, self.limits)


def _chin_rows(moved: Tensor) -> Tensor:
    """Rows [...,16] of the least squares from displacements of the chin's points [...,8,3]."""
    weights = moved.new_tensor([_ACROSS[0]] * _OUTLINE + [_ACROSS[1]] * (len(CHIN) - _OUTLINE))
    weights = torch.stack([weights, torch.ones_like(weights)], -1)
    return _CHIN_WEIGHT * (weights * moved[..., :2]).flatten(-2)


def on_head(shape: FaceShape, points: Tensor) -> Tensor:
    """Expression basis at points [n,3] of the skin, [19,n,3], from the head's nearest vertices."""
    distance, nearest = torch.cdist(points.float(), shape.head).topk(3, largest=False)
    share = 1 / (distance + 1e-3)
    share = share / share.sum(1, keepdim=True)
    return torch.einsum("nk,mnkc->mnc", share, shape.head_directions[:, nearest])
