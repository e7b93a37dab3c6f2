"""Segments people from the background: MediaPipe's selfie segmentation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from gohd_core.errors import BadCheckpoint
from gohd_core.face.mediapipe.network import TfliteNetwork
from gohd_core.images import Image


class PersonMask(nn.Module):
    """The segmentation network."""

    def __init__(self, network: TfliteNetwork) -> None:
        super().__init__()
        shapes = [network.graph.shapes[i] for i in network.graph.outputs.values()]
        if shapes != [(1, *network.size, 1)]:
            raise BadCheckpoint(f"{network.where} is not the person mask known here; get it again.")
        self.network = network

    @torch.inference_mode()
    def read(self, images: Sequence[Image], device: torch.device) -> list[np.ndarray]:
        """Person mask of each picture: float32 [H, W] in 0..1."""
        import cv2

        height, width = self.network.size
        small = [cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA) for image in images]
        pixels = torch.from_numpy(np.stack(small)).to(device).permute(0, 3, 1, 2).to(torch.float32) / 255
        (masks,) = self.network(pixels).values()
        return [
            cv2.resize(mask, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
            for mask, image in zip(masks[..., 0].float().cpu().numpy(), images, strict=True)
        ]
