"""A ResNet-50 that recognises expressions, for the expression loss (eq. 13)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from gohd_core.face.reading.resnet import RESNET50, ResNet, ResNetConfig
from gohd_core.training.feature_networks.state import load_part, register_imagenet

IMAGE_SIZE = 224


class PooledResNet(nn.Module):
    """The averaged last map of a residual network over images brought to its size."""

    def __init__(self, config: ResNetConfig = RESNET50, size: int = IMAGE_SIZE) -> None:
        super().__init__()
        self.backbone, self.size = ResNet(config), size
        register_imagenet(self)

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Images [B, 3, H, W] in [-1, 1] -> ([B, 2048],)."""
        resized = F.interpolate(
            (images + 1) / 2, size=(self.size, self.size), mode="bilinear", antialias=True
        )
        return (self.backbone((resized - self.mean) / self.std),)


def load_emotion(path: str) -> PooledResNet:
    """From any file that holds a ResNet-50 under the common key names, e.g. EMOCA's or DECA's."""
    network = PooledResNet()
    load_part(network.backbone, path, "a ResNet-50")
    return network
