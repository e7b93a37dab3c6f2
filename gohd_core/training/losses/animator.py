"""The losses of the face animator, eq. 11-17, and the exact supervision that the stylised world allows.

Images are [B, 3, H, W] in [-1, 1]. Norms are means, so that a weight means the same at every
size; `emphasis` is M_lip&eye [B, 1, H, W].
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

BRANCH = 0.2
"""Pixels (of 128) below which the flow error turns from a line into a parabola."""


def reconstruction(target: Tensor, output: Tensor, emphasis: Tensor) -> Tensor:
    """L_rec, eq. 11: mean of |I - I^| (1 + M)."""
    return ((target - output).abs() * (1 + emphasis)).mean()


def perceptual(target: Sequence[Tensor], output: Sequence[Tensor], emphasis: Tensor) -> Tensor:
    """L_perc, eq. 12: the same over feature maps [B, C, h, w] of several sizes, summed over maps."""
    total = emphasis.new_zeros(())
    for real, made in zip(target, output, strict=True):
        mask = F.interpolate(emphasis, size=real.shape[-2:], mode="area")
        total = total + ((real - made).abs() * (1 + mask)).mean()
    return total


def feature_distance(target: Sequence[Tensor], output: Sequence[Tensor]) -> Tensor:
    """L_exp and L_gaze, eq. 13 and 14: mean absolute difference of features."""
    parts = [(real - made).abs().mean() for real, made in zip(target, output, strict=True)]
    return torch.stack(parts).sum()


def parsing(target: Tensor, output: Tensor) -> Tensor:
    """L_pars, eq. 15: pixel-wise cross-entropy of logits [B, classes, H, W] with the target's classes."""
    return F.cross_entropy(output, target.argmax(1))


def adversarial(fake: Tensor) -> Tensor:
    """L_GAN, eq. 16: mean of -log D on generated images, from logits (non-saturating)."""
    return F.softplus(-fake).mean()


def discrimination(real: Tensor, fake: Tensor) -> Tensor:
    """The discriminator's side of eq. 16: -log D on real images and -log(1 - D) on generated ones."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def gradient_penalty(images: Tensor, scores: Tensor) -> Tensor:
    """R1 (Mescheder et al. 2018): mean squared length of the score's gradient at real images."""
    (slope,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return slope.square().flatten(1).sum(1).mean()


def edges(target: Tensor, output: Tensor, emphasis: Tensor) -> Tensor:
    """Mean absolute difference of horizontal and of vertical gradients, times (1 + M)."""
    across, down = target - output, target - output
    across = (across[..., :, 1:] - across[..., :, :-1]).abs() * (1 + emphasis[..., :, 1:])
    down = (down[..., 1:, :] - down[..., :-1, :]).abs() * (1 + emphasis[..., 1:, :])
    return across.mean() + down.mean()


def visible_difference(target: Tensor, warped: Tensor, visible: Tensor, weight: Tensor) -> Tensor:
    """Mean |I - warped| over the pixels that the source shows, by weight; both maps [B, 1, H, W]."""
    weight = weight * visible
    return ((target - warped).abs().mean(1, keepdim=True) * weight).sum() / weight.sum().clamp_min(1)


def flow_error(flow: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Weighted end-point error of a flow at one size, in 128ths of the image's width.

    The truth is averaged, by weight, over each cell of a smaller flow; a larger flow is averaged.

    Args:
        flow: [B, 2, h, w] in half images.
        truth: [B, 2, H, W] in half images.
        weight: [B, 1, H, W].
    """
    truth, weight, flow = matched(truth, weight, flow)
    gap = ((flow - truth) * 64).square().sum(1, keepdim=True)
    return ((gap + BRANCH**2).sqrt() * weight).sum() / weight.sum().clamp_min(1e-6)


def layer_error(logits: Tensor, shown: Tensor, weight: Tensor) -> Tensor:
    """Weighted cross-entropy of the planes' logits [B, 3, h, w] with the visible plane [B, 3, H, W]."""
    shown, weight, logits = matched(shown, weight, logits)
    loss = -(shown * torch.log_softmax(logits, dim=1)).sum(1, keepdim=True)
    return (loss * weight).sum() / weight.sum()


def visibility_error(logits: Tensor, visible: Tensor, weight: Tensor) -> Tensor:
    """Weighted cross-entropy of mask logits [B, 1, h, w] with visibility in the source [B, 1, H, W].

    A larger mask owes the truth at each of its pixels: averages alone leave it free to draw chequers.
    """
    if logits.shape[-1] > visible.shape[-1]:
        visible, weight = (
            F.interpolate(x, size=logits.shape[-2:], mode="nearest") for x in (visible, weight)
        )
    visible, weight, logits = matched(visible, weight, logits)
    loss = F.binary_cross_entropy_with_logits(logits, visible, reduction="none")
    return (loss * weight).sum() / weight.sum()


def matched(truth: Tensor, weight: Tensor, guess: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Truth, weight and guess at the smaller of the two sizes."""
    have, want = truth.shape[-1], guess.shape[-1]
    if want > have:
        return truth, weight, F.avg_pool2d(guess, want // have)
    if want == have:
        return truth, weight, guess
    pooled = F.avg_pool2d(weight, have // want)
    return F.avg_pool2d(truth * weight, have // want) / pooled.clamp_min(1e-6), pooled, guess
