"""Motion: a window of descriptors to magnitudes, and the orthonormal directions they multiply (eq. 9)."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gohd_core.animator.config import AnimatorConfig
from gohd_core.animator.encoder import Source
from gohd_core.animator.layers import EqualLinear


class MotionDirections(nn.Module):
    """The codebook: n learnable directions, made orthonormal by QR whenever they are used."""

    def __init__(self, config: AnimatorConfig) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(config.identity_dim, config.n_directions))
        self.register_buffer("frozen", None, persistent=False)

    def basis(self) -> Tensor:
        """Q, [D, n].

        The signs of its columns are those of LAPACK's Householder reflections (R's diagonal may be
        negative), as the official weights want; hence the CPU, wherever the weights are.
        """
        if self.frozen is not None:
            return self.frozen
        weight = self.weight.float().cpu() + 1e-8
        return torch.linalg.qr(weight).Q.to(self.weight.device)

    def freeze(self) -> None:
        """Computes Q once."""
        self.frozen = None
        with torch.no_grad():
            self.frozen = self.basis()

    def train(self, mode: bool = True) -> MotionDirections:
        if mode:
            self.frozen = None
        return super().train(mode)

    def forward(self, magnitudes: Tensor) -> Tensor:
        """Navigation vector eta [B, D] from magnitudes xi [B, n]: the sum of xi_i m_i (eq. 9)."""
        return magnitudes @ self.basis().T


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
            weight = torch.eye(self.mapping[0].weight.shape[1], dtype=torch.float64)
            bias = torch.zeros(len(weight), dtype=torch.float64)
            for layer in self.mapping:
                scaled = layer.scaled().cpu().double()
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
