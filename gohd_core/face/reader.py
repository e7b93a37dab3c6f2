"""What extractor and gaze estimator share: a residual network over the face, and glimpses if small."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gohd_core.constants import N_LANDMARKS
from gohd_core.face.glimpses import GlimpseConfig, Glimpses
from gohd_core.face.resnet import ResNet, ResNetConfig


@dataclass(frozen=True)
class Reading:
    """Features of faces.

    Attributes:
        whole: [B, C], of the whole image.
        detail: [B, D], of whole image, landmarks and glimpses together; equal to `whole` without those.
        landmarks: [B, 68, 2] in -1..1 over the image, y down; None for a reader without glimpses.
    """

    whole: Tensor
    detail: Tensor
    landmarks: Tensor | None


class FaceReader(nn.Module):
    """A residual network; with glimpses it also finds the landmarks and looks closely at them.

    Official networks have no glimpses and average the last stage over space. The small networks of
    the built-in family keep its positions, without which landmarks and translation can't be told, and
    see fine motion of lids, irises and lips in the glimpses.
    """

    def __init__(
        self, backbone: ResNetConfig, image_size: int, glimpses: GlimpseConfig | None = None
    ) -> None:
        super().__init__()
        self.backbone = ResNet(backbone)
        self.glimpses = None
        self.whole_features = self.detail_features = backbone.channels[-1]
        if glimpses is not None:
            self.whole_features *= (-(-image_size // 32)) ** 2
            self.glimpses = Glimpses(glimpses)
            self.landmarks = nn.Linear(self.whole_features, 2 * N_LANDMARKS)
            hidden = glimpses.features
            self.summary = nn.Linear(self.whole_features, hidden)
            self.detail_features = self.glimpses.n_features + hidden + 2 * N_LANDMARKS

    def forward(self, images: Tensor, landmarks: Tensor | None = None) -> Reading:
        """Reads faces.

        Args:
            images: [B, 3, S, S] of the reader's image size.
            landmarks: [B, 68, 2] in -1..1, where to look instead of where the network finds them.
        """
        if self.glimpses is None:
            features = self.backbone(images)
            return Reading(features, features, landmarks)
        whole = self.backbone.stages(images)[-1].flatten(1)
        found = self.landmarks(whole).unflatten(1, (N_LANDMARKS, 2))
        where = found if landmarks is None else landmarks.to(found)
        looked = self.glimpses(images, where)
        detail = torch.cat([torch.relu(self.summary(whole)), where.detach().flatten(1), looked], 1)
        return Reading(whole, detail, found)
