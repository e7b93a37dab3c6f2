"""The portrait: a source picture with its face crop, the way back, and its own coefficients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from einops import rearrange
from torch import Tensor
from torch.nn.functional import interpolate

from gohd_core.constants import N_LANDMARKS, STYLISED
from gohd_core.errors import BadInput
from gohd_core.face.crop import Box, face_crop_box, is_square, resize_crop, slice_box
from gohd_core.face.geometry.reprojection import reprojection_error
from gohd_core.face.picking import FaceChoice
from gohd_core.face.reading.extractor import CoefficientExtractor
from gohd_core.face.reading.gaze_estimator import GazeEstimator
from gohd_core.images import check_landmarks, rgb_images, single_image
from gohd_core.motion import Expression, Gaze, Motion, Pose

SIZE = 256
"""Side of the crop that the official animator takes, in pixels."""

MIN_SIDE, MAX_SIDE = 32, 4096
"""Pixels of a face crop's side: below, no face could be animated, and above nothing more would be seen."""

NO_FACE = (
    "No face was found in the picture, upright or turned, large or small; show a human face, or one drawn "
    "like one, with both eyes and the mouth to be seen, or give its landmarks or a face box."
)

FOREHEAD = 0.25
"""A face detector's box reaches this share of the landmarks' height above the brows."""

Detector = Callable[[np.ndarray], Sequence[np.ndarray]]
"""A source of landmarks: uint8 RGB [H, W, 3] -> the 68 landmarks [68, 2] of each face found."""


@dataclass(frozen=True, eq=False)
class Portrait:
    """A picture ready to be animated.

    Attributes:
        frame: the whole picture, float32 [H, W, 3] in 0..1.
        box: (left, top, right, bottom) of the face crop in the frame, whole pixels.
        crop: the face crop, float32 [S, S, 3] in 0..1.
        landmarks: [68, 2] in pixels of the frame, or None.
        pose, expression: p0 and e0, sequences of one frame, or None without an extractor.
        gaze: g0, a sequence of one frame, or None without a gaze estimator.
        identity: i of eq. 10, [80], or None.
        reprojection_error: of the stylised face model, where the built-in extractor read; see there.
        mesh: [478, 3] the face mesh in pixels of the frame, z in the same scale, for portraits that were read
            by it.
        person_mask: [S, S] in 0..1, how sure each pixel of the crop is the person's; likewise.
    """

    frame: Tensor
    box: tuple[int, int, int, int]
    crop: Tensor
    landmarks: Tensor | None = None
    pose: Pose | None = None
    expression: Expression | None = None
    gaze: Gaze | None = None
    identity: Tensor | None = None
    reprojection_error: float | None = None
    mesh: Tensor | None = None
    person_mask: Tensor | None = None

    @property
    def size(self) -> int:
        """Side of the crop in pixels."""
        return self.crop.shape[0]

    @property
    def source(self) -> Tensor:
        """The crop as the animator takes it, [1, 3, S, S] in -1..1."""
        return rearrange(self.crop, "h w c -> 1 c h w") * 2 - 1

    @property
    def p0(self) -> Tensor:
        """The portrait's head pose, [6]."""
        return self._first(self.pose, "head pose", "an extractor")

    @property
    def e0(self) -> Tensor:
        """The portrait's expression, [64]."""
        return self._first(self.expression, "expression", "an extractor")

    @property
    def g0(self) -> Tensor:
        """The portrait's gaze (pitch, yaw), [2]."""
        return self._first(self.gaze, "gaze", "a gaze estimator")

    @property
    def motion(self) -> Motion:
        """p0, e0 and g0 as a motion of one frame; `BadInput` where one of them was not read."""
        if self.pose is None or self.expression is None or self.gaze is None:
            raise BadInput(
                "This portrait was not read; prepare it with an extractor and a gaze estimator, both inputs "
                "of Prepare Portrait."
            )
        return Motion(self.pose, self.expression, self.gaze)

    def resized(self, size: int) -> Portrait:
        """The same portrait with its crop at another size, cut from the frame again."""
        if size == self.size:
            return self
        part = slice_box(self.frame.numpy(), Box.of(self.box))
        mask = None if self.person_mask is None else _resized_mask(self.person_mask, size)
        return replace(self, crop=torch.from_numpy(resize_crop(part, size)).clamp(0, 1), person_mask=mask)

    @property
    def mesh_in_crop(self) -> Tensor:
        """[478, 3] the face mesh in pixels of the crop; `BadInput` for a portrait without one."""
        if self.mesh is None:
            raise BadInput("This portrait has no face mesh; prepare it with a face reader.")
        return torch.cat([self.to_crop(self.mesh[:, :2]), self.mesh[:, 2:] * self.scale[0]], 1)

    @property
    def is_part(self) -> bool:
        """Whether the crop is only a part of the picture."""
        height, width = self.frame.shape[:2]
        return self.box != (0, 0, width, height)

    @property
    def scale(self) -> tuple[float, float]:
        """Crop pixels to a pixel of the frame, across and down."""
        left, top, right, bottom = self.box
        return self.size / (right - left), self.size / (bottom - top)

    def to_crop(self, points: Tensor) -> Tensor:
        """Pixels of the frame [..., 2] -> pixels of the crop; pixel centres lie at whole numbers."""
        return (points + 0.5 - torch.tensor(self.box[:2], dtype=torch.long, device="cpu")) * torch.tensor(
            self.scale, dtype=torch.float32, device="cpu"
        ) - 0.5

    def to_frame(self, points: Tensor) -> Tensor:
        """Pixels of the crop [..., 2] -> pixels of the frame."""
        return (
            (points + 0.5) / torch.tensor(self.scale, dtype=torch.float32, device="cpu")
            + torch.tensor(self.box[:2], dtype=torch.long, device="cpu")
            - 0.5
        )

    @staticmethod
    def _first(sequence: Any, what: str, tool: str) -> Tensor:
        if sequence is None:
            raise BadInput(f"This portrait has no {what}; prepare it with {tool}.")
        return sequence.values[0]


