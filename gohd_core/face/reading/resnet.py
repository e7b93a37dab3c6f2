"""Residual networks (He et al. 2016), v1.5: the backbone that extractor, gaze and parsing share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gohd_core.errors import BadInput

N_STAGES = 4

EXPANSION = {"basic": 1, "bottleneck": 4}
"""Kinds of block, and how many times wider than the stage's width their output is."""


@dataclass(frozen=True)
class ResNetConfig:
    """Shape of a residual network.

    Attributes:
        block: "basic" (two 3x3 convolutions, ResNet-18) or "bottleneck" (1x1, 3x3, 1x1, ResNet-50).
        depths: blocks in each of the four stages.
        width: channels of the stem and of the first stage; each later stage doubles them.
    """

    block: str = "bottleneck"
    depths: tuple[int, int, int, int] = (3, 4, 6, 3)
    width: int = 64

    def __post_init__(self) -> None:
        if self.block not in EXPANSION:
            raise BadInput(f"block is {self.block!r}; use one of {', '.join(EXPANSION)}.")
        if len(self.depths) != N_STAGES or min(self.depths) < 1:
            raise BadInput(f"depths is {self.depths}; give four numbers of blocks, each at least 1.")

    @property
    def channels(self) -> tuple[int, int, int, int]:
        """Channels after each stage."""
        expansion = EXPANSION[self.block]
        a, b, c, d = (self.width * 2**stage * expansion for stage in range(N_STAGES))
        return a, b, c, d


RESNET18 = ResNetConfig("basic", (2, 2, 2, 2))
RESNET50 = ResNetConfig("bottleneck", (3, 4, 6, 3))


def infer_resnet(state: dict[str, Tensor], prefix: str = "") -> ResNetConfig:
    """The config of a residual network from the keys and shapes of its state dict.

    Raises KeyError, with the missing key, where the state dict lacks the stem.
    """
    block = "bottleneck" if f"{prefix}layer1.0.conv3.weight" in state else "basic"
    depths = tuple(_count(state, f"{prefix}layer{stage}.") for stage in range(1, N_STAGES + 1))
    return ResNetConfig(block, depths, state[f"{prefix}conv1.weight"].shape[0])


def _count(keys: Iterable[str], start: str) -> int:
    return len({key[len(start) :].split(".")[0] for key in keys if key.startswith(start)})


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and the identity (or a 1x1 convolution where the shape changes)."""

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(in_channels, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, width, H / stride, W / stride]."""
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions; the stride sits on the 3x3 one (that is v1.5)."""

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        out_channels = width * EXPANSION["bottleneck"]
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.downsample = _shortcut(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, 4 * width, H / stride, W / stride]."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.bn3(self.conv3(y)) + (x if self.downsample is None else self.downsample(x)))


_BLOCKS: dict[str, type[BasicBlock] | type[Bottleneck]] = {"basic": BasicBlock, "bottleneck": Bottleneck}


class Pointwise(nn.Conv2d):
    """A strided 1x1 convolution that drops pixels first, then mixes channels: the same numbers.

    The strided form's backward pass writes outside its memory on the CPU (torch 2.13, oneDNN with
    AVX-512, channels-last, fewer than 16 input channels).
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x[..., :: self.stride[0], :: self.stride[1]], self.weight)


def _shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(
        Pointwise(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
    )


class ResNet(nn.Module):
    """Stem (stride 4) and four stages; without a classifier.

    Keys are those of the common ImageNet implementation (conv1, bn1, layer1.0.conv1, ...).
    """

    def __init__(self, config: ResNetConfig) -> None:
        super().__init__()
        self.config = config
        self.conv1 = nn.Conv2d(3, config.width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(config.width)
        block, channels = _BLOCKS[config.block], config.width
        for stage, depth in enumerate(config.depths):
            width, blocks = config.width * 2**stage, []
            for index in range(depth):
                blocks.append(block(channels, width, 2 if stage and not index else 1))
                channels = width * EXPANSION[config.block]
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """He initialisation; each block starts near the identity, which trains small nets faster."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        for module in self.modules():
            if isinstance(module, BasicBlock | Bottleneck):
                last = module.bn2 if isinstance(module, BasicBlock) else module.bn3
                nn.init.constant_(last.weight, 0.25)

    def stages(self, images: Tensor) -> list[Tensor]:
        """[B, 3, H, W] -> the maps after each stage, at 1/4, 1/8, 1/16 and 1/32 of the size."""
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(images))), 3, 2, 1)
        maps = []
        for stage in range(1, N_STAGES + 1):
            x = self.get_submodule(f"layer{stage}")(x)
            maps.append(x)
        return maps

    def forward(self, images: Tensor) -> Tensor:
        """[B, 3, H, W] -> [B, C], the last stage averaged over space."""
        return torch.mean(self.stages(images)[-1], dim=(2, 3))
