"""The network that reads 3DMM coefficients from a face (Deep3DFaceRecon, or small and built-in)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gohd_core.errors import BadInput
from gohd_core.face.geometry.camera import ALIGNED_SIZE
from gohd_core.face.reading.backbone import FaceBackbone, FaceFeatures
from gohd_core.face.reading.coefficients import SIZES, Coefficients
from gohd_core.face.reading.glimpses import GlimpseConfig
from gohd_core.face.reading.resnet import RESNET50, ResNetConfig

HEADS = {"identity": 80, "expression": 64, "texture": 80, "angle": 3, "light": 27, "shift": 2, "depth": 1}
"""Output widths in the official order; shift and depth together are the translation."""


@dataclass(frozen=True)
class ExtractorConfig:
    """Shape of a coefficient extractor; the defaults are Deep3DFaceRecon's.

    Attributes:
        image_size: side of its input in pixels.
        aligned: whether it wants the five-point alignment; the built-in one sees the crop as it is.
        backbone: its residual network.
        heads: the groups that it predicts; others stay zero.
        glimpses: close looks at eyes and mouth (built-in family), or None.
        hidden: width of the layer that reads glimpses.
    """

    image_size: int = ALIGNED_SIZE
    aligned: bool = True
    backbone: ResNetConfig = RESNET50
    heads: tuple[str, ...] = tuple(HEADS)
    glimpses: GlimpseConfig | None = None
    hidden: int = 256

    def __post_init__(self) -> None:
        unknown = [name for name in self.heads if name not in HEADS]
        if unknown:
            raise BadInput(f"Unknown extractor heads {unknown}; use some of {', '.join(HEADS)}.")


class ExtractorNetwork(nn.Module):
    """Residual network and one linear head per group of coefficients."""

    def __init__(self, config: ExtractorConfig) -> None:
        super().__init__()
        self.config = config
        self.reader = FaceBackbone(config.backbone, config.image_size, config.glimpses)
        width = self.reader.n_features
        self.trunk = None
        if config.glimpses is not None:
            self.trunk = nn.Sequential(nn.Linear(width, config.hidden), nn.ReLU(inplace=True))
            width = config.hidden
        self.heads = nn.ModuleList(nn.Linear(width, HEADS[name]) for name in config.heads)
        for head in self.heads:
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def forward(self, images: Tensor, landmarks: Tensor | None = None) -> tuple[Coefficients, FaceFeatures]:
        """Reads coefficients.

        Args:
            images: [B, 3, S, S] in 0..1, S the config's image_size.
            landmarks: [B, 68, 2] in -1..1, for the glimpses; None lets the network find them.
        """
        reading = self.reader(images, landmarks)
        features = reading.features if self.trunk is None else self.trunk(reading.features)
        pairs = zip(self.config.heads, self.heads, strict=True)
        found = {name: head(features) for name, head in pairs}
        shift, depth = (self._group(found, name, images) for name in ("shift", "depth"))
        groups = {n: self._group(found, n, images) for n in SIZES if n != "translation"}
        return Coefficients(**groups, translation=torch.cat([shift, depth], -1)), reading

    @staticmethod
    def _group(found: dict[str, Tensor], name: str, images: Tensor) -> Tensor:
        return found[name] if name in found else images.new_zeros(len(images), HEADS[name])
