"""Layers with equalised learning rate, and the style-modulated convolution, in a form that batches well.

What depends on weights alone (scaled kernels, their energy) is computed once by `freeze` and kept in
non-persistent buffers; while training it is computed at each call, so that gradients reach the weights.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gohd_core.kernels.convolution import convolve_biased, convolve_each, convolve_in_chunks
from gohd_core.kernels.policy import modulates_kernel

LEAKY = 0.2
GAIN = math.sqrt(2.0)
SMALL_AT_FIRST = 0.3
"""Factor on the weights of convolutions that give maps."""
_EPSILON = 1e-8


def act(x: Tensor, bias: Tensor) -> Tensor:
    """Leaky ReLU of x [B,C,H,W] + bias [C], times sqrt 2, which keeps the variance."""
    return F.leaky_relu(x + bias.to(x.dtype)[:, None, None], LEAKY) * GAIN


class FreezableWeight(nn.Module):
    """A weight that is transformed when it is used: `freeze` does so once, `train()` forgets the result."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(*shape, dtype=torch.float32, device="cpu"))
        self.register_buffer("frozen", None, persistent=False)

    def transformed(self) -> Tensor:
        """The weight as used, computed now."""
        raise NotImplementedError

    def used(self) -> Tensor:
        """The weight as used, from the store or computed now."""
        return self.transformed() if self.frozen is None else self.frozen

    def freeze(self) -> None:
        """Keeps the transformed weight until `train()` is called."""
        with torch.no_grad():
            self.frozen = self.transformed()

    def train(self, mode: bool = True) -> FreezableWeight:
        if mode:
            self.frozen = None
        return super().train(mode)


class EqualLinear(FreezableWeight):
    """Linear layer that stores unit-variance weights and scales them by 1/sqrt(fan_in) when used."""

    def __init__(self, inputs: int, outputs: int, bias: float = 0.0) -> None:
        super().__init__(outputs, inputs)
        self.bias = nn.Parameter(torch.full((outputs,), bias, dtype=torch.float32, device="cpu"))

    def transformed(self) -> Tensor:
        return self.weight / math.sqrt(self.weight.shape[1])  # [outputs, inputs]

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.used().to(x.dtype), self.bias.to(x.dtype))


class Freezable(nn.Module):
    """A convolution with a constant kernel: `freeze` computes it once, `train()` forgets it."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("frozen_kernel", None, persistent=False)
        self.register_buffer("frozen_energy", None, persistent=False)

    def kernel(self) -> Tensor:
        """The kernel as used, in float32."""
        return self.weight / math.sqrt(self.weight[0].numel())

    def freeze(self, dtype: torch.dtype, layout: torch.memory_format = torch.channels_last) -> None:
        """Keeps the kernel in `dtype` and its energy (sum of squares over taps, [out, in])."""
        with torch.no_grad():
            kernel = self.kernel()
            self.frozen_energy = kernel.square().sum((2, 3))
            self.frozen_kernel = kernel.to(dtype).contiguous(memory_format=layout)

    def train(self, mode: bool = True) -> Freezable:
        if mode:
            self.frozen_kernel = self.frozen_energy = None
        return super().train(mode)

    def constants(self, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Kernel in `dtype` and energy, from the store or computed now."""
        if self.frozen_kernel is not None:
            return self.frozen_kernel.to(dtype), self.frozen_energy
        kernel = self.kernel()
        return kernel.to(dtype), kernel.square().sum((2, 3))


