"""Lips on p, b and m in pixels: moments of a known clip, and mouths of known gaps."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from gohd_core import parsing_labels as labels
from gohd_core.clips import Clip, save_clip
from gohd_core.evaluation.quality.bilabials import moments
from gohd_core.evaluation.quality.lip_closure import CLOSED, InsideReader, closure_rows

SIZE, LEFT, RIGHT, TOP = 64, 20, 44, 30
COLOURS = {
    0: (230, 180, 150),
    labels.UPPER_LIP: (190, 80, 80),
    labels.LOWER_LIP: (200, 90, 85),
    labels.INNER_MOUTH: (40, 15, 20),
}


def mouths(gaps, rng, noise=6.0):
    """Frames, landmarks and parts of mouths that are open by so many pixels all along."""
    frames, landmarks, parsing = [], [], []
    for gap in gaps:
        parts = np.zeros((SIZE, SIZE), np.uint8)
        parts[TOP - 4 : TOP, LEFT:RIGHT] = labels.UPPER_LIP
        parts[TOP : TOP + gap, LEFT:RIGHT] = labels.INNER_MOUTH
        parts[TOP + gap : TOP + gap + 5, LEFT:RIGHT] = labels.LOWER_LIP
        picture = np.array([COLOURS.get(k, (0, 0, 0)) for k in range(19)])[parts]
        frames.append((picture + rng.normal(0, noise, picture.shape)).clip(0, 255))
        points = np.full((68, 2), 5.0)
        points[48:68] = [(LEFT + RIGHT) / 2, TOP + gap / 2]
        points[48], points[54] = (LEFT, TOP), (RIGHT, TOP)
        points[51, 1], points[57, 1] = TOP - 4, TOP + gap + 5
        landmarks.append(points)
        parsing.append(parts)
    return np.array(frames, np.uint8), np.array(landmarks), np.array(parsing)


def test_gaps_of_known_mouths():
    gaps = [0, 1, 2, 5, 9, 0, 3, 12]
    frames, landmarks, parsing = mouths(gaps, np.random.default_rng(0))
    reader = InsideReader.fit(frames, landmarks, parsing)
    assert reader.exact == pytest.approx(gaps)
    assert reader.gaps(frames) == pytest.approx(gaps, abs=0.3)
    lips, _, _ = mouths([4, 4, 0, 0, 0, 7, 7, 7], np.random.default_rng(1))
    assert reader.gaps(lips) == pytest.approx([4, 4, 0, 0, 0, 7, 7, 7], abs=0.3)


def test_a_frame_is_not_segmented_by_its_own_colours():
    """The only frame with a mouth inside: no other knows its colour."""
    frames, landmarks, parsing = mouths([0, 0, 6], np.random.default_rng(2), noise=0)
    assert InsideReader.fit(frames, landmarks, parsing).gaps(frames).tolist() == [0, 0, 0]


def test_a_phone_is_closed_by_one_of_its_frames():
    clip = SimpleNamespace(info={"at": [0, 4, 5, 6, 9, 10, 20], "phones": [[4, 5, 6], [9, 10]], "open": [20]})
    exact = np.array([3, 2, 0, 2, 0, 0, 8.0])
    lazy = np.array([3, 2, CLOSED + 0.1, 2, 0.2, 0, 7.0])
    table = closure_rows({"truth": [(clip, exact, exact)], "lazy": [(clip, lazy, exact)]})
    truth, drawn = table.rows["truth"], table.rows["lazy"]
    assert truth["closed on p b m"] == 1 and truth["least gap px"] == 0 and truth["correlation"] == 1
    assert drawn["closed on p b m"] == 0.5 and drawn["least gap px"] == pytest.approx((CLOSED + 0.1) / 2)
    assert drawn["gap when open px"] == 7 and drawn["phones"] == 2


def test_moments_of_a_known_clip(tmp_path):
    expression = np.zeros((50, 64), np.float32)
    expression[[10, 11, 30], 0] = [0.9, 0.8, 0.7]
    arrays = {
        "expression": expression,
        "pose": np.zeros((50, 6), np.float32),
        "gaze": np.zeros((50, 2), np.float32),
        "phoneme_start": np.array([0.0, 0.2, 0.6, 1.0], np.float32),
        "phoneme_end": np.array([0.1, 0.28, 0.7, 1.04], np.float32),
    }
    info = {"space": "stylised", "fps": 25, "name": "c", "phonemes": ["m", "p", "a", "b"]}
    save_clip(tmp_path / "c.safetensors", arrays, info)
    found = moments(Clip(tmp_path / "c.safetensors"), 50)
    assert found.phones == ((4, 5, 6, 7), (24, 25, 26)), "the first frame is the source, so its m is left out"
    assert {10, 30} <= set(found.open) and 11 not in found.open and 0 not in found.frames
    assert found.frames == sorted(set(found.frames))
