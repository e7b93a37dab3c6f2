"""The gaze estimator: pitch and yaw of the eyes in camera axes (L2CS-Net, or small and built-in).

Signs, in both coefficient spaces: pitch > 0 looks up, yaw > 0 looks to the **image's left**. They are
those of the official network, after its authors' own drawing of the result. It returns the
horizontal angle first, whatever its names say; here it always comes second, as (pitch, yaw).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gohd_core.checkpoints.runtime import Runtime
from gohd_core.constants import FPS
from gohd_core.errors import BadInput
from gohd_core.face.crop import Box, slice_box
from gohd_core.face.reading.backbone import FaceBackbone, FaceFeatures
from gohd_core.face.reading.extractor import square_face
from gohd_core.face.reading.glimpses import GlimpseConfig
from gohd_core.face.reading.resnet import RESNET50, ResNetConfig
from gohd_core.images import Image, rgb_images, to_tensor
from gohd_core.motion import Gaze

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
FACE_SIZE = 224
"""The official detector's crops have this side before they are enlarged to the network's input."""


@dataclass(frozen=True)
class GazeConfig:
    """Shape of a gaze estimator; the defaults are L2CS-Net's.

    Attributes:
        image_size: side of its input in pixels.
        backbone: its residual network.
        bins, bin_degrees: each angle is the expectation over this many bins, centred on zero at the
            middle bin: degrees = bin_degrees * (expected index - bins / 2).
        glimpses: close looks at the eyes (built-in family), or None.
        hidden: width of the layer that reads glimpses.
        imagenet: normalise colours by ImageNet's mean and deviation.
    """

    image_size: int = 448
    backbone: ResNetConfig = RESNET50
    bins: int = 90
    bin_degrees: float = 4.0
    glimpses: GlimpseConfig | None = None
    hidden: int = 256
    imagenet: bool = True


class GazeNetwork(nn.Module):
    """Residual network with one row of bins for each angle."""

    def __init__(self, config: GazeConfig) -> None:
        super().__init__()
        self.config = config
        self.reader = FaceBackbone(config.backbone, config.image_size, config.glimpses)
        width = self.reader.n_features
        self.hidden = None
        if config.glimpses is not None:
            self.hidden = nn.Sequential(nn.Linear(width, config.hidden), nn.ReLU(inplace=True))
            width = config.hidden
        self.horizontal = nn.Linear(width, config.bins)
        self.vertical = nn.Linear(width, config.bins)

    def forward(self, images: Tensor, landmarks: Tensor | None = None) -> tuple[Tensor, Tensor, FaceFeatures]:
        """Reads gaze from images [B, 3, S, S] in 0..1.

        landmarks: [B, 68, 2] in -1..1, for the glimpses; None lets the network find them.
        Returns: logits of yaw [B, bins], logits of pitch [B, bins], and the reader's findings.
        """
        if self.config.imagenet:
            mean, std = (images.new_tensor(v)[:, None, None] for v in (IMAGENET_MEAN, IMAGENET_STD))
            images = (images - mean) / std
        reading = self.reader(images, landmarks)
        features = reading.features if self.hidden is None else self.hidden(reading.features)
        return self.horizontal(features), self.vertical(features), reading

    def angle(self, logits: Tensor) -> Tensor:
        """Logits [B, bins] -> radians [B]: the expectation over bins."""
        index = torch.arange(self.config.bins, device=logits.device, dtype=torch.float32)
        expected = logits.float().softmax(-1) @ index
        return torch.deg2rad(self.config.bin_degrees * (expected - self.config.bins / 2))

    def gaze(self, images: Tensor) -> Tensor:
        """Gaze (pitch, yaw) in radians, [B, 3, S, S] -> [B, 2]."""
        yaw, pitch, _ = self(images)
        return torch.stack([self.angle(pitch), self.angle(yaw)], -1)


class GazeEstimator(Runtime):
    """Reads where the eyes look. Attributes: see `Runtime`."""

    components = ("gaze_estimator",)
    network: GazeNetwork
    config: GazeConfig

    @torch.inference_mode()
    def estimate(
        self, images: Any, boxes: Any = None, *, fps: Fraction | int | float = FPS, batch_size: int = 16
    ) -> Gaze:
        """Gaze (pitch, yaw) of each face in radians; see the module for the signs.

        Args:
            images: any form of `rgb_images`, one face each; a single image may have several boxes.
            boxes: [T, 4] (left, top, right, bottom) of a face detector, in pixels; corners outside
                the picture are moved to its edge. None: each image is a crop of the face.
        Raises: `BadInput` with one sentence.
        """
        faces = _crop_boxes(rgb_images(images), boxes)
        parameter = next(self.network.parameters())
        rows = []
        for start in range(0, len(faces), batch_size):
            inputs = [self._input(face) for face in faces[start : start + batch_size]]
            rows.append(self.network.gaze(to_tensor(inputs, parameter.device, parameter.dtype)).cpu())
        return Gaze(torch.cat(rows), self.space, fps)

    def _input(self, face: Image) -> Image:
        """As released: bilinear to 224 without antialiasing, then bilinear to the input size."""
        from PIL import Image as PilImage

        size = self.config.image_size
        if self.config.glimpses is not None:
            return square_face(face, size)
        import cv2

        small = cv2.resize(face, (FACE_SIZE, FACE_SIZE), interpolation=cv2.INTER_LINEAR)
        return np.asarray(PilImage.fromarray(small).resize((size, size), PilImage.Resampling.BILINEAR))


def _crop_boxes(images: list[Image], boxes: Any) -> list[Image]:
    if boxes is None:
        return images
    boxes = boxes.detach().cpu().numpy() if isinstance(boxes, Tensor) else boxes
    try:
        rows = np.asarray(boxes, np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"The boxes are not an array of numbers ({error}).") from error
    rows = rows[None] if rows.ndim == 1 else rows
    if rows.ndim != 2 or rows.shape[1] != 4:
        raise BadInput(f"The boxes have shape {rows.shape}; [T, 4] is wanted: left, top, right, bottom.")
    if len(images) == 1:
        images = images * len(rows)
    if len(images) != len(rows):
        raise BadInput(f"There are {len(images)} images and {len(rows)} boxes; give one box each.")
    return [_inside(image, Box.of(row)) for image, row in zip(images, rows, strict=True)]


def _inside(image: Image, box: Box) -> Image:
    """The official code lets a negative corner index from the far side, and crashes; this clips it."""
    height, width = image.shape[:2]
    left, top, right, bottom = box.as_tuple()
    if left >= width or top >= height or right <= 0 or bottom <= 0:
        raise BadInput(
            f"The face box {tuple(round(v) for v in box.as_tuple())} lies outside the {width} x {height} "
            "picture."
        )
    clipped = Box(max(0.0, left), max(0.0, top), min(width, right), min(height, bottom))
    return slice_box(image, clipped)


def gaze_direction(gaze: Tensor) -> Tensor:
    """Gaze (pitch, yaw) [..., 2] -> unit vectors [..., 3]: x to the image's right, y up, z to the camera."""
    pitch, yaw = gaze.unbind(-1)
    return torch.stack([-yaw.sin() * pitch.cos(), pitch.sin(), yaw.cos() * pitch.cos()], -1)


def angular_error(gaze: Tensor, truth: Tensor) -> Tensor:
    """Angle between two gazes [..., 2] in degrees, [...]."""
    cosine = (gaze_direction(gaze) * gaze_direction(truth)).sum(-1).clamp(-1, 1)
    return cosine.acos() * (180 / math.pi)