class EqualConv2d(Freezable):
    """Convolution with equalised learning rate and an optional bias; 'same' padding by default."""

    def __init__(
        self, inputs: int, outputs: int, size: int, *, stride: int = 1, padding: int = 0, bias: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(
            torch.randn(outputs, inputs, size, size, dtype=torch.float32, device="cpu")
        )
        self.bias = nn.Parameter(torch.zeros(outputs, dtype=torch.float32, device="cpu")) if bias else None
        self.stride, self.padding = stride, padding

    def forward(self, x: Tensor) -> Tensor:
        """Convolution alone: the bias belongs to the activation that follows (see `act`)."""
        kernel, _ = self.constants(x.dtype)
        return F.conv2d(x, kernel, stride=self.stride, padding=self.padding)

    def biased(self, x: Tensor) -> Tensor:
        """With its bias, in float32."""
        kernel, _ = self.constants(x.dtype)
        return convolve_biased(x, kernel, self.bias, stride=self.stride, padding=self.padding)


def plain_conv(inputs: int, outputs: int) -> EqualConv2d:
    """A 3x3 convolution to maps, small at first."""
    conv = EqualConv2d(inputs, outputs, 3, padding=1)
    with torch.no_grad():
        conv.weight.mul_(SMALL_AT_FIRST)
    return conv


def all_biased(convs: list[EqualConv2d], x: Tensor) -> list[Tensor]:
    """Several 3x3 convolutions of the same maps, with their biases, in float32."""
    kernels = [conv.constants(x.dtype)[0] for conv in convs]
    return convolve_each(x, kernels, [conv.bias for conv in convs], padding=1)


class StyledConv(Freezable):
    """Style-modulated, demodulated convolution with bias and leaky ReLU.

    The official form scales the weights of each sample and convolves in groups. Since modulation acts
    on input channels and demodulation on output channels, scaling the input before and the output
    after one shared convolution is the same thing, and runs a batch at full speed.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        latent: int,
        *,
        size: int = 3,
        up: bool = False,
        slope: float = LEAKY,
        accumulation_chunks: int = 1,
    ) -> None:
        """`accumulation_chunks`: shorter sums in which float32 inference on the CPU adds up input
        channels."""
        super().__init__()
        self.weight = nn.Parameter(
            torch.randn(outputs, inputs, size, size, dtype=torch.float32, device="cpu")
        )
        self.modulation = EqualLinear(latent, inputs, bias=1.0)
        self.bias = nn.Parameter(torch.zeros(outputs, dtype=torch.float32, device="cpu"))
        self.up, self.slope, self.chunks = up, slope, accumulation_chunks

    def forward(self, x: Tensor, latent: Tensor) -> Tensor:
        """x [B,in,S,S], latent [B,D] -> [B,out,S,S], or [B,out,2S,2S] with `up`."""
        style = self.modulation(latent)
        kernel, energy = self.constants(x.dtype)
        demodulation = torch.rsqrt(style.square() @ energy.T + _EPSILON)
        if modulates_kernel(x, kernel) and self.chunks == 1 and not self.up:
            # As in the official form, the kernel is scaled: it is smaller than the maps (1.15 times as fast).
            kernel = kernel * (GAIN * demodulation[0, :, None] * style[0])[..., None, None]
            x = F.conv2d(x, kernel, self.bias * GAIN, padding=kernel.shape[-1] // 2)
            return F.leaky_relu_(x, self.slope)
        x = x * style.to(x.dtype)[:, :, None, None]
        if self.up:
            # kernel [out,in,k,k] -> [in,out,k,k]
            x = convolve_in_chunks(F.conv_transpose2d, x, kernel.transpose(0, 1), 0, self.chunks, stride=2)
            x = blur(x, padding=1, gain=4.0)
        else:
            x = convolve_in_chunks(F.conv2d, x, kernel, 1, self.chunks, padding=kernel.shape[-1] // 2)
        # sqrt 2 passes through the leaky ReLU, so it is folded into scale and bias.
        scale = (demodulation * GAIN).to(x.dtype)[:, :, None, None]
        bias = (self.bias * GAIN).to(x.dtype)[None, :, None, None]
        x = torch.addcmul(bias, x, scale)
        return F.leaky_relu(x, self.slope, inplace=not torch.is_grad_enabled())


def blur(x: Tensor, *, padding: int, stride: int = 1, gain: float = 1.0) -> Tensor:
    """Depthwise 4x4 low-pass filter, the outer product of [1, 3, 3, 1] / 8, times `gain`."""
    channels = x.shape[1]
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], device=x.device, dtype=torch.float32) / 8
    kernel = (gain * taps[:, None] * taps).to(x.dtype).expand(channels, 1, 4, 4)
    planar = x.is_contiguous()
    kernel = kernel.contiguous(memory_format=torch.contiguous_format if planar else torch.channels_last)
    return F.conv2d(x, kernel, stride=stride, padding=padding, groups=channels)


def upsample(x: Tensor) -> Tensor:
    """[B,C,S,S] -> [B,C,2S,2S]: zero insertion and the low-pass filter with gain 4, padding 2 and 1."""
    channels = x.shape[1]
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], device=x.device, dtype=torch.float32) / 4
    kernel = (taps[:, None] * taps).to(x.dtype).expand(channels, 1, 4, 4).contiguous()
    return F.conv_transpose2d(x, kernel, stride=2, padding=1, groups=channels)
