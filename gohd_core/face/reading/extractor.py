"""The coefficient extractor: from pictures of faces to head pose, expression and identity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gohd_core.checkpoints.runtime import Runtime
from gohd_core.constants import FPS, N_GAZE, N_LANDMARKS
from gohd_core.errors import BadInput, raise_if_stopped
from gohd_core.face.crop import is_square
from gohd_core.face.reading.alignment import align_face
from gohd_core.face.reading.coefficients import Coefficients
from gohd_core.face.reading.extractor_network import ExtractorConfig, ExtractorNetwork
from gohd_core.images import Image, check_landmarks, rgb_images, to_tensor
from gohd_core.motion import Expression, Gaze, Motion, Pose


@dataclass(frozen=True, eq=False)
class Extraction(Motion):
    """The motion that was read from pictures, and what else the extractor says.

    The extractor can't see gaze: it is zero and marked as not observed.

    Attributes:
        identity: i of eq. 10 per frame, [T, 80].
        landmarks: [T, 68, 2] in pixels of each picture, y down, where the network finds them itself.
        coefficients: all groups, as the network gives them.
    """

    identity: Tensor = field(default=None)  # type: ignore[assignment]
    landmarks: Tensor | None = None
    coefficients: Coefficients = field(default=None)  # type: ignore[assignment]


class CoefficientExtractor(Runtime):
    """Reads 3DMM coefficients (supplement A) from pictures. Attributes: see `Runtime`."""

    components = ("extractor",)
    network: ExtractorNetwork
    config: ExtractorConfig

    def extract(
        self,
        images: Any,
        landmarks: Any = None,
        *,
        fps: Fraction | int | float = FPS,
        batch_size: int = 32,
        progress: Callable[[int, int], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Extraction:
        """Coefficients of each picture.

        Args:
            images: any form of `rgb_images`, of any sizes; one picture per frame.
            landmarks: [T, 68, 2] in pixels of each picture. None: each picture is a square crop, already
                aligned for the official extractor, framed like a portrait for the built-in one.
        Raises: `BadInput` with one sentence; `Interrupted`.
        """
        pictures = rgb_images(images)
        points = None if landmarks is None else check_landmarks(landmarks, len(pictures), N_LANDMARKS)
        groups, found_landmarks = [], []
        for start in range(0, len(pictures), batch_size):
            raise_if_stopped(should_stop, "Reading coefficients was stopped.")
            chunk = slice(start, start + batch_size)
            columns, where = self._run(pictures[chunk], None if points is None else points[chunk])
            groups.append(columns)
            found_landmarks.append(where)
            if progress is not None:
                progress(min(start + batch_size, len(pictures)), len(pictures))
        lands = None if found_landmarks[0] is None else torch.cat(found_landmarks)
        found = Coefficients.from_columns(torch.cat(groups))
        unseen = torch.zeros(len(pictures), N_GAZE, dtype=torch.float32, device="cpu")
        return Extraction(
            Pose(found.pose, self.space, fps),
            Expression(found.expression, self.space, fps),
            Gaze(unseen, self.space, fps, torch.zeros(len(pictures), dtype=torch.bool, device="cpu")),
            identity=found.identity,
            landmarks=lands,
            coefficients=found,
        )

    @torch.inference_mode()
    def _run(self, pictures: list[Image], points: np.ndarray | None) -> tuple[Tensor, Tensor | None]:
        parameter = next(self.network.parameters())
        faces, given = self._faces(pictures, points)
        images = to_tensor(faces, parameter.device, parameter.dtype)
        coefficients, reading = self.network(images, given)
        columns = coefficients.columns().float().cpu()
        if self.config.glimpses is None:
            return columns, None
        sizes = torch.tensor([[p.shape[1], p.shape[0]] for p in pictures], dtype=torch.long, device="cpu")[
            :, None
        ]
        return columns, (reading.landmarks.float().cpu() + 1) / 2 * sizes - 0.5

    def _faces(self, pictures: list[Image], points: np.ndarray | None) -> tuple[list[Image], Tensor | None]:
        size = self.config.image_size
        if points is None:
            return [square_face(picture, size) for picture in pictures], None
        pairs = list(zip(pictures, points, strict=True))
        if self.config.aligned:
            return [align_face(picture, where, size=size).image for picture, where in pairs], None
        scaled = [2 * (where + 0.5) / (picture.shape[1], picture.shape[0]) - 1 for picture, where in pairs]
        faces = [square_face(picture, size) for picture in pictures]
        return faces, torch.tensor(np.stack(scaled), dtype=torch.float32, device="cpu")


def square_face(picture: Image, size: int) -> Image:
    """A square crop at size x size (bicubic, antialiased); `BadInput` when it isn't square."""
    from PIL import Image as PilImage

    height, width = picture.shape[:2]
    if not is_square(height, width):
        raise BadInput(
            f"The picture is {width} x {height} and no landmarks were given, so where the face is can't "
            "be told; give its landmarks, or a square crop of it (see prepare_portrait)."
        )
    if (height, width) == (size, size):
        return picture
    image = PilImage.fromarray(picture).resize((size, size), PilImage.Resampling.BICUBIC)
    return np.asarray(image)
