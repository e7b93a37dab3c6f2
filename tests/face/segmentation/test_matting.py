"""Masks of people over time, with a reader whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.errors import BadInput, Interrupted
from gohd_core.face.segmentation.matting import person_masks, sharpen_masks


class Reader:
    """Sees whatever it is told to, frame after frame."""

    def __init__(self, *masks: float) -> None:
        self.masks = iter(masks)

    def person_mask(self, image: np.ndarray) -> np.ndarray:
        assert image.dtype == np.uint8
        return np.full(image.shape[:2], next(self.masks), np.float32)


def test_edges_are_as_seen_or_cut() -> None:
    ramp = np.linspace(0, 1, 11, dtype=np.float32)
    assert sharpen_masks(ramp, 0) == pytest.approx(ramp)
    assert sharpen_masks(ramp, 0.5) == pytest.approx(np.clip(2 * ramp - 0.5, 0, 1))
    assert sharpen_masks(ramp, 1).tolist() == [0] * 5 + [1] * 6


def test_a_still_picture_does_not_flicker_and_a_moving_one_does_not_lag() -> None:
    still = np.full((4, 5, 3), 0.5, np.float32)
    kept = [m.mean() for m in person_masks([still, still, still], Reader(0.8, 0.4, 0.8), sharpness=0)]
    assert kept == pytest.approx([0.8, 0.6, 0.7])
    moved = [m.mean() for m in person_masks([still, still + 0.2], Reader(0.8, 0.4), sharpness=0)]
    assert moved == pytest.approx([0.8, 0.4])


def test_bad_input_is_one_sentence_and_interruption_stops() -> None:
    still = np.zeros((4, 5, 3), np.float32)
    with pytest.raises(BadInput, match="sharpness"):
        list(person_masks([still], Reader(1.0), sharpness=2))
    with pytest.raises(Interrupted):
        list(person_masks([still], Reader(1.0), should_stop=lambda: True))
