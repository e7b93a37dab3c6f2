"""Flows around lips and lids, from contours."""

import math

import torch

from gohd_core.mesh.frame import CONTOURS, POINTS
from gohd_core.mesh.geometry.contour_warp import contour_flows

SIZE = 256


def mouth(stretch: float = 1.0, lift: float = 0.0) -> torch.Tensor:
    """Ellipses around the middle [1,1,7,48,2], stretched from its left on, the outer ones lifted (pixels)."""
    angle = torch.arange(POINTS) * (2 * math.pi / POINTS)
    outwards = torch.tensor([0.0, 0.0, 2.0, 4.0, 6.0, 20.0, 30.0])
    x = 88 + stretch * (40 + (30 + outwards[:, None]) * angle.cos())
    y = 128 - (8 + outwards[:, None]) * angle.sin() - lift * outwards[:, None] / 30
    contours = torch.stack([x, y], -1)
    assert len(contours) == CONTOURS
    return contours[None, None]


def test_beyond_a_corner_flow_goes_over_into_that_of_the_contours_around_it():
    """Of a mouth that is stretched, each place of the skin beside it has moved by its own distance."""
    (flow,) = contour_flows(mouth(), mouth(stretch=1.3), SIZE)
    row, column = 128 - int(flow.window.y[0]), torch.arange(160, 184) - int(flow.window.x[0])
    moved = flow.shift[0, 0, row, column]
    wanted = 0.3 * (torch.arange(160, 184) - 88.0)
    assert (moved - wanted).abs().max() < 0.8  # pixels; the corner's own would be 5 less at the end


def test_upper_and_lower_halves_are_known_alike_where_they_meet_beyond_a_corner():
    (flow,) = contour_flows(mouth(lift=30.0), mouth(), SIZE)
    top, left = int(flow.window.y[0]), int(flow.window.x[0])
    steps = flow.weight[0, 0, :, 162 - left : 184 - left].diff(dim=0).abs()
    assert steps[124 - top : 132 - top].max() < 0.5
