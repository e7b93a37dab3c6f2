"""Masks of people in the frames of a video: seen frame by frame, steadied over time, with a chosen edge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from gohd_core.errors import BadInput, raise_if_stopped
from gohd_core.face.mediapipe.reader import FaceReader

STEADY = 0.5
"""Weight of the previous mask where the picture has not changed."""
MOVED = 0.06
"""Mean difference of colour, 0..1, from which on a pixel counts as moved."""


def person_masks(
    pictures: Iterable[Any],
    reader: FaceReader,
    *,
    sharpness: float = 0.5,
    should_stop: Callable[[], bool] | None = None,
) -> Iterator[np.ndarray]:
    """Float32 [H, W] in 0..1 for each picture, 1 on people.

    Args:
        pictures: float [H, W, 3] in 0..1, in order.
        sharpness: 0 leaves the edge as soft as the network has it, 1 cuts at one half.
    """
    if not 0 <= sharpness <= 1:
        raise BadInput(f"The sharpness is {sharpness}; give 0 to 1.")
    before: tuple[np.ndarray, np.ndarray] | None = None
    for picture in pictures:
        raise_if_stopped(should_stop, "Masking people was stopped.")
        seen = reader.person_mask((picture * 255).round().astype(np.uint8))
        if before is not None and before[0].shape == picture.shape:
            change = np.abs(picture - before[0]).mean(-1)
            kept = STEADY * np.clip(1 - change / MOVED, 0, 1)
            seen = (1 - kept) * seen + kept * before[1]
        before = picture, seen
        yield sharpen_masks(seen, sharpness)


def sharpen_masks(mask: np.ndarray, sharpness: float) -> np.ndarray:
    """A steeper edge around one half: at 0 the mask itself, at 1 a step."""
    if sharpness >= 1:
        return (mask >= 0.5).astype(np.float32)
    return np.clip((mask - 0.5) / (1 - sharpness) + 0.5, 0, 1).astype(np.float32)
