"""Motion from single frames, relative to the source's own: what the built-in animator is driven by."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gohd_core.animator.config import AnimatorConfig
from gohd_core.animator.encoder import Source
from gohd_core.animator.layers import GAIN, LEAKY, EqualLinear

_CODE_GAIN = 0.15
_CODE_SHARE = 0.3
_MAGNITUDE_GAIN = 6.0
"""Motion must dominate the latent, or the decoder learns to draw the source and nothing moves."""


class FrameMotion(nn.Module):
    """Magnitudes from the window's centre frame c_t, its difference c_t - c_s to the source's, and z_R.

    A network that is told the difference learns gaze and lids many times faster than one that must
    find the source's state in z_R. Where the source's descriptor is not given, it is read off z_R by a
    linear layer that is trained with the rest.
    """

    def __init__(self, config: AnimatorConfig) -> None:
        super().__init__()
        inputs, hidden, code = config.n_descriptor, config.descriptor_dim, config.identity_dim
        self.register_buffer("descriptor_mean", torch.zeros(inputs))
        self.register_buffer("descriptor_std", torch.ones(inputs))
        self.code_norm = nn.BatchNorm1d(code, affine=False, momentum=0.05)
        self.code_gain = nn.Parameter(torch.full((code,), _CODE_GAIN))
        self.code_bias = nn.Parameter(torch.zeros(code))
        self.estimator = EqualLinear(code, inputs)
        widths = [2 * inputs + code, hidden, hidden]
        self.mapping = nn.ModuleList(EqualLinear(a, b) for a, b in pairwise(widths))
        self.out = EqualLinear(hidden, config.n_directions)

    def set_statistics(self, mean: Tensor, std: Tensor) -> None:
        """Mean and spread of the training set's descriptors [72]; constant ones are left out by std = inf."""
        self.descriptor_mean.copy_(mean)
        self.descriptor_std.copy_(std)

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
        target = self._standardise(windows[:, :, windows.shape[2] // 2])
        own = self._standardise(source.descriptor).expand(len(target), -1)
        code = F.layer_norm(source.identity_code, source.identity_code.shape[1:])
        x = torch.cat([target, target - own, _CODE_SHARE * code.expand(len(target), -1)], dim=1)
        for layer in self.mapping:
            x = F.leaky_relu(layer(x), LEAKY) * GAIN
        return _MAGNITUDE_GAIN * self.out(x)

    def _standardise(self, descriptor: Tensor) -> Tensor:
        return (descriptor - self.descriptor_mean) / self.descriptor_std
