"""BiSeNet (Yu et al. 2018) with a ResNet-18 context path: which part of a face each pixel is."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gohd_core.face.reading.resnet import RESNET18, ResNet, ResNetConfig
from gohd_core.parsing_labels import NAMES

N_CLASSES = len(NAMES)


@dataclass(frozen=True)
class ParsingConfig:
    """Shape of a face parser; the defaults are the official file's.

    Attributes:
        backbone: its residual network.
        width: channels of the context path.
        classes: how many parts it tells apart.
        image_size: side of its input in pixels.
    """

    backbone: ResNetConfig = RESNET18
    width: int = 128
    classes: int = N_CLASSES
    image_size: int = 512


class ConvBlock(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, 1, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, out_channels, H, W]."""
        return F.relu(self.bn(self.conv(x)))


class AttentionRefinement(nn.Module):
    """A convolution whose channels are weighted by a gate on their global mean."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.block = ConvBlock(in_channels, out_channels)
        self.gate = nn.Conv2d(out_channels, out_channels, 1, bias=False)
        self.gate_norm = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, out_channels, H, W]."""
        x = self.block(x)
        return x * torch.sigmoid(self.gate_norm(self.gate(x.mean((2, 3), keepdim=True))))


class ContextPath(nn.Module):
    """Residual network whose deep maps are refined and brought back to 1/8 of the size."""

    def __init__(self, config: ParsingConfig) -> None:
        super().__init__()
        channels, width = config.backbone.channels, config.width
        self.backbone = ResNet(config.backbone)
        self.refine16 = AttentionRefinement(channels[2], width)
        self.refine32 = AttentionRefinement(channels[3], width)
        self.global_context = ConvBlock(channels[3], width, 1)
        self.head32 = ConvBlock(width, width)
        self.head16 = ConvBlock(width, width)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """[B, 3, H, W] -> the raw 1/8 map, context at 1/8, context at 1/16."""
        _, map8, map16, map32 = self.backbone.stages(images)
        context = self.refine32(map32) + self.global_context(map32.mean((2, 3), keepdim=True))
        context16 = self.head32(F.interpolate(context, map16.shape[2:]))
        joined = F.interpolate(context16 + self.refine16(map16), map8.shape[2:])
        return map8, self.head16(joined), context16


class FeatureFusion(nn.Module):
    """Fuses fine and context maps through a channel gate (squeeze and excitation) with a residual."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.block = ConvBlock(in_channels, out_channels, 1)
        self.squeeze = nn.Conv2d(out_channels, out_channels // 4, 1, bias=False)
        self.excite = nn.Conv2d(out_channels // 4, out_channels, 1, bias=False)

    def forward(self, fine: Tensor, context: Tensor) -> Tensor:
        """Two maps of one size -> [B, out_channels, H, W]."""
        x = self.block(torch.cat([fine, context], 1))
        gate = self.excite(F.relu(self.squeeze(x.mean((2, 3), keepdim=True))))
        return x + x * torch.sigmoid(gate)


class Head(nn.Module):
    """Convolution and a linear map to the classes."""

    def __init__(self, in_channels: int, middle: int, classes: int) -> None:
        super().__init__()
        self.block = ConvBlock(in_channels, middle)
        self.classes = nn.Conv2d(middle, classes, 1, bias=False)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """[B, C, h, w] -> logits [B, classes, *size]."""
        logits = self.classes(self.block(x))
        return F.interpolate(logits, size, mode="bilinear", align_corners=True)


class ParsingNetwork(nn.Module):
    """BiSeNet. The spatial path of the paper is replaced by the backbone's own 1/8 map, as released."""

    def __init__(self, config: ParsingConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.context = ContextPath(config)
        self.fusion = FeatureFusion(config.backbone.channels[1] + width, 2 * width)
        self.head = Head(2 * width, 2 * width, config.classes)
        self.head8 = Head(width, width // 2, config.classes)
        self.head16 = Head(width, width // 2, config.classes)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images [B, 3, H, W] -> logits [B, classes, H, W]."""
        map8, context8, _ = self.context(images)
        return self.head(self.fusion(map8, context8), images.shape[2:])

    def all_heads(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The result and the two auxiliary heads that only training uses, each like `forward`."""
        map8, context8, context16 = self.context(images)
        size = images.shape[2:]
        fused = self.head(self.fusion(map8, context8), size)
        return fused, self.head8(context8, size), self.head16(context16, size)
