"""The coefficient extractor: from pictures of faces to head pose, expression and identity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gohd_core.checkpoints.runtime import Runtime
from gohd_core.constants import FPS, N_GAZE, N_LANDMARKS
from gohd_core.errors import BadInput, raise_if_stopped
from gohd_core.face.alignment import align_face
from gohd_core.face.coefficients import Coefficients
from gohd_core.face.crop import is_square
from gohd_core.face.extractor_network import ExtractorConfig, ExtractorNetwork
from gohd_core.images import Image, check_landmarks, rgb_images, to_tensor
from gohd_core.motion import Expression, Gaze, Motion, Pose

NO_FACE = ("raise", "whole", "hold")


@dataclass(frozen=True, eq=False)
class Extraction(Motion):
    """The motion that was read from pictures, and what else the extractor says.

    The extractor can't see gaze: it is zero and marked as not observed.

    Attributes:
        identity: i of eq. 10 per frame, [T, 80].
        landmarks: [T, 68, 2] in pixels of each picture, y down, where the network finds them itself.
        coefficients: all groups, as the network gives them.
        found: [T] bool, False where no face was given.
    """

    identity: Tensor = field(default=None)  # type: ignore[assignment]
    landmarks: Tensor | None = None
    coefficients: Coefficients = field(default=None)  # type: ignore[assignment]
    found: Tensor = field(default=None)  # type: ignore[assignment]


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
        no_face: str = "raise",
        fps: Fraction | int | float = FPS,
        batch_size: int = 32,
        progress: Callable[[int, int], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Extraction:
        """Coefficients of each picture.

        Args:
            images: any form of `rgb_images`, of any sizes; one picture per frame.
            landmarks: [T, 68, 2] in pixels of each picture, or a list with None where no face was
                found. None altogether: each picture is a square crop, already aligned for the
                official extractor, framed like a portrait for the built-in one.
            no_face: frames without landmarks: "raise"; "whole" takes the whole picture as the face, as
                the official code does; "hold" repeats the nearest frame that has one. Both mark the
                frame as not observed.
        Raises: `BadInput` with one sentence; `Interrupted`.
        """
        pictures = rgb_images(images)
        points = _per_frame(landmarks, len(pictures), no_face)
        groups, found_landmarks = [], []
        for start in range(0, len(pictures), batch_size):
            raise_if_stopped(should_stop, "Reading coefficients was stopped.")
            chunk = slice(start, start + batch_size)
            columns, where = self._run(pictures[chunk], points[chunk])
            groups.append(columns)
            found_landmarks.append(where)
            if progress is not None:
                progress(min(start + batch_size, len(pictures)), len(pictures))
        found = torch.tensor(
            [landmarks is None or p is not None for p in points], dtype=torch.bool, device="cpu"
        )
        columns = torch.cat(groups)
        if no_face == "hold":
            columns = columns[_nearest_found(found)]
        lands = None if found_landmarks[0] is None else torch.cat(found_landmarks)
        return self._result(Coefficients.from_columns(columns), lands, found, fps)

    def _result(self, groups: Coefficients, landmarks: Tensor | None, found: Tensor, fps: Any) -> Extraction:
        unseen = torch.zeros(len(found), N_GAZE, dtype=torch.float32, device="cpu")
        return Extraction(
            Pose(groups.pose, self.space, fps, found),
            Expression(groups.expression, self.space, fps, found),
            Gaze(unseen, self.space, fps, torch.zeros_like(found)),
            identity=groups.identity,
            landmarks=landmarks,
            coefficients=groups,
            found=found,
        )

    @torch.inference_mode()
    def _run(self, pictures: list[Image], points: list[np.ndarray | None]) -> tuple[Tensor, Tensor | None]:
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

    def _faces(
        self, pictures: list[Image], points: list[np.ndarray | None]
    ) -> tuple[list[Image], Tensor | None]:
        size = self.config.image_size
        if self.config.aligned and any(p is not None for p in points):
            pairs = zip(pictures, points, strict=True)
            return [align_face(i, p, no_face="whole", size=size).image for i, p in pairs], None
        faces = [square_face(picture, size) for picture in pictures]
        if self.config.aligned or any(p is None for p in points):
            return faces, None
        scaled = [
            2 * (p + 0.5) / (picture.shape[1], picture.shape[0]) - 1
            for p, picture in zip(points, pictures, strict=True)
        ]
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


def _per_frame(landmarks: Any, n: int, no_face: str) -> list[np.ndarray | None]:
    if no_face not in NO_FACE:
        raise BadInput(f"no_face is {no_face!r}; use one of {', '.join(NO_FACE)}.")
    if landmarks is None:
        return [None] * n
    if not (isinstance(landmarks, Sequence) and any(p is None for p in landmarks)):
        return list(check_landmarks(landmarks, n, N_LANDMARKS))
    if len(landmarks) != n:
        raise BadInput(f"There are {n} pictures and landmarks for {len(landmarks)}; give one each.")
    missing = [index for index, points in enumerate(landmarks) if points is None]
    if no_face == "raise" or (no_face == "hold" and len(missing) == n):
        raise BadInput(
            f"No face was found in {len(missing)} of {n} pictures (the first is number {missing[0]}); "
            "leave them out, or choose to hold the nearest face."
        )
    return [None if p is None else check_landmarks(p, 1, N_LANDMARKS)[0] for p in landmarks]


def _nearest_found(found: Tensor) -> Tensor:
    """For each frame the nearest one that has a face, the earlier one of two equally near, [T]."""
    there = found.nonzero()[:, 0]
    distance = (torch.arange(len(found), dtype=torch.long, device="cpu")[:, None] - there).abs()
    return there[distance.argmin(1)]