def prepare_portrait(
    image: Any,
    *,
    landmarks: Any = None,
    box: Any = None,
    whole: bool = False,
    detector: Detector | None = None,
    face: int | FaceChoice = 0,
    index: int | None = None,
    size: int = SIZE,
    extractor: CoefficientExtractor | None = None,
    gaze_estimator: GazeEstimator | None = None,
    release: bool = False,
) -> Portrait:
    """Finds the face crop of a picture and reads its coefficients.

    The crop comes from the first of these that is given: `whole`, `box`, `landmarks`, `detector`. A
    square picture without any of them is taken to be a head picture already and used whole.

    Args:
        image: [H, W], [H, W, 1 | 3 | 4] or a batch of them, uint8 or floats in 0..1; or a PIL image.
        landmarks: [68, 2] in pixels of the picture; also used to align for the official extractor.
        box: a face detector's (left, top, right, bottom) in pixels; grown by the official rule. With a
            detector as well, the landmarks are those of the face that it finds there.
        whole: the whole picture is the crop; it must be square.
        detector: where landmarks come from when none are given.
        face: which of the detector's faces: a number, the largest first, or a `FaceChoice`.
        index: which picture of a batch.
        size: side of the crop in pixels.
        extractor: reads p0, e0 and the identity. The official one needs landmarks.
        gaze_estimator: reads g0.
        release: the official crop with its faults; see `crop.grown_box`.
    Raises: `BadInput` with one sentence.
    """
    if not MIN_SIDE <= size <= MAX_SIDE:
        raise BadInput(f"The crop size is {size}; give {MIN_SIDE} to {MAX_SIDE} pixels.")
    picture = single_image(image, index)
    height, width = picture.shape[:2]
    square = is_square(height, width)
    if whole and not square:
        raise BadInput(
            f"The picture is {width} x {height}; only a square one can be used whole. Give landmarks or "
            "a face box."
        )
    points = None if landmarks is None else check_landmarks(landmarks, 1, N_LANDMARKS)[0]
    if points is None and detector is not None and not whole:
        points = _detect(picture, detector, face if box is None else FaceChoice(box=box))
    crop_box = _crop_box(picture, points, box, whole, square, release)
    part = slice_box(picture, crop_box)
    if min(part.shape[:2]) < MIN_SIDE:
        raise BadInput(
            f"The face crop is {part.shape[1]} x {part.shape[0]} pixels; at least {MIN_SIDE} are needed "
            "to show a face. Give a larger picture."
        )
    left, top, _, _ = crop_box.ints()
    portrait = Portrait(
        frame=_float(picture),
        box=(left, top, left + part.shape[1], top + part.shape[0]),
        crop=_float(resize_crop(part, size, release=release)),
        landmarks=None if points is None else torch.tensor(points, dtype=torch.float32, device="cpu"),
    )
    return _with_coefficients(portrait, extractor, gaze_estimator)


