"""Our gaze estimator and face parser as the networks of feature losses (eq. 14, 15)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from gohd_core.checkpoints.loading import load_network
from gohd_core.training.feature_networks.state import register_imagenet


class _Resized(nn.Module):
    """A network that gets images in [0, 1] at its own size."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.size = network, network.config.image_size

    def prepared(self, images: Tensor) -> Tensor:
        """Images [B, 3, H, W] in [-1, 1] -> [B, 3, S, S] in [0, 1]."""
        images = (images + 1) / 2
        if images.shape[-1] == self.size:
            return images
        shrinks = images.shape[-1] > self.size
        return F.interpolate(images, size=(self.size, self.size), mode="bilinear", antialias=shrinks)


class GazeFeatures(_Resized):
    """Features before the gaze estimator's head (eq. 14)."""

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """[B, 3, H, W] in [-1, 1] -> ([B, D],)."""
        _, _, reading = self.network(self.prepared(images))
        return (reading.features,)


class ParsingLogits(_Resized):
    """The face parser's logits (eq. 15), at the network's own size."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__(network)
        register_imagenet(self)

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """[B, 3, H, W] in [-1, 1] -> ([B, classes, S, S],)."""
        return (self.network((self.prepared(images) - self.mean) / self.std),)


def load_gaze(path: str) -> GazeFeatures:
    """From L2CSNet_gaze360.pkl, one of our files, or "builtin"."""
    return GazeFeatures(load_network(path, "gaze_estimator").network)


def load_parsing(path: str) -> ParsingLogits:
    """From 79999_iter.pth or one of our files."""
    return ParsingLogits(load_network(path, "face_parsing").network)
