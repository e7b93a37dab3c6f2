"""Close looks at eyes and mouth: small networks see fine motion there that the whole image hides."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gohd_core.constants import N_LANDMARKS
from gohd_core.errors import BadInput
from gohd_core.landmarks68 import LEFT_EYE, MOUTH, RIGHT_EYE

REGIONS: dict[str, tuple[slice, float, float]] = {
    "right_eye": (RIGHT_EYE, 0.62, 0.10),
    "left_eye": (LEFT_EYE, 0.62, 0.10),
    "mouth": (MOUTH, 0.72, -0.03),
}
"""Landmarks; half side of the square and its shift upwards, both in units of the face's spread.

The spread is the root mean square distance of the 68 landmarks from their centre. Eye squares reach
over the brows, the mouth's reaches down to an open jaw.
"""

MIRRORED = "left_eye"
"""This region is mirrored, so that both eyes share one encoder."""


@dataclass(frozen=True)
class GlimpseConfig:
    """Attributes: the regions looked at, the side of a crop in pixels, channels, and features each."""

    regions: tuple[str, ...] = ("right_eye", "left_eye", "mouth")
    size: int = 32
    width: int = 16
    features: int = 64

    def __post_init__(self) -> None:
        unknown = [name for name in self.regions if name not in REGIONS]
        if unknown or not self.regions:
            raise BadInput(f"Unknown glimpse regions {unknown}; use some of {', '.join(REGIONS)}.")
        if self.size < 16 or self.size % 8:
            raise BadInput(f"The glimpse size is {self.size}; give a multiple of 8, at least 16.")


class Encoder(nn.Sequential):
    """[B, 3, S, S] -> [B, features]: four 3x3 convolutions, three of them with stride 2, and a linear."""

    def __init__(self, config: GlimpseConfig) -> None:
        layers: list[nn.Module] = []
        channels = [3, *(config.width * factor for factor in (1, 2, 3, 4))]
        for index, (inner, outer) in enumerate(pairwise(channels)):
            layers += [nn.Conv2d(inner, outer, 3, 2 if index else 1, 1, bias=False), nn.BatchNorm2d(outer)]
            layers.append(nn.ReLU(inplace=True))
        last = channels[-1] * (config.size // 8) ** 2
        super().__init__(*layers, nn.Flatten(), nn.Linear(last, config.features))


class Glimpses(nn.Module):
    """Crops each region where the landmarks say it is, upright, and encodes it."""

    def __init__(self, config: GlimpseConfig) -> None:
        super().__init__()
        self.config = config
        kinds = sorted({_kind(name) for name in config.regions})
        self.encoders = nn.ModuleDict({kind: Encoder(config) for kind in kinds})

    @property
    def n_features(self) -> int:
        """Width of the result."""
        return len(self.config.regions) * self.config.features

    def forward(self, images: Tensor, landmarks: Tensor) -> Tensor:
        """Encodes all regions.

        Args:
            images: [B, 3, H, W].
            landmarks: [B, 68, 2] in -1..1 over the image (corners of the image at -1 and 1, y down).
        Returns: [B, regions * features]. No gradient goes into the landmarks.
        """
        landmarks = landmarks.detach()
        features = []
        for name in self.config.regions:
            crop = region_crop(images, landmarks, name, self.config.size)
            features.append(self.encoders[_kind(name)](crop))
        return torch.cat(features, 1)


def _kind(region: str) -> str:
    return "mouth" if region == "mouth" else "eye"


def region_crop(images: Tensor, landmarks: Tensor, region: str, size: int) -> Tensor:
    """One region as [B, 3, size, size], turned so that the eye line is level; zero outside the image."""
    if landmarks.shape[1:] != (N_LANDMARKS, 2):
        raise BadInput(f"The landmarks have shape {tuple(landmarks.shape)}; [B, 68, 2] is wanted.")
    group, half, lift = REGIONS[region]
    # -1..1 is stretched to pixels, so that squares stay square in a picture that is not. Places need
    # float32 whatever the network computes in: bfloat16 would be off by half a pixel.
    extent = torch.tensor(
        [images.shape[-1] / 2, images.shape[-2] / 2], device=images.device, dtype=torch.float32
    )
    points = landmarks.float() * extent
    spread = (points - points.mean(1, keepdim=True)).square().sum(-1).mean(1, keepdim=True).sqrt()
    right = F.normalize(points[:, LEFT_EYE].mean(1) - points[:, RIGHT_EYE].mean(1), dim=-1)
    down = torch.stack([-right[:, 1], right[:, 0]], -1)
    centre = points[:, group].mean(1) - down * lift * spread
    side = half * spread * (-1 if region == MIRRORED else 1)
    matrix = torch.stack([right * side, down * half * spread, centre], -1) / extent[:, None]
    grid = F.affine_grid(matrix, [len(images), 3, size, size], align_corners=False)
    crop = F.grid_sample(images.float(), grid, "bilinear", "zeros", align_corners=False)
    return crop.to(images.dtype)