def _resized_mask(mask: Tensor, size: int) -> Tensor:
    return interpolate(mask[None, None], (size, size), mode="bilinear", align_corners=False)[0, 0]


def _float(picture: np.ndarray) -> Tensor:
    tensor = torch.from_numpy(np.array(picture))
    return tensor.float() / 255 if tensor.dtype == torch.uint8 else tensor


def _crop_box(
    picture: np.ndarray, points: np.ndarray | None, box: Any, whole: bool, square: bool, release: bool
) -> Box:
    height, width = picture.shape[:2]
    if whole:
        return Box(0, 0, width, height)
    if box is not None:
        return face_crop_box(Box.of(box), height, width, release=release)
    if points is not None:
        return face_crop_box(Box.around(points), height, width, release=release)
    if square:
        return Box(0, 0, width, height)
    raise BadInput(
        f"The picture is {width} x {height} and nothing says where its face is; give landmarks or a face "
        "box, or a square picture of the head."
    )


def _detect(picture: np.ndarray, detector: Detector, face: int | FaceChoice) -> np.ndarray:
    faces = [check_landmarks(found, 1, N_LANDMARKS)[0] for found in detector(rgb_images(picture)[0])]
    if not faces:
        raise BadInput(
            "No face was found in the picture; give its landmarks or a face box, or a square picture of "
            "the head to be used whole."
        )
    choice = face if isinstance(face, FaceChoice) else FaceChoice(index=face)
    return faces[choice.chosen([Box.around(points) for points in faces], *picture.shape[:2])]


def _gaze_box(portrait: Portrait, estimator: GazeEstimator) -> tuple[float, ...] | None:
    """A face detector's box for the official estimator: the landmarks' one with the forehead above it."""
    if portrait.landmarks is None or estimator.config.glimpses is not None:
        return None
    box = Box.around(portrait.to_crop(portrait.landmarks).numpy())
    return box.left, box.top - FOREHEAD * box.height, box.right, box.bottom


def _with_coefficients(
    portrait: Portrait, extractor: CoefficientExtractor | None, gaze_estimator: GazeEstimator | None
) -> Portrait:
    fields: dict[str, Any] = {}
    crop = portrait.crop.numpy()
    if extractor is not None and gaze_estimator is not None and extractor.space != gaze_estimator.space:
        raise BadInput(
            f"The extractor is for {extractor.space} coefficients and the gaze estimator for "
            f"{gaze_estimator.space}; choose two of one kind."
        )
    if extractor is not None:
        points = None if portrait.landmarks is None else portrait.to_crop(portrait.landmarks)
        if points is None and extractor.config.aligned:
            raise BadInput(
                "This extractor needs the landmarks of the face to align it; give them, or a detector."
            )
        found = extractor.extract(crop, points)
        fields |= {"pose": found.pose, "expression": found.expression, "identity": found.identity[0]}
        if points is None and found.landmarks is not None:
            fields["landmarks"] = portrait.to_frame(found.landmarks[0])
        if found.landmarks is not None and extractor.space == STYLISED:
            fields["reprojection_error"] = reprojection_error(
                found.coefficients, found.landmarks, portrait.size
            ).item()
    if gaze_estimator is not None:
        fields["gaze"] = gaze_estimator.estimate(crop, _gaze_box(portrait, gaze_estimator))
    return replace(portrait, **fields)
