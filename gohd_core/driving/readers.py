"""Reads pose, expression, gaze and identity of faces in batches of frames, with either family of weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from gohd_core.constants import N_LANDMARKS
from gohd_core.driving.crop_readers import Cropper, LandmarkFilter, crop_jitter, pose_in
from gohd_core.driving.locators import FaceObservation
from gohd_core.driving.result import FrameCoefficients
from gohd_core.errors import BadInput
from gohd_core.face.crop import Box, is_square, slice_box
from gohd_core.face.detection.tracking import box_of_landmarks
from gohd_core.face.geometry.reprojection import reprojection_error
from gohd_core.face.reading.extractor import CoefficientExtractor
from gohd_core.face.reading.gaze_estimator import GazeEstimator

NO_FACE = 0.06
"""Misfit in half pictures above which the built-in extractor has seen no face.

Measured: drawn heads up to 0.04 (0.058 where the crop is 20 of 256 pixels off), photographs of faces up to
0.05; gradients and halves of faces from 0.075. Noise, at 0.03 to 0.06, is taken for a face.
"""
PLAIN = 4.0
"""A crop whose levels (0..255) deviate by less shows nothing: a fade, a title card."""


class CropReader:
    """Built-in weights: each face is cut out as a square, framed like a portrait.

    Poses refer to the first frame's square, so that a crop that moves adds no movement.
    """

    def __init__(self, extractor: CoefficientExtractor, gaze: GazeEstimator | None, steady: bool) -> None:
        self.extractor, self.gaze = extractor, gaze
        self.cropper = Cropper(steady)
        self.reference: Box | None = None

    def read(self, observations: list[FaceObservation]) -> list[FrameCoefficients | None]:
        """One reading a frame, None without a face."""
        boxes = [self._square(observation) for observation in observations]
        chosen = [k for k, box in enumerate(boxes) if box is not None]
        result: list[FrameCoefficients | None] = [None] * len(observations)
        if not chosen:
            return result
        crops = [slice_box(observations[k].image, boxes[k]) for k in chosen]
        known = [observations[k].landmarks for k in chosen]
        points = None
        if all(landmarks is not None for landmarks in known):
            points = np.stack([p - boxes[k].ints()[:2] for k, p in zip(chosen, known, strict=True)])
        found = self.extractor.extract(crops, points)
        gazes = (
            torch.zeros(len(crops), 2, dtype=torch.float32, device="cpu")
            if self.gaze is None
            else self.gaze.estimate(crops).values
        )
        fits = _fits(found, crops)
        for row, k in enumerate(chosen):
            box = boxes[k]
            if known[row] is None and not fits[row]:
                continue
            self.reference = self.reference or box
            landmarks = known[row]
            if landmarks is None:
                landmarks = np.zeros((N_LANDMARKS, 2))
                if found.landmarks is not None:
                    landmarks = found.landmarks[row].numpy() + box.ints()[:2]
            result[k] = FrameCoefficients(
                pose_in(found.pose.values[row], box, self.reference).numpy(),
                found.expression.values[row].numpy(),
                gazes[row].numpy(),
                found.identity[row].numpy(),
                landmarks,
            )
        return result

    def crop_jitter(self) -> tuple[float, float]:
        """Jitter of the crop in pixels, before and after steadying."""
        return crop_jitter(self.cropper.wanted, self.cropper.used)

    def _square(self, observation: FaceObservation) -> Box | None:
        height, width = observation.image.shape[:2]
        if observation.whole:
            if not is_square(height, width):
                raise BadInput(
                    f"The frames are {width} x {height} and nothing says where the face is; give a face box, "
                    "landmarks or a detector, or square frames of a head."
                )
            return Box(0, 0, width, height)
        if observation.landmarks is not None:
            # Landmarks end at the brows; the heads that these weights know are framed with the forehead.
            return self.cropper.crop(box_of_landmarks(observation.landmarks), height, width)
        return None if observation.box is None else self.cropper.crop(observation.box, height, width)


def _fits(found: Any, crops: list[np.ndarray]) -> list[bool]:
    """Whether there is something to be seen that the face model fits."""
    shows = [float(crop.std()) >= PLAIN for crop in crops]
    if found.landmarks is None:
        return shows
    sizes = torch.tensor([[crop.shape[1], crop.shape[0]] for crop in crops], dtype=torch.long, device="cpu")[
        :, None
    ]
    unit = (found.landmarks + 0.5) / sizes * 256 - 0.5
    fitting = (reprojection_error(found.coefficients, unit, 256) < NO_FACE).tolist()
    return [a and b for a, b in zip(shows, fitting, strict=True)]


class AlignedReader:
    """Official weights: faces are aligned by five landmarks each, gaze is read in a detector's box."""

    def __init__(
        self, extractor: CoefficientExtractor, gaze: GazeEstimator | None, steady: bool, fps: float
    ) -> None:
        self.extractor, self.gaze = extractor, gaze
        self.filter = LandmarkFilter(fps) if steady else None
        self.centres: list[np.ndarray] = []
        self.reference: Box | None = None

    def read(self, observations: list[FaceObservation]) -> list[FrameCoefficients | None]:
        """One reading a frame, None without a face."""
        points = [self._steady(observation) for observation in observations]
        chosen = [k for k, landmarks in enumerate(points) if landmarks is not None]
        result: list[FrameCoefficients | None] = [None] * len(observations)
        if not chosen:
            return result
        images = [observations[k].image for k in chosen]
        landmarks = np.stack([points[k] for k in chosen])
        found = self.extractor.extract(images, landmarks)
        gazes = torch.zeros(len(chosen), 2, dtype=torch.float32, device="cpu")
        if self.gaze is not None:
            boxes = [_inside(box_of_landmarks(points[k]), observations[k].image) for k in chosen]
            gazes = self.gaze.estimate(images, [box.as_tuple() for box in boxes]).values
        for row, k in enumerate(chosen):
            values = (found.pose.values, found.expression.values, gazes, found.identity)
            result[k] = FrameCoefficients(*(v[row].numpy() for v in values), landmarks[row])
        return result

    def crop_jitter(self) -> tuple[float, float]:
        """Jitter of the landmarks' centre in pixels, before and after steadying."""
        if self.filter is None:
            return crop_jitter(self.centres, self.centres)
        return crop_jitter(self.filter.wanted, self.filter.used)

    def _steady(self, observation: FaceObservation) -> np.ndarray | None:
        if observation.landmarks is None and observation.found:
            raise BadInput(
                "The official extractor aligns faces by their landmarks, and only a box or whole frames were "
                "given; give a detector (the box then picks the face), or landmarks."
            )
        if self.filter is not None:
            if observation.cut:
                self.filter(None)
            return _usable(self.filter(observation.landmarks), observation)
        if observation.landmarks is not None:
            self.centres.append(observation.landmarks.mean(0))
        return _usable(observation.landmarks, observation)


