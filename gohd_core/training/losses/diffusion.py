"""The loss of the pose and gaze diffusion (eq. 2).

Notation (variable -> paper): noise -> eps, predicted -> eps_theta, alpha_bar -> alpha_bar_n (abar below).
"""

from __future__ import annotations

from torch import Tensor


def diffuse(x0: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    """x_n = sqrt(abar) x_0 + sqrt(1 - abar) eps, `[B, T, C]`: n steps of eq. 1 at once; abar `[B]`."""
    signal = _per_example(alpha_bar, x0)
    return signal.sqrt() * x0 + (1 - signal).sqrt() * noise


def noise_prediction(noise: Tensor, predicted: Tensor) -> Tensor:
    """Eq. 2 per number: the mean of ||eps - eps_theta||^2 over batch, frames and channels."""
    return (noise - predicted).square().mean()


def sample_prediction(noise: Tensor, predicted: Tensor, alpha_bar: Tensor) -> Tensor:
    """Eq. 2 with step n weighted by (1 - abar_n) / abar_n: the same error, measured in x_0.

    `predicted` is eps all the same. For networks whose last layer gives x_0.
    """
    signal = _per_example(alpha_bar, noise)
    return ((noise - predicted).square() * (1 - signal) / signal).mean()


def _per_example(values: Tensor, like: Tensor) -> Tensor:
    return values.view(-1, *[1] * (like.ndim - 1))
