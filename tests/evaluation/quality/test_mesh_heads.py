"""Heads of the benchmark that are drawn by their meshes."""

from __future__ import annotations

import pytest
import torch

from gohd_core.constants import STYLISED
from gohd_core.errors import BadInput
from gohd_core.evaluation.quality.drawing import draw_stills, encode
from gohd_core.mesh.builtin import load_animator
from gohd_core.motion import Motion
from tests.support.drawn_meshes import Everybody, landmarks, noise_picture, seen_mesh

SIZE = 256


class Reader(Everybody):
    def read(self, image):
        return [landmarks(seen_mesh(SIZE))]


class Nobody(Everybody):
    def read(self, image):
        return []


def test_mesh_heads_have_readings_and_no_flow():
    descriptors = torch.zeros(2, 72)
    descriptors[1, 0] = 0.8  # the jaw
    motion = Motion.from_descriptors(descriptors, STYLISED)
    animator, picture = load_animator(), noise_picture(SIZE)
    source = encode(animator, picture, motion.fitted(1), Reader())
    drawn = draw_stills(animator, source, motion, [0, 1])
    assert drawn.flows is None and drawn.frames.shape == (2, SIZE, SIZE, 3)
    still, open_mouth = (abs(frame.astype(float) - picture).mean() for frame in drawn.frames)
    assert still < 0.5 and open_mouth > 5 * max(still, 0.1)
    with pytest.raises(BadInput, match="No face"):
        encode(animator, picture, motion.fitted(1), Nobody())
