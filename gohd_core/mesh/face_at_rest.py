"""The face at rest of one person in a clip, which expressions are read against, and what it does."""

from __future__ import annotations

import torch
from torch import Tensor

from gohd_core.constants import N_EXPRESSION
from gohd_core.measures.face_points import OUTER_CORNERS
from gohd_core.mesh.contours import INNER_LIPS, OUTER_LIPS, inner_gap
from gohd_core.stylised.head.expressions import INDEX

LIPS_MIDDLE = (13, 14)
"""Points in the middle of the inner lips, of the upper and of the lower one."""
LIPS_TOP_AND_BOTTOM = (0, 17)
"""Points in the middle of the outer lips."""
LARGEST_BIAS = 0.02
"""Gap that shut lips may be read with, model units: teeth are seen from .025 on."""
SHUT_SHARE = 0.08
"""Share of frames whose gap counts as that of shut lips."""
SMILE_WIDTH, SMILE_RAISED = (0.55, 0.75), (0.012, 0.072)
"""Width of a mouth, and height of its corners over its middle, from which on and at which it smiles, over the
distance of the eyes' outer corners."""
PUCKER_WIDTH, PUCKER_THICKNESS = (0.46, 0.34), (0.43, 0.65)
"""Width of a mouth over the distance of the eyes' outer corners, and thickness of its lips over that width,
from which on and at which it puckers. Mouths at rest are .45 to .65 wide and .2 to .42 thick."""


def neutral_points(points: Tensor) -> Tensor:
    """The face at rest [478,3] from points in head space [T,478,3]: the mean of frames with shut lips.

    Of the fifth of the frames with the smallest gap, the half whose mouth is nearest to its median width.
    """
    gap = inner_gap(points)
    width = (points[:, INNER_LIPS.left] - points[:, INNER_LIPS.right]).norm(dim=-1)
    shut = (gap <= gap.quantile(0.2)).nonzero()[:, 0]
    away = (width[shut] - width.median()).abs()
    chosen = shut[away.argsort()[: max(min(6, len(shut)), len(shut) // 2)]]
    return points[chosen].mean(0)


def resting_smile(points: Tensor) -> float:
    """Smile 0..1 of a face at rest [478,3]: people who smile through a clip have one in their neutral.

    A smile is a mouth that is wider than mouths at rest, over the distance of the eyes' outer corners, and
    whose corners also lie higher over the middle of its lips.
    """
    apart = (points[OUTER_CORNERS[0]] - points[OUTER_CORNERS[1]]).norm()
    right, left = points[OUTER_LIPS.right], points[OUTER_LIPS.left]
    middle = (points[LIPS_MIDDLE[0]] + points[LIPS_MIDDLE[1]]) / 2
    raised = ((right + left) / 2 - middle)[1] / apart
    return _least_share([((right - left).norm() / apart, SMILE_WIDTH), (raised, SMILE_RAISED)])


def resting_pucker(points: Tensor) -> float:
    """Pucker 0..1 of a face at rest [478,3]: a mouth that is narrower than at rest, with thicker lips."""
    apart = (points[OUTER_CORNERS[0]] - points[OUTER_CORNERS[1]]).norm()
    width = (points[OUTER_LIPS.right] - points[OUTER_LIPS.left]).norm()
    height = (points[LIPS_TOP_AND_BOTTOM[0]] - points[LIPS_TOP_AND_BOTTOM[1]])[1]
    thick = (height - inner_gap(points[None])[0].clamp_min(0)) / width
    return _least_share([(width / apart, PUCKER_WIDTH), (thick, PUCKER_THICKNESS)])


def resting_expression(points: Tensor) -> Tensor:
    """Smile and pucker that last through a clip, as an expression [64], from the face at rest [478,3]."""
    rest = torch.zeros(N_EXPRESSION, dtype=torch.float32, device="cpu")
    rest[[INDEX["smile_left"], INDEX["smile_right"]]] = resting_smile(points)
    rest[INDEX["lip_pucker"]] = resting_pucker(points)
    return rest


def gap_bias(gap: Tensor) -> float:
    """Gap that shut lips are read with, from the gaps [T] of a clip; 0 where they are never shut.

    Also of somebody who seldom shuts them: then the median of the frames in which they are.
    """
    shut = gap[gap < LARGEST_BIAS]
    if not len(shut):
        return 0.0
    return max(min(gap.quantile(SHUT_SHARE).item(), shut.median().item()), 0.0)


def _least_share(found: list[tuple[Tensor, tuple[float, float]]]) -> float:
    """How far the least of some values is on its way between two limits, 0..1."""
    return min(max(min((float(value) - low) / (high - low) for value, (low, high) in found), 0.0), 1.0)