def _usable(landmarks: np.ndarray | None, observation: FaceObservation) -> np.ndarray | None:
    """None also where the landmarks lie outside the picture: there is nothing to be seen there."""
    if landmarks is None:
        return None
    box, (height, width) = Box.around(landmarks), observation.image.shape[:2]
    outside = box.left >= width - 1 or box.top >= height - 1 or box.right <= 1 or box.bottom <= 1
    return None if outside else landmarks


def _inside(box: Box, image: np.ndarray) -> Box:
    """At least a pixel of the box lies in the picture."""
    height, width = image.shape[:2]
    left, top = min(max(box.left, 0), width - 2), min(max(box.top, 0), height - 2)
    return Box(left, top, max(min(box.right, width), left + 2), max(min(box.bottom, height), top + 2))


def reader_for(
    extractor: CoefficientExtractor, gaze: GazeEstimator | None, *, steady: bool, fps: float
) -> CropReader | AlignedReader:
    """The reader that these weights need."""
    if gaze is not None and gaze.space != extractor.space:
        raise BadInput(
            f"The extractor is for {extractor.space} coefficients and the gaze estimator for {gaze.space}; "
            "choose two of one kind."
        )
    if extractor.config.aligned:
        return AlignedReader(extractor, gaze, steady, fps)
    return CropReader(extractor, gaze, steady)
