"""VGG-19 (Simonyan and Zisserman 2015) up to the four resolutions of the perceptual loss (eq. 12)."""

from __future__ import annotations

from torch import Tensor, nn

from gohd_core.training.feature_networks.state import load_part, register_imagenet

STAGES = (2, 2, 4, 4)
"""Convolutions at full, half, quarter and eighth of the size."""

WIDTH = 64


class Vgg19(nn.Module):
    """The last activation at each of four resolutions: 256, 128, 64 and 32 for images of 256.

    Keys are those of the common ImageNet implementation ("0.weight", "2.weight", ... of its features).
    """

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels, self.outputs = 3, set()
        for stage, count in enumerate(STAGES):
            if stage:
                layers.append(nn.MaxPool2d(2, 2))
            for _ in range(count):
                layers += [nn.Conv2d(channels, width << stage, 3, padding=1), nn.ReLU()]
                channels = width << stage
            self.outputs.add(len(layers) - 1)
        for index, layer in enumerate(layers):
            self.add_module(str(index), layer)
        register_imagenet(self)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Images [B, 3, H, W] in [-1, 1] -> maps [B, 64 .. 512, H / 2^n, W / 2^n], n = 0 .. 3."""
        x = ((images + 1) / 2 - self.mean) / self.std
        found = []
        for name, layer in self.named_children():
            x = layer(x)
            if int(name) in self.outputs:
                found.append(x)
        return tuple(found)


def load_vgg19(path: str) -> Vgg19:
    """From torchvision's vgg19 weights."""
    return load_part(Vgg19(), path, "VGG-19")
