"""The losses of the expression predictor, eq. 20-24 and 26-27, and its least-squares GAN.

Norms of coefficient vectors are sums over the vector, as the equations write them; all losses are
means over the frames of the sequence and over the batch.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from gohd_core.landmarks68 import MOUTH
from gohd_core.measures.sequences import structural_similarity_over_time

LIPS_AND_JAW = (*range(3, 14), *range(MOUTH.start, MOUTH.stop))
"""The 31 landmarks of eq. 20: the jaw line's lower part and the whole mouth (0-based)."""

DIAGONALS = ((61, 65), (63, 67))
"""Upper and lower inner lip landmarks whose distances eq. 22 compares, crossing the opening."""

FACING = ((61, 67), (62, 66), (63, 65))
"""Upper and lower inner lip landmarks that face each other."""

CLOSED, CLOSED_WEIGHT = 1.0, 4.0
"""Lips less than this many aligned pixels apart are closed, and count so much more in `lip_gap`."""

SHUT, SHUT_WEIGHT = 0.5, 4.0
"""Eyes whose ratio lies below the first are shut, and count so much more in `eye_ratio`."""

NORM_FLOOR = 1e-8
"""epsilon of eq. 23."""

VARIANCE_FLOOR = 1e-6
"""Added to variances before their root, whose slope at 0 has no end."""


def landmark_fidelity(truth: Tensor, predicted: Tensor) -> Tensor:
    """L_lms, eq. 20: mean squared distance of the 31 lip and jaw landmarks.

    The text gives neither norm nor unit. With aligned pixels and the square, the paper's weight of
    0.01 makes an error of 5 px count about as much as one of 0.1 in a coefficient, and 1 px little.

    Args: 3-D landmarks [B, T, 68, 3] in aligned pixels.
    """
    gap = (truth - predicted)[..., list(LIPS_AND_JAW), :]
    return gap.square().sum(dim=-1).mean()


def shut_up(truth: Tensor, predicted: Tensor) -> Tensor:
    """L_shut, eq. 22: how much the inner lips' two diagonals differ in length, in aligned pixels.

    Args: 3-D landmarks [B, T, 68, 3] in aligned pixels.
    """
    return (_diagonals(truth) - _diagonals(predicted)).abs().mean()


def lip_gap(truth: Tensor, predicted: Tensor) -> Tensor:
    """Error of the inner lips' vertical gaps in aligned pixels; closed ones count four times.

    Ours, not the paper's: a diagonal hardly changes while lips part by their first few pixels.

    Args: landmarks [B, T, 68, 2 or 3], y up, in aligned pixels.
    """
    gap, made = _gaps(truth), _gaps(predicted)
    weight = torch.where(gap < CLOSED, CLOSED_WEIGHT, 1.0)
    return (weight * (gap - made).abs()).mean()


def parted(truth: Tensor, predicted: Tensor) -> Tensor:
    """Gap of the inner lips, in aligned pixels, on frames in which they are to be closed.

    Ours, not the paper's: which sounds close the lips is hard to hear, and in doubt the other losses keep
    them open, since other frames are many more.

    Args: landmarks [B, T, 68, 2 or 3], y up, in aligned pixels; the mean is over all frames.
    """
    gap, made = _gaps(truth), _gaps(predicted)
    return torch.where(gap < CLOSED, (made - gap).relu(), 0.0).mean()


def eye_ratio(truth: Tensor, predicted: Tensor) -> Tensor:
    """Mean squared error of the eye ratio (value 0) of eye motions [B, T, 21]; shut eyes count four times.

    Ours, not the paper's: eyes are open in nine frames of ten, so that under L1 alone lids begin to
    move only late in training, and where the network is unsure whether to blink, it would half shut them.
    """
    ratio = truth[..., 0]
    weight = torch.where(ratio < SHUT, SHUT_WEIGHT, 1.0)
    return (weight * (ratio - predicted[..., 0]).square()).mean()


def spread(truth: Tensor, predicted: Tensor) -> Tensor:
    """Difference of the coefficients' standard deviations over batch and time, summed over coefficients.

    Ours, not the paper's: under L1 alone the network answers doubt with the middle of what may be, so
    that mouths open too little and rare movements (pressed lips) are never made.

    Args: sequences [B, T, C].
    """
    true, made = (
        (x.flatten(0, 1).var(dim=0, correction=0) + VARIANCE_FLOOR).sqrt() for x in (truth, predicted)
    )
    return (true - made).abs().sum()


def squares(truth: Tensor, predicted: Tensor) -> Tensor:
    """Squared error of coefficient sequences [B, T, C], summed over coefficients.

    Ours, not the paper's: L1 alone answers doubt with the likelier of two openings, where the one between
    goes better with what lips do.
    """
    return (truth - predicted).square().sum(dim=-1).mean()


def _gaps(landmarks: Tensor) -> Tensor:
    upper, lower = zip(*FACING, strict=True)
    return landmarks[..., list(upper), 1] - landmarks[..., list(lower), 1]


def _diagonals(landmarks: Tensor) -> Tensor:
    upper, lower = zip(*DIAGONALS, strict=True)
    gap = landmarks[..., list(upper), :] - landmarks[..., list(lower), :]
    return torch.linalg.vector_norm(gap, dim=-1)


def l1(truth: Tensor, predicted: Tensor) -> Tensor:
    """L_1 of coefficients (eq. 24), of their eye motion (eq. 21), L'_1 of generated ones (eq. 27).

    Args: sequences [B, T, C]; the norm is the sum over C.
    """
    return (truth - predicted).abs().sum(dim=-1).mean()


def lip_reading(truth: Tensor, predicted: Tensor) -> Tensor:
    """L_read, eq. 23: 1 - cosine of a lip reader's features [B, T, D] of rendered mouths."""
    dot = (truth * predicted).sum(dim=-1)
    norm = torch.linalg.vector_norm(truth, dim=-1) * torch.linalg.vector_norm(predicted, dim=-1)
    return (1 - dot / norm.clamp_min(NORM_FLOOR)).mean()


def structural_similarity(truth: Tensor, generated: Tensor) -> Tensor:
    """L_ssim, eq. 26: 1 - SSIM of each of the C dimensions over time, [B, T, C] sequences."""
    return 1 - structural_similarity_over_time(truth, generated)


def least_squares_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Least-squares discriminator loss: real scores toward 1, fake ones toward 0."""
    return 0.5 * ((real - 1).square().mean() + fake.square().mean())


def least_squares_generator(fake: Tensor) -> Tensor:
    """Least-squares generator loss: fake scores toward 1."""
    return 0.5 * functional.mse_loss(fake, torch.ones_like(fake))
