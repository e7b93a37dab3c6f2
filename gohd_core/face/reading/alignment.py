"""Five-point alignment: the crop and scale at which the coefficient extractor sees a face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gohd_core.constants import N_LANDMARKS
from gohd_core.errors import BadInput
from gohd_core.face.geometry.camera import ALIGNED_SIZE
from gohd_core.images import Image, check_landmarks
from gohd_core.landmarks68 import LEFT_EYE_CORNERS, MOUTH_CORNERS, NOSE_TIP, RIGHT_EYE_CORNERS

MODEL_POINTS = np.array(
    [
        [-0.31148657, 0.29036078, 0.13377953],
        [0.30979887, 0.28972036, 0.13179526],
        [0.00325350, -0.04617932, 0.55244243],
        [-0.25216928, -0.38133916, 0.22405732],
        [0.24846620, -0.38128236, 0.22235769],
    ],
    np.float32,
)
"""Left eye, right eye (as seen in the picture), nose tip, mouth corners of the mean face, model units."""

RESCALE = 102.0
"""Pixels of the aligned crop for one model unit at unit scale."""

MAX_PIXELS = 16384
"""Largest side of the resized picture: a face of a few pixels in a large one is refused, not inflated."""


@dataclass(frozen=True)
class AlignedFace:
    """A face at the extractor's scale.

    Attributes:
        image: uint8 [224, 224, 3], black outside the picture.
        box: (left, top, right, bottom) of the crop in the resized picture, whole pixels.
        resized, original: (width, height) of the resized picture and of the given one.
        scale: resized pixels to a given pixel, before the resized picture is cut to whole pixels.
        translation: the model origin in the picture, (x, y) with y up from the bottom row.
    """

    image: Image
    box: tuple[int, int, int, int]
    resized: tuple[int, int]
    original: tuple[int, int]
    scale: float
    translation: tuple[float, float]

    def to_crop(self, points: np.ndarray) -> np.ndarray:
        """Pixels of the picture [..., 2] -> crop pixels, y down."""
        return (np.asarray(points, np.float64) + 0.5) * self._ratio - 0.5 - self.box[:2]

    @property
    def _ratio(self) -> np.ndarray:
        return np.divide(self.resized, self.original)


def five_points(landmarks: np.ndarray) -> np.ndarray:
    """Eyes (the mean of their corners), nose tip and mouth corners of 68 landmarks, [68, 2] -> [5, 2]."""
    eyes = [landmarks[list(corners)].mean(0) for corners in (RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS)]
    return np.stack([*eyes, landmarks[NOSE_TIP], *landmarks[list(MOUTH_CORNERS)]])


def fit_scale(points: np.ndarray) -> tuple[np.ndarray, float]:
    """The affine camera that puts `MODEL_POINTS` on five points [5, 2], by least squares.

    Returns: the translation [2], and the scale: the mean length of the camera's two rows.
    """
    rows = np.zeros((10, 8))
    rows[0::2, :3] = rows[1::2, 4:7] = MODEL_POINTS
    rows[0::2, 3] = rows[1::2, 7] = 1
    solution = np.linalg.lstsq(rows, points.reshape(10), rcond=None)[0]
    scale = (np.linalg.norm(solution[:3]) + np.linalg.norm(solution[4:7])) / 2
    return solution[[3, 7]], float(scale)


def align_face(
    image: Image, landmarks: Any = None, *, no_face: str = "raise", size: int = ALIGNED_SIZE
) -> AlignedFace:
    """Scales and crops a picture so that its face lies as the coefficient extractor expects it.

    Args:
        image: uint8 RGB [H, W, 3].
        landmarks: [68, 2] pixels, y down; None where no face was found.
        no_face: what to do without landmarks: "raise", or "whole" to take the whole picture as if the
            mean face filled it (as the official detector does).
    Source: Deep3DFaceRecon's alignment, with its rounding: all sizes and corners are truncated.
    """
    height, width = image.shape[:2]
    if landmarks is not None:
        points = check_landmarks(landmarks, 1, N_LANDMARKS)[0]
        flipped = points.copy()
        flipped[:, 1] = height - 1 - flipped[:, 1]
        five = five_points(flipped)
    elif no_face == "whole":
        # In float32, as released: the corner that follows is truncated and lies on a whole number.
        five = (MODEL_POINTS[:, :2] + 1) / 2 * np.array([width, height], np.float32)
    else:
        raise BadInput(
            "No face was found in the picture; give its 68 landmarks, or ask for the whole picture to be "
            "taken as the face."
        )
    translation, fitted = fit_scale(five)
    if not fitted > 1e-6:
        raise BadInput("The landmarks all lie in one place; give those of a face.")
    scale = RESCALE * size / ALIGNED_SIZE / fitted
    return _crop(image, translation, scale, size)


def _crop(image: Image, translation: np.ndarray, scale: float, size: int) -> AlignedFace:
    from PIL import Image as PilImage

    height, width = image.shape[:2]
    new_width, new_height = int(width * scale), int(height * scale)
    if min(new_width, new_height) < 1 or max(new_width, new_height) > MAX_PIXELS:
        raise BadInput(
            f"The landmarks ask for a picture of {new_width} x {new_height} pixels, made from "
            f"{width} x {height}; the face in them is too small or too large to be one."
        )
    left = int(new_width / 2 - size / 2 + float(translation[0] - width / 2) * scale)
    top = int(new_height / 2 - size / 2 + float(height / 2 - translation[1]) * scale)
    box = (left, top, left + size, top + size)
    resized = PilImage.fromarray(image).resize((new_width, new_height), PilImage.Resampling.BICUBIC)
    return AlignedFace(
        np.asarray(resized.crop(box)),
        box,
        (new_width, new_height),
        (width, height),
        float(scale),
        (float(translation[0]), float(translation[1])),
    )
