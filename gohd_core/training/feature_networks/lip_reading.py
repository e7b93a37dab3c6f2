"""The visual front end of a lip reader (Ma et al. 2022), for the lip reading loss (eq. 23)."""

from __future__ import annotations

from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from gohd_core.face.reading.resnet import BasicBlock
from gohd_core.training.feature_networks.state import load_part

MEAN = 0.421
"""Of grey values in [0, 1], as the lip reader was trained."""
STD = 0.165
"""Their standard deviation."""

WIDTH = 64


class SwishBlock(BasicBlock):
    """A residual block with swish activations; the lip reader has no ReLU."""

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, width, H / stride, W / stride]."""
        y = self.bn2(self.conv2(F.silu(self.bn1(self.conv1(x)))))
        return F.silu(y + (x if self.downsample is None else self.downsample(x)))


class LipReader(nn.Module):
    """A convolution over five frames and a ResNet-18 on each: one feature vector a frame.

    Keys are those of the released front end ("frontend3D.0.weight", "trunk.layer1.0.conv1.weight", ...).
    """

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.frontend3D = nn.Sequential(
            nn.Conv3d(1, width, (5, 7, 7), (1, 2, 2), (2, 3, 3), bias=False),
            nn.BatchNorm3d(width),
            nn.SiLU(),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        )
        self.trunk = nn.Sequential()
        channels = width
        for stage in range(4):
            blocks = []
            for index in range(2):
                blocks.append(SwishBlock(channels, width << stage, 2 if stage and not index else 1))
                channels = width << stage
            self.trunk.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))

    def forward(self, mouths: Tensor) -> tuple[Tensor]:
        """Grey mouths [B, T, H, W] in [0, 1] (88 x 88 as trained) -> ([B, T, 512],)."""
        x = self.frontend3D((mouths[:, None] - MEAN) / STD)
        frames = rearrange(x, "b c t h w -> (b t) c h w")
        return (self.trunk(frames).mean((2, 3)).unflatten(0, mouths.shape[:2]),)


def load_lip_reading(path: str) -> LipReader:
    """From a released lip reader's file; only its front end is used."""
    return load_part(LipReader(), path, "the lip reader's front end")
