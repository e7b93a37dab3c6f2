"""Exact correspondences: barycentric weights, dense flow and visibility between two frames."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.errors import BadInput
from gohd_core.stylised.head.expressions import INDEX
from gohd_core.stylised.motion.stills import random_stills
from gohd_core.stylised.person.identity import Identity
from gohd_core.stylised.rendering.correspondence import barycentric_weights, dense_flow
from gohd_core.stylised.rendering.renderer import HeadRenderer

pytestmark = pytest.mark.usefixtures("graphics")
SIZE = 192


@pytest.fixture(scope="module")
def renderer():
    with HeadRenderer(SIZE) as renderer:
        yield renderer


@pytest.fixture(scope="module")
def burst(renderer):
    person = Identity.random(31)
    rows = zip(*random_stills(np.random.default_rng(8), 20)[:3], strict=True)
    return [renderer.render(person, *row, correspondence=True) for row in rows]


def warp(source: np.ndarray, flow: np.ndarray) -> np.ndarray:
    import cv2

    y, x = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    return cv2.remap(source.astype(np.float32), x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR)


def test_barycentric_weights_rebuild_pixel_and_depth(burst):
    match = burst[0].correspondence
    row, column = np.nonzero(match.triangle)
    corners = match.vertices[match.faces[match.triangle[row, column] - 1]].astype(np.float64)
    two = match.barycentric[row, column].astype(np.float64)
    weights = np.concatenate([two, 1 - two.sum(1, keepdims=True)], 1)
    assert weights.min() > -1e-3 and weights.max() < 1 + 1e-3
    depth = (weights * corners[..., 2]).sum(1)
    place = (weights[..., None] * corners[..., :2] * corners[..., 2:]).sum(1) / depth[:, None]
    error = np.abs(place - np.stack([column, row], 1)).max(1)
    assert np.quantile(error, 0.999) < 0.05
    assert np.quantile(np.abs(depth - match.depth[row, column]), 0.999) < 0.005


def test_barycentric_weights_of_one_triangle_by_hand():
    vertices = np.array([[0.0, 0.0, 5.0], [4.0, 0.0, 5.0], [0.0, 4.0, 10.0]], np.float32)
    triangle = np.zeros((5, 5), np.int32)
    triangle[1, 1] = 1
    first, second = barycentric_weights(triangle, vertices, np.array([[0, 1, 2]]))[1, 1]
    # Screen weights 1/2, 1/4, 1/4 divided by depth 5, 5, 10 and normalised.
    np.testing.assert_allclose([first, second], [4 / 7, 2 / 7], atol=1e-6)


def test_flow_to_itself_is_zero_and_all_is_visible(burst):
    flow, visible, material = dense_flow(burst[3], burst[3])
    inside = burst[3].correspondence.triangle > 0
    assert np.quantile(np.abs(flow[inside]), 0.999) < 0.05
    assert visible.mean() > 0.999
    assert np.array_equal(material, burst[3].parsing)


@pytest.mark.parametrize("pair", [(0, 1), (0, 3), (0, 4), (0, 7), (9, 16), (18, 19), (4, 18)])
def test_flow_warps_the_source_onto_the_target(burst, pair):
    source, target = (burst[k] for k in pair)
    flow, visible, material = dense_flow(source, target)
    person = material > 0
    assert visible[person].mean() > 0.6
    warped = warp(source.image, flow)
    # Shading changes with pose and glints stay put, so colours agree but not to the last level.
    error = np.abs(warped - target.image).mean(-1)
    still = np.abs(source.image.astype(float) - target.image).mean(-1)
    assert np.median(error[visible & person]) < 10
    moved = np.hypot(*np.moveaxis(flow, -1, 0)) > 1.5
    if (moved & visible & person).sum() > 50:
        chosen = moved & visible & person
        assert error[chosen].mean() < 0.7 * still[chosen].mean()


def test_flow_at_landmarks_is_the_landmarks_motion(burst):
    source, target = burst[0], burst[7]
    flow, visible, _ = dense_flow(source, target)
    checked = 0
    for k in range(68):
        x, y = np.rint(target.landmarks[k]).astype(int)
        if not (target.visible[k] and source.visible[k] and 0 <= x < SIZE and 0 <= y < SIZE):
            continue
        if k < 17 or not visible[y, x] or target.parsing[y, x] in (0, 4, 5, 11, 17):
            continue
        expected = source.landmarks[k] - target.landmarks[k]
        checked += np.hypot(*(flow[y, x] - expected)) < 1.5
    assert checked > 20


def test_gaze_flow_moves_the_eyeballs_surface(renderer):
    person = Identity.random(12)
    ahead, aside = (
        renderer.render(person, np.zeros(64), np.zeros(6), np.array(g), correspondence=True)
        for g in ((0.0, 0.0), (0.0, 0.25))
    )
    flow, visible, material = dense_flow(ahead, aside)
    x, y = np.rint(aside.irises[0]).astype(int)
    assert material[y, x] == 4 and visible[y, x]
    np.testing.assert_allclose(flow[y, x], ahead.irises[0] - aside.irises[0], atol=0.7)
    skin = np.isin(material, (1, 10, 12, 13, 14))
    assert np.abs(flow[skin]).max() < 0.05


def test_occluded_pixels_are_marked_invisible(renderer):
    person = Identity.random(12)
    opened = np.zeros(64)
    opened[INDEX["jaw_open"]] = 0.9
    shut, wide = (
        renderer.render(person, e, np.zeros(6), np.zeros(2), correspondence=True)
        for e in (np.zeros(64), opened)
    )
    _, visible, material = dense_flow(shut, wide)
    assert visible[material == 11].mean() < 0.1, "closed lips hide the inner mouth"
    assert visible[np.isin(material, (4, 5))].mean() > 0.99


def test_unsuitable_frames_are_refused(renderer, burst):
    bare = renderer.render(Identity.random(31), np.zeros(64), np.zeros(6), np.zeros(2))
    with pytest.raises(BadInput, match="correspondence=True"):
        dense_flow(bare, burst[0])
    with HeadRenderer(64) as small:
        other = small.render(Identity.random(31), np.zeros(64), np.zeros(6), np.zeros(2), correspondence=True)
    with pytest.raises(BadInput, match="same identity and size"):
        dense_flow(other, burst[0])


def test_eyes_behind_lids_are_hidden(renderer):
    person, still = Identity.random(31), np.zeros(6)
    gazes = (np.array([-0.3, 0.0]), np.array([0.3, 0.2]))
    down, up = (renderer.render(person, np.zeros(64), still, gaze, correspondence=True) for gaze in gazes)
    flow, visible, parsing = dense_flow(down, up)
    eyes = (parsing == 4) | (parsing == 5)
    y, x = np.nonzero(eyes & visible)
    came = np.rint(np.stack([x, y], 1) + flow[y, x]).astype(int)
    assert len(y) > 100 and (down.parsing[came[:, 1], came[:, 0]] == parsing[y, x]).all()
    assert (eyes & ~visible).sum() > 30  # what the lids covered in the source
