"""Backbone of extractor and gaze estimator: a residual network over the face, and glimpses if small."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gohd_core.constants import N_LANDMARKS
from gohd_core.face.reading.glimpses import GlimpseConfig, Glimpses
from gohd_core.face.reading.resnet import ResNet, ResNetConfig

SQUEEZED = 64
"""Channels that a small reader keeps of its last stage, position by position."""


@dataclass(frozen=True)
class FaceFeatures:
    """Features of faces.

    Attributes:
        features: [B, C]; with glimpses, of the whole image, the landmarks and the glimpses.
        landmarks: [B, 68, 2] in -1..1 over the image, y down; None for a reader without glimpses.
    """

    features: Tensor
    landmarks: Tensor | None


class FaceBackbone(nn.Module):
    """A residual network; with glimpses it also finds the landmarks and looks closely at them.

    Official networks have no glimpses and average the last stage over space. The small networks of
    the built-in family keep its positions, which landmarks and translation need, and
    see fine motion of lids, irises and lips in the glimpses.
    """

    def __init__(
        self, backbone: ResNetConfig, image_size: int, glimpses: GlimpseConfig | None = None
    ) -> None:
        super().__init__()
        self.backbone = ResNet(backbone)
        self.n_features = backbone.channels[-1]
        self.glimpses = None
        if glimpses is not None:
            self.squeeze = nn.Conv2d(self.n_features, SQUEEZED, 1)
            positions = (-(-image_size // 32)) ** 2
            self.landmarks = nn.Linear(SQUEEZED * positions, 2 * N_LANDMARKS)
            self.summary = nn.Linear(SQUEEZED * positions, glimpses.features)
            self.glimpses = Glimpses(glimpses)
            self.n_features = self.glimpses.n_features + glimpses.features + 2 * N_LANDMARKS

    def forward(self, images: Tensor, landmarks: Tensor | None = None) -> FaceFeatures:
        """Reads faces.

        Args:
            images: [B, 3, S, S] of the reader's image size.
            landmarks: [B, 68, 2] in -1..1, where to look instead of where the network finds them;
                faces with NaN there are left to the network.
        """
        if self.glimpses is None:
            return FaceFeatures(self.backbone(images), None)
        whole = torch.relu(self.squeeze(self.backbone.stages(images)[-1])).flatten(1)  # [B,64 h w]
        found = self.landmarks(whole).unflatten(1, (N_LANDMARKS, 2))  # [B,136] -> [B,68,2]
        where = found.detach()
        if landmarks is not None:
            where = torch.where(landmarks.isnan(), where, landmarks.to(where))
        looked = torch.relu(self.glimpses(images, where))
        features = torch.cat([torch.relu(self.summary(whole)), where.flatten(1), looked], 1)
        return FaceFeatures(features, found)
