"""ArcFace's iResNet-50 (Deng et al. 2019): identity features of aligned faces."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from gohd_core.training.feature_networks.state import load_part

IMAGE_SIZE = 112
DEPTHS = (3, 4, 14, 3)
WIDTH = 64
EPSILON = 1e-5


class IBlock(nn.Module):
    """Batch norm before the first convolution, PReLU between, none after the sum."""

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels, EPSILON)
        self.conv1 = nn.Conv2d(in_channels, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width, EPSILON)
        self.prelu = nn.PReLU(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width, EPSILON)
        self.downsample = None
        if stride != 1 or in_channels != width:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, width, 1, stride, bias=False), nn.BatchNorm2d(width, EPSILON)
            )

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, width, H / stride, W / stride]."""
        y = self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x))))))
        return y + (x if self.downsample is None else self.downsample(x))


class ArcFace(nn.Module):
    """Identity of a face as a unit vector of 512; keys are those of the released iResNet-50."""

    def __init__(self, depths: tuple[int, ...] = DEPTHS, width: int = WIDTH, features: int = 512) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width, EPSILON)
        self.prelu = nn.PReLU(width)
        channels = width
        for stage, depth in enumerate(depths):
            blocks = []
            for index in range(depth):
                blocks.append(IBlock(channels, width << stage, 1 if index else 2))
                channels = width << stage
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.bn2 = nn.BatchNorm2d(channels, EPSILON)
        self.fc = nn.Linear(channels * (IMAGE_SIZE >> len(depths)) ** 2, features)
        self.features = nn.BatchNorm1d(features, EPSILON)

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Images [B, 3, H, W] in [-1, 1] of aligned faces -> ([B, 512],) of length 1."""
        x = F.interpolate(images, size=(IMAGE_SIZE, IMAGE_SIZE), mode="bilinear", antialias=True)
        x = self.prelu(self.bn1(self.conv1(x)))
        for stage in range(len(DEPTHS)):
            x = self.get_submodule(f"layer{stage + 1}")(x)
        return (F.normalize(self.features(self.fc(self.bn2(x).flatten(1)))),)


def load_arcface(path: str) -> ArcFace:
    """From the released iResNet-50 (backbone.pth)."""
    return load_part(ArcFace(), path, "ArcFace's iResNet-50")
