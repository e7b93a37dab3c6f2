"""Plots of motion, read from their pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.errors import BadInput
from gohd_core.motion import Gaze, Motion
from gohd_core.render.plot import COLOURS, UNSEEN, plot_motion


def nodding(frames: int = 50) -> Motion:
    values = torch.zeros(frames, 72)
    values[:, 64] = 0.3 * torch.sin(torch.arange(frames) / 5)
    values[:, 0] = torch.linspace(0, 1, frames)
    return Motion.from_descriptors(values, "stylised")


def coloured(picture: np.ndarray, colour: tuple[int, ...]) -> np.ndarray:
    return (picture == np.array(colour, np.uint8)).all(-1)


def test_a_plot_has_the_size_and_a_curve_in_each_panel() -> None:
    picture = plot_motion(nodding(), 640, 480)
    assert picture.shape == (480, 640, 3) and picture.dtype == np.uint8
    for panel in np.split(picture, 4):
        assert any(coloured(panel, colour)[20:, 60:].any() for colour in COLOURS)


def test_a_curve_rises_where_its_value_does() -> None:
    """The expression's first coefficient goes up from left to right: rows of its pixels fall."""
    panel = np.split(plot_motion(nodding(), 640, 480), 4)[2]
    rows, columns = np.nonzero(coloured(panel, COLOURS[0])[20:, 60:])
    left, right = rows[columns < 100].mean(), rows[columns > 480].mean()
    assert right < left - 30


def test_coefficients_of_the_stylised_head_are_called_by_their_names() -> None:
    """The legend, above the curves: e0 to e4 take less room than the names of five movements."""
    values = nodding().descriptors()
    ends = []
    for space in ("stylised", "bfm09"):
        legend = np.split(plot_motion(Motion.from_descriptors(values, space), 960, 480), 4)[2][:18]
        ends.append(np.nonzero(legend.max(-1) > 120)[1].max())
    assert ends[0] > ends[1] + 100


def test_frames_without_a_face_are_marked() -> None:
    motion = nodding()
    seen = torch.ones(50, dtype=torch.bool)
    seen[20:25] = False
    gaze = Gaze(motion.gaze.values, "stylised", 25, seen)
    picture = plot_motion(Motion(motion.pose, motion.expression, gaze), 640, 480)
    panels = np.split(coloured(picture, UNSEEN), 4)
    assert panels[3].any() and not panels[0].any()


def test_one_frame_can_be_plotted_and_a_tiny_plot_is_refused() -> None:
    assert plot_motion(nodding(1), 320, 240).shape == (240, 320, 3)
    with pytest.raises(BadInput, match="too small"):
        plot_motion(nodding(), 100, 100)
