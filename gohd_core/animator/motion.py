"""Motion: a window of descriptors to magnitudes, and the orthonormal directions they multiply (eq. 9).

Notation (variable -> paper):
    windows, own -> c_t with its neighbours, the source's c_s
    identity_code -> z_R
    magnitudes -> xi [T, n]
    columns of MotionDirections.transformed() -> m_i
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gohd_core.animator.config import AnimatorConfig
from gohd_core.animator.encoder import Source
from gohd_core.animator.layers import GAIN, LEAKY, EqualLinear, FreezableWeight

_CODE_GAIN = 0.15
_CODE_SHARE = 0.3
_MLP_SHARE = 0.1
_MAGNITUDE_GAIN = 6.0
"""Motion must dominate the latent, or the decoder learns to draw the source and nothing moves."""


class MotionDirections(FreezableWeight):
    """The codebook: n learnable directions, made orthonormal by QR whenever they are used."""

    def __init__(self, config: AnimatorConfig) -> None:
        super().__init__(config.identity_dim, config.n_directions)

    def transformed(self) -> Tensor:
        """Q, [D, n].

        The signs of its columns are those of LAPACK's Householder reflections (R's diagonal may be
        negative), as the official weights want; hence the CPU, wherever the weights are.
        """
        weight = self.weight.float().cpu() + 1e-8
        return torch.linalg.qr(weight).Q.to(self.weight.device)

    def forward(self, magnitudes: Tensor) -> Tensor:
        """Navigation vector eta [B, D] from magnitudes xi [B, n]: the sum of xi_i m_i (eq. 9)."""
        return magnitudes @ self.used().T


class WindowEncoder(nn.Module):
    """Descriptors of a 27-frame window -> one code: convolutions over time, then the mean."""

    def __init__(self, config: AnimatorConfig) -> None:
        super().__init__()
        width = config.descriptor_dim
        self.first = nn.Conv1d(config.n_descriptor, width, 7)
        self.blocks = nn.ModuleList(nn.Conv1d(width, width, 3, dilation=3) for _ in range(3))

    def forward(self, windows: Tensor) -> Tensor:
        """windows [T,72,27] -> [T,descriptor_dim]."""
        x = self.first(windows)
        for block in self.blocks:
            x = block(F.leaky_relu(x, 0.1)) + x[:, :, 3:-3]
        return x.mean(-1)


class WindowMotion(nn.Module):
    """Magnitudes from a window and the identity code: five linear layers with nothing in between.

    They are one affine map, so `freeze` folds them; the identity's half is then one vector a clip.
    """

    def __init__(self, config: AnimatorConfig) -> None:
        super().__init__()
        width = config.identity_dim
        self.encoder = WindowEncoder(config)
        widths = [width + config.descriptor_dim, width, width, width, width, config.n_directions]
        self.mapping = nn.ModuleList(EqualLinear(a, b) for a, b in pairwise(widths))
        self.register_buffer("frozen_weight", None, persistent=False)
        self.register_buffer("frozen_bias", None, persistent=False)

    def freeze(self) -> None:
        """Folds the five layers into one, in float64."""
        with torch.no_grad():
            weight = torch.eye(self.mapping[0].weight.shape[1], dtype=torch.float64, device="cpu")
            bias = torch.zeros(len(weight), dtype=torch.float64, device="cpu")
            for layer in self.mapping:
                scaled = layer.used().cpu().double()
                bias = scaled @ bias + layer.bias.cpu().double()
                weight = scaled @ weight
            like = self.mapping[0].weight
            self.frozen_weight, self.frozen_bias = weight.to(like), bias.to(like)

    def train(self, mode: bool = True) -> WindowMotion:
        if mode:
            self.frozen_weight = self.frozen_bias = None
        return super().train(mode)

    def forward(self, source: Source, windows: Tensor) -> Tensor:
        """windows [T,72,27] -> magnitudes [T,n]."""
        code = self.encoder(windows)
        identity = source.identity_code
        if self.frozen_weight is None:
            x = torch.cat([identity.expand(len(code), -1), code], dim=1)
            for layer in self.mapping:
                x = layer(x)
            return x
        weight = self.frozen_weight
        per_source = F.linear(identity, weight[:, : identity.shape[1]], self.frozen_bias)
        return per_source + code @ weight[:, identity.shape[1] :].T


class FrameMotion(nn.Module):
    """Magnitudes from the window's centre frame c_t, its difference c_t - c_s to the source's, and z_R.

    Given the difference, a network learns gaze and lids many times faster than if it must find the
    source's state in z_R. Where the source's descriptor is not given, it is read off z_R by a
    linear layer that is trained with the rest.
    """

    def __init__(self, config: AnimatorConfig) -> None:
        super().__init__()
        inputs, hidden, code = config.n_descriptor, config.descriptor_dim, config.identity_dim
        self.register_buffer("descriptor_mean", torch.zeros(inputs, dtype=torch.float32, device="cpu"))
        self.register_buffer("descriptor_std", torch.ones(inputs, dtype=torch.float32, device="cpu"))
        self.code_norm = nn.BatchNorm1d(code, affine=False, momentum=0.05)
        self.code_gain = nn.Parameter(torch.full((code,), _CODE_GAIN, dtype=torch.float32, device="cpu"))
        self.code_bias = nn.Parameter(torch.zeros(code, dtype=torch.float32, device="cpu"))
        self.estimator = EqualLinear(code, inputs)
        widths = [2 * inputs + code, hidden, hidden]
        self.mapping = nn.ModuleList(EqualLinear(a, b) for a, b in pairwise(widths))
        self.direct = EqualLinear(2 * inputs, config.n_directions)
        self.out = EqualLinear(hidden, config.n_directions)
        with torch.no_grad():
            self.direct.weight.zero_()
            self.estimator.weight.zero_()  # the mean, until it knows better
            self.out.weight.mul_(_MLP_SHARE)

    def set_statistics(self, mean: Tensor, std: Tensor) -> None:
        """Mean and spread of the training set's descriptors [72]; a spread of 0 leaves a column out.

        Each magnitude then begins as the change of one coefficient from source to target: the decoder
        could not separate a mixture of targets and changes in as few directions.
        """
        self.descriptor_mean.copy_(mean)
        self.descriptor_std.copy_(std)
        varying = std.nonzero()[:, 0]
        rows = torch.arange(len(varying), dtype=torch.long, device="cpu") % len(self.direct.weight)
        with torch.no_grad():
            self.direct.weight.zero_()
            self.direct.weight[rows, len(std) + varying] = self.direct.weight.shape[1] ** 0.5

    def normalise(self, identity_code: Tensor) -> Tensor:
        """z_R as used: each dimension centred over the training set, and small beside the motion."""
        return self.code_bias + self.code_gain * self.code_norm(identity_code)

    def estimate(self, identity_code: Tensor) -> Tensor:
        """The source's descriptor [B,72] (raw units) read off its normalised code."""
        return self.descriptor_mean + self.descriptor_std * self.estimator(identity_code / _CODE_GAIN)

    def freeze(self) -> None:
        """Nothing here is worth keeping: the layers are small."""

    def forward(self, source: Source, windows: Tensor) -> Tensor:
        """windows [T,72,W] -> magnitudes [T,n]."""
        target = self.standardise(windows[:, :, windows.shape[2] // 2])
        own = self.standardise(source.descriptor).expand(len(target), -1)
        code = F.layer_norm(source.identity_code, source.identity_code.shape[1:])
        descriptors = torch.cat([target, target - own], dim=1)
        x = torch.cat([descriptors, _CODE_SHARE * code.expand(len(target), -1)], dim=1)
        for layer in self.mapping:
            x = F.leaky_relu(layer(x), LEAKY) * GAIN
        return _MAGNITUDE_GAIN * (self.out(x) + self.direct(descriptors))

    def standardise(self, descriptor: Tensor) -> Tensor:
        """A descriptor in units of the training set's spread; columns that never vary become 0."""
        spread = self.descriptor_std
        scale = torch.where(spread > 0, 1 / spread.clamp_min(1e-6), torch.zeros_like(spread))
        return (descriptor - self.descriptor_mean) * scale
