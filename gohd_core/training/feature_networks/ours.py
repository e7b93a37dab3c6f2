"""Our own networks (extractor, gaze estimator, face parser) as losses look through them."""

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


class ExtractorFeatures(_Resized):
    """Features before the coefficient extractor's heads."""

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """[B, 3, H, W] in [-1, 1] -> ([B, D],)."""
        _, reading = self.network(self.prepared(images))
        return (reading.features,)


class IdentityFeatures(_Resized):
    """The identity coefficients that the extractor reads."""

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """[B, 3, H, W] in [-1, 1] -> ([B, 80],)."""
        coefficients, _ = self.network(self.prepared(images))
        return (coefficients.identity,)


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


def load_extractor(path: str) -> ExtractorFeatures:
    """From epoch_20.pth, one of our files, or "builtin"."""
    return ExtractorFeatures(load_network(path, "extractor").network)


def load_identity(path: str) -> IdentityFeatures:
    """From epoch_20.pth, one of our files, or "builtin"."""
    return IdentityFeatures(load_network(path, "extractor").network)


def load_parsing(path: str) -> ParsingLogits:
    """From 79999_iter.pth or one of our files."""
    return ParsingLogits(load_network(path, "face_parsing").network)
