"""The official animator's formulation written out plainly, on the official file's own tensors.

Slow on purpose: each sample has its own modulated kernel and grouped convolution, filters are applied
by their definition, nothing is folded or kept. Tests compare with it, and the benchmark times it.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F


def _filter(x, pad, up=1, down=1, gain=1.0):
    """Zero insertion, padding, 4x4 FIR filter, decimation."""
    b, c, h, w = x.shape
    if up > 1:
        x = F.pad(x.reshape(b, c, h, 1, w, 1), (0, up - 1, 0, 0, 0, up - 1)).reshape(b, c, h * up, w * up)
    x = F.pad(x, (pad[0], pad[1], pad[0], pad[1]))
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    kernel = (taps[:, None] * taps / 64 * gain)[None, None]
    h, w = x.shape[2:]
    x = F.conv2d(x.reshape(b * c, 1, h, w), kernel).reshape(b, c, h - 3, w - 3)
    return x[:, :, ::down, ::down]


def _act(x, bias):
    return F.leaky_relu(x + bias, 0.2) * math.sqrt(2)


class PlainAnimator:
    """`state` is the official state dict, as released."""

    def __init__(self, state):
        self.state = state

    def _equal(self, key, x, **options):
        weight = self.state[key]
        return F.conv2d(x, weight / math.sqrt(weight[0].numel()), **options)

    def encode(self, image):
        """[B,3,S,S] -> identity code, features smallest first."""
        s, p = self.state, "enc.net_app.convs."
        x = _act(self._equal(f"{p}0.0.weight", image), s[f"{p}0.1.bias"])
        features, i = [x], 1
        while f"{p}{i}.conv1.0.weight" in s:
            main = _act(self._equal(f"{p}{i}.conv1.0.weight", x, padding=1), s[f"{p}{i}.conv1.1.bias"])
            main = self._equal(f"{p}{i}.conv2.1.weight", _filter(main, (2, 2)), stride=2)
            main = _act(main, s[f"{p}{i}.conv2.2.bias"])
            skip = self._equal(f"{p}{i}.skip.1.weight", _filter(x, (1, 1)), stride=2)
            x = (main + skip) / math.sqrt(2)
            features.append(x)
            i += 1
        return self._equal(f"{p}{i}.weight", x).flatten(1), features[:-1][::-1]

    def magnitudes(self, identity, windows):
        """[B,D], [B,72,27] -> [B,n]."""
        s, p = self.state, "enc.semantics_enc."
        x = F.conv1d(windows, s[f"{p}first.0.weight"], s[f"{p}first.0.bias"])
        for i in range(3):
            name = f"{p}encoder{i}.1."
            new = F.conv1d(F.leaky_relu(x, 0.1), s[name + "weight"], s[name + "bias"], dilation=3)
            x = new + x[:, :, 3:-3]
        x = torch.cat([identity, x.mean(2)], 1)
        for i in range(5):
            weight = s[f"enc.fc.{i}.weight"]
            x = F.linear(x, weight / math.sqrt(weight.shape[1]), s[f"enc.fc.{i}.bias"])
        return x

    def latent(self, identity, magnitudes, strength=1.0):
        """z_R + strength * sum of xi_i m_i."""
        basis = torch.linalg.qr(self.state["dec.direction.weight"] + 1e-8).Q
        out = torch.zeros_like(identity)
        for i in range(basis.shape[1]):
            out = out + magnitudes[:, i : i + 1] * basis[:, i]
        return identity + strength * out

    def _modulated(self, key, x, latent, up=False, demodulate=True):
        s = self.state
        linear = s[f"{key}.modulation.weight"]
        style = F.linear(latent, linear / math.sqrt(linear.shape[1]), s[f"{key}.modulation.bias"])
        weight = s[f"{key}.weight"][0]
        outputs, inputs, size, _ = weight.shape
        batch = len(x)
        kernels = weight[None] / math.sqrt(inputs * size * size) * style[:, None, :, None, None]
        if demodulate:
            kernels = kernels * torch.rsqrt(kernels.square().sum((2, 3, 4), keepdim=True) + 1e-8)
        h, w = x.shape[2:]
        grouped = x.reshape(1, batch * inputs, h, w)
        if up:
            kernels = kernels.transpose(1, 2).reshape(batch * inputs, outputs, size, size)
            out = F.conv_transpose2d(grouped, kernels, stride=2, groups=batch)
            return _filter(out.reshape(batch, outputs, *out.shape[2:]), (1, 1), gain=4)
        kernels = kernels.reshape(batch * outputs, inputs, size, size)
        out = F.conv2d(grouped, kernels, padding=size // 2, groups=batch)
        return out.reshape(batch, outputs, h, w)

    def _styled(self, key, x, latent, up=False):
        return _act(self._modulated(f"{key}.conv", x, latent, up), self.state[f"{key}.activate.bias"])

    def decode(self, latent, features):
        """Latent [B,D], features of the source (one each) -> pyramid, largest first, and raw flows."""
        s = self.state
        x = s["dec.input.input"].repeat(len(latent), 1, 1, 1)
        x = self._styled("dec.conv1", x, latent)
        rgb = flow = None
        pyramid, flows, fusion = [], [], 0
        fusions = sum(key.startswith("dec.sft.") and key.endswith("scale2.weight") for key in s)
        for i, feature in enumerate(features):
            x = self._styled(f"dec.convs.{2 * i}", x, latent, up=True)
            x = self._styled(f"dec.convs.{2 * i + 1}", x, latent)
            raw = self._modulated(f"dec.to_flows.{i}.conv", x, latent, demodulate=False)
            raw = raw + s[f"dec.to_flows.{i}.bias"]
            flow = raw if flow is None else raw + _filter(flow, (2, 1), up=2, gain=4)
            side = x.shape[-1]
            line = torch.linspace(-1, 1, side)
            grid = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)[None]
            grid = grid + torch.tanh(flow[:, :2]).permute(0, 2, 3, 1)
            mask = torch.sigmoid(flow[:, 2:])
            warped = F.grid_sample(feature, grid, padding_mode="zeros", align_corners=False) * mask
            fused = warped + x * (1 - mask)
            following = fused
            if i >= len(features) - fusions:
                branches = []
                for name in ("scale", "shift"):
                    key = f"dec.sft.{fusion}.{name}"
                    y = F.leaky_relu(self._styled(f"{key}1", warped, latent), 0.2)
                    branches.append(F.conv2d(y, s[f"{key}2.weight"], s[f"{key}2.bias"], padding=1))
                warped = warped + warped * branches[0] + branches[1]
                following = warped + x * (1 - fused)  # the fused features stand where the mask should
                fusion += 1
            x = following
            key = f"dec.to_rgbs.{i}"
            picture = (
                _act(self._equal(f"{key}.conv.0.weight", warped), s[f"{key}.conv.1.bias"]) + s[f"{key}.bias"]
            )
            rgb = picture if rgb is None else picture + _filter(rgb, (2, 1), up=2, gain=4)
            pyramid.insert(0, rgb)
            flows.append(flow)
        return pyramid, flows

    def frame(self, image, windows, strength=1.0):
        """One frame as the official script draws it: the source is encoded anew."""
        identity, features = self.encode(image)
        latent = self.latent(identity, self.magnitudes(identity, windows), strength)
        return self.decode(latent, features)[0][0]
