"""The face parser: which of 19 parts of a face each pixel shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gohd_core.checkpoints.runtime import Runtime
from gohd_core.errors import BadInput
from gohd_core.face.reading.gaze_estimator import IMAGENET_MEAN, IMAGENET_STD
from gohd_core.face.segmentation.parsing_network import ParsingConfig, ParsingNetwork
from gohd_core.images import rgb_images, to_tensor


class FaceParser(Runtime):
    """Labels the parts of a face. Attributes: see `Runtime`. The built-in family has none."""

    components = ("face_parsing",)
    network: ParsingNetwork
    config: ParsingConfig

    def parse(self, images: Any, *, batch_size: int = 4) -> Tensor:
        """Labels of every pixel, uint8 [B, H, W] at the images' own size; see `parsing_labels`.

        Args:
            images: any form of `rgb_images`, all of one size: square crops of faces.
        """
        pictures = rgb_images(images)
        if len({picture.shape for picture in pictures}) > 1:
            raise BadInput("The images differ in size; parse them one by one.")
        rows = []
        for start in range(0, len(pictures), batch_size):
            logits = self.logits(pictures[start : start + batch_size])
            if logits.shape[2:] != pictures[0].shape[:2]:
                logits = F.interpolate(logits, pictures[0].shape[:2], mode="bilinear")
            rows.append(logits.argmax(1).to(torch.uint8).cpu())
        return torch.cat(rows)

    @torch.inference_mode()
    def logits(self, images: Any) -> Tensor:
        """Logits [B, 19, S, S] at the network's own size, 512 in the official file."""
        from PIL import Image as PilImage

        size = self.config.image_size
        resized = [
            np.asarray(PilImage.fromarray(picture).resize((size, size), PilImage.Resampling.BILINEAR))
            for picture in rgb_images(images)
        ]
        parameter = next(self.network.parameters())
        x = to_tensor(resized, parameter.device, parameter.dtype)
        mean, std = (x.new_tensor(v)[:, None, None] for v in (IMAGENET_MEAN, IMAGENET_STD))
        return self.network((x - mean) / std).float()
