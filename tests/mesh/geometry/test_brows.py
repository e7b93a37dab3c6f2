"""Brows that are raised and frown as a whole."""

from __future__ import annotations

import pytest
import torch

from gohd_core.mesh.geometry.brows import brow_directions
from gohd_core.mesh.reading.canonical import canonical_face
from tests.support.mesh_faces import astronaut, painted

UPPER, LOWER = [293, 334, 296, 66, 105, 63], [283, 282, 295, 65, 52, 53]
INNER, LEFT, RIGHT, FROWN = range(4)
UP = 1


@pytest.fixture(scope="module", params=[astronaut, painted])
def points(request):
    return request.param().face.points_in_head.double()


def test_a_brow_keeps_its_thickness(points):
    moved = brow_directions(points, points)[[INNER, LEFT, RIGHT], :, UP].sum(0)
    assert (moved[UPPER] > 0.03).all()
    torch.testing.assert_close(moved[UPPER], moved[LOWER], atol=0.1 * moved.max().item(), rtol=0)


def test_lids_cheeks_and_hairline_stay(points):
    moved = brow_directions(points, points)
    assert moved[:, [159, 386, 145, 374, 33, 263, 50, 280, 1, 152, 10]].abs().max() == 0


def test_each_outer_brow_is_raised_by_itself(points):
    moved = brow_directions(points, points)[..., UP]
    assert moved[LEFT, 293] > 5 * moved[LEFT, 63].abs() and moved[RIGHT, 63] > 5 * moved[RIGHT, 293].abs()


def test_a_frown_does_not_reach_the_lids(points):
    inner, folds = [55, 285], [190, 414]
    moved = brow_directions(points, points)[FROWN]
    assert (moved[inner, UP] < 0).all() and moved[55, 0] > 0 > moved[285, 0]
    assert (points[inner, UP] + moved[inner, UP] > points[folds, UP]).all()


def test_the_back_of_a_head_stays(points):
    behind = points.clone()
    behind[:, 2] -= 2
    assert brow_directions(points, behind).abs().max() == 0


def test_places_may_have_any_shape(points):
    folded = brow_directions(points, points[:400].reshape(4, 10, 10, 3))
    torch.testing.assert_close(folded.flatten(1, 3), brow_directions(points, points[:400]))


def test_larger_faces_raise_larger_brows():
    points = canonical_face().points.double()
    points = torch.cat([points, points[:10]])
    torch.testing.assert_close(
        brow_directions(2 * points, 2 * points), 2 * brow_directions(points, points), atol=1e-9, rtol=0
    )
