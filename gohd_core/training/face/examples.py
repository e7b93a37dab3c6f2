"""Examples for the extractor and the gaze estimator: single frames of clips, with changed light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from einops import rearrange

from gohd_core.clips import Clip
from gohd_core.errors import BadInput
from gohd_core.face.reading.alignment import align_face
from gohd_core.training.animator.flip_augmentation import maybe_mirrored
from gohd_core.training.framework.sampling import random_frames


@dataclass(frozen=True)
class PictureChanges:
    """Random changes of a picture that leave its coefficients as they are.

    Attributes:
        gain: each channel is multiplied by 1 within this range, together and apart.
        shift: added to all channels, in 0..1.
        gamma: exponent around 1.
        blur_share: share of the pictures that are blurred, by up to `blur` pixels (deviation); so that
            generated frames, which are softer, are read as well.
        noise: largest deviation of the noise, in 0..1.
    """

    gain: float = 0.2
    shift: float = 0.08
    gamma: float = 0.25
    blur_share: float = 0.3
    blur: float = 1.0
    noise: float = 0.03

    def __call__(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A changed copy of a uint8 picture [H, W, 3]."""
        import cv2

        if rng.random() < self.blur_share:
            image = cv2.GaussianBlur(image, (0, 0), max(0.2, self.blur * rng.random()))
        values = image.astype(np.float32) / 255
        values = values ** np.float32(np.exp(rng.uniform(-self.gamma, self.gamma)))
        values *= np.float32(1 + rng.uniform(-self.gain, self.gain))
        values *= 1 + rng.uniform(-self.gain, self.gain, 3).astype(np.float32) / 2
        values += np.float32(rng.uniform(-self.shift, self.shift))
        level = np.float32(self.noise * rng.random())
        values += level * rng.standard_normal(values.shape, np.float32)
        return np.rint(values.clip(0, 1) * 255).astype(np.uint8)


@dataclass(frozen=True)
class GuideConfig:
    """Centres of the glimpses in training: for some faces the true landmarks, a little off.

    The network's own landmarks are no use at first; with true ones it learns fine motion from the first
    step, and the error added keeps it from relying on their precision.

    Attributes:
        share: of the faces that are guided; the rest look where the network finds the landmarks.
        shift: deviation of the whole set, in units of half the picture.
        scale: deviation of its size.
        turn: deviation of its direction, radians.
    """

    share: float = 0.5
    shift: float = 0.03
    scale: float = 0.05
    turn: float = 0.06

    def __call__(self, landmarks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Landmarks that guide the reader, [68, 2]; NaN where the network is to find them itself."""
        angle, factor = self.turn * rng.standard_normal(), np.exp(self.scale * rng.standard_normal())
        shift = self.shift * rng.standard_normal(2)
        if rng.random() >= self.share:
            return np.full_like(landmarks, np.nan)
        sine, cosine = np.sin(angle), np.cos(angle)
        centre = landmarks.mean(0)
        return (landmarks - centre) @ [[cosine, sine], [-sine, cosine]] * factor + centre + shift


UNCHANGED = PictureChanges(0, 0, 0, 0, 0, 0)
UNGUIDED = GuideConfig(share=0)
"""For validation."""


@dataclass(frozen=True)
class FaceDraw:
    """One frame of a clip with its ground truth.

    Attributes:
        size: side of the network's input in pixels.
        aligned: five-point alignment by the clip's landmarks, as the official extractor wants.
        changes: the picture's augmentation.
        guide: where the glimpses look.
        mirror_share: share of the frames that are seen in a mirror.
    """

    size: int
    aligned: bool
    changes: PictureChanges
    guide: GuideConfig
    mirror_share: float = 0.0

    def __call__(self, clip: Clip, rng: np.random.Generator) -> dict[str, Any]:
        for field in ("frames", "landmarks"):
            if field not in clip:
                raise BadInput(f"it holds no {field!r}, which this trainer needs.")
        clip = maybe_mirrored(clip, self.mirror_share, rng)
        at = int(random_frames(clip, 1, rng)[0])
        frame = clip.read("frames", at, at + 1)[0]
        landmarks = clip.read("landmarks", at, at + 1)[0].astype(np.float64)
        image, points = _input(frame, landmarks, self.size, self.aligned)
        identity = clip.read("identity") if "identity" in clip else np.zeros(0, np.float32)
        return {
            "image": rearrange(self.changes(image, rng), "h w c -> c h w").copy(),
            "landmarks": points.astype(np.float32),
            "guide": self.guide(points, rng).astype(np.float32),
            "expression": clip.read("expression", at, at + 1)[0],
            "pose": clip.read("pose", at, at + 1)[0],
            "gaze": clip.read("gaze", at, at + 1)[0],
            "identity": identity,
        }


def _input(
    frame: np.ndarray, landmarks: np.ndarray, size: int, aligned: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The network's picture, and its landmarks in -1..1 over it."""
    if aligned:
        face = align_face(frame, landmarks, size=size)
        return face.image, 2 * (face.to_crop(landmarks) + 0.5) / size - 1
    import cv2

    height, width = frame.shape[:2]
    if height != width:
        raise BadInput(f"its frames are {width} x {height}; square ones are wanted.")
    points = 2 * (landmarks + 0.5) / width - 1
    if width == size:
        return frame, points
    method = cv2.INTER_AREA if width > size else cv2.INTER_CUBIC
    return cv2.resize(frame, (size, size), interpolation=method), points
