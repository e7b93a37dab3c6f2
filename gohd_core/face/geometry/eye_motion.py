"""The handcrafted eye-motion feature of Fig. 4: how far the eyes are open and where the brows are."""

from __future__ import annotations

import torch
from torch import Tensor

from gohd_core.constants import N_EYE_MOTION, N_LANDMARKS
from gohd_core.errors import BadInput
from gohd_core.landmarks68 import BROWS, LIDS


def eye_height(landmarks: Tensor) -> Tensor:
    """Average height h_e of the eyes from 2-D landmarks [..., 68, 2], [...] in their unit.

    |p37 + p38 - p40 - p41| / 2 + |p43 + p44 - p46 - p47| / 2, Euclidean, as in the unused eye loss of
    the official code: twice the mean height of one eye, which cancels in the ratio.
    """
    heights = []
    for a, b, c, d in LIDS:
        gap = landmarks[..., a, :] + landmarks[..., b, :] - landmarks[..., c, :] - landmarks[..., d, :]
        heights.append(torch.linalg.vector_norm(gap, dim=-1) / 2)
    return heights[0] + heights[1]


def eye_motion(landmarks: Tensor, reference: Tensor) -> Tensor:
    """Eye motion f_t = b_t + flat(fr_t), [..., 21], from 2-D landmarks [..., 68, 2] with **y up**.

    Args:
        landmarks: of the expression e_t, with identity and pose zero.
        reference: [68, 2], of the neutral expression.

    Value 0 is the blink ratio b_t = h_e(t) / h_e(r): 1 is the neutral opening, near 0 is closed. The
    figure defines it so; it can exceed 1 for widened eyes.
    Values 1..20 are the brow displacements fr_t = l_t - l_r of landmarks 17..26, flattened point by
    point: x17, y17, x18, y18 and so on. The figure leaves their unit open; they are divided by half the
    reference height h_e(r) / 2, one neutral eye's height. All 21 values then have the same unit and
    order of magnitude (so that one L1 loss weighs them alike), and they depend neither on the size
    of the picture nor on the scale of the morphable model. y points up: raised brows are positive.
    """
    if landmarks.shape[-2:] != (N_LANDMARKS, 2) or reference.shape[-2:] != (N_LANDMARKS, 2):
        raise BadInput(
            f"Eye motion needs 68 landmarks with x and y; these have shape {tuple(landmarks.shape)}."
        )
    neutral = eye_height(reference)
    ratio = eye_height(landmarks) / neutral
    brows = (landmarks[..., BROWS, :] - reference[..., BROWS, :]) / (neutral / 2)[..., None, None]
    feature = torch.cat([ratio[..., None], brows.flatten(-2)], -1)  # [...,1 + 20]
    assert feature.shape[-1] == N_EYE_MOTION
    return feature
