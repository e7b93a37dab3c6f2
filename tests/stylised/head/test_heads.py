"""The linear head: bases, landmarks, identities and the closing of lids and lips."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.errors import BadInput
from gohd_core.stylised.head.expressions import EXPRESSION_NAMES, INDEX, MEANINGFUL, active_expressions
from gohd_core.stylised.head.identity_modes import IDENTITY_LIMIT
from gohd_core.stylised.head.morphable import stylised_basis
from gohd_core.stylised.head.template import (
    EYE_LEFT,
    EYE_RIGHT,
    MOUTH,
    template,
    template_points,
    triangulate,
)
from gohd_core.stylised.person.identity import Identity


def shape(identity: Identity, **expression: float) -> np.ndarray:
    basis = stylised_basis()
    coefficients = np.zeros(64)
    for name, value in expression.items():
        coefficients[INDEX[name]] = value
    return (
        basis.mean_shape
        + basis.identity_basis @ np.asarray(identity.coefficients)
        + basis.expression_basis @ coefficients
    )


def test_basis_has_the_shapes_of_the_papers_linear_model():
    basis = stylised_basis()
    count = len(basis.mean_shape)
    assert basis.mean_shape.shape == (count, 3)
    assert basis.identity_basis.shape == (count, 3, 80)
    assert basis.expression_basis.shape == (count, 3, 64)
    assert basis.landmark_indices.shape == (68,)
    assert basis.faces.min() >= 0 and basis.faces.max() < count
    assert len(set(EXPRESSION_NAMES)) == 64
    assert all(np.isfinite(x).all() for x in (basis.mean_shape, basis.identity_basis, basis.expression_basis))


def test_the_stored_triangles_are_those_between_the_templates_vertices():
    layout, kind, offset, _ = template_points()
    between = triangulate(layout, kind, offset)
    stored = template().faces[: len(between)]  # those that close the back come after them
    assert {frozenset(face) for face in stored.tolist()} == {frozenset(face) for face in between.tolist()}


def test_skin_is_one_closed_sheet_but_for_eyes_and_mouth():
    faces = stylised_basis().faces
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    unique, times = np.unique(edges, axis=0, return_counts=True)
    assert times.max() == 2
    head = template()
    rims = np.concatenate([head.ring(kind, -0.02) for kind in (EYE_LEFT, EYE_RIGHT, MOUTH)])
    # At its two corners the lips' inner rim runs into the edge itself.
    corners = head.ring(MOUTH, -0.02)[[0, len(head.ring(MOUTH, 0.0)) // 2]]
    edge_corners = head.ring(MOUTH, 0.0)[[0, len(head.ring(MOUTH, 0.0)) // 2]]
    assert set(np.unique(unique[times == 1])) <= set(rims) | set(edge_corners)
    assert set(rims) - set(np.unique(unique[times == 1])) <= set(corners)


def test_skin_faces_outwards():
    head = template()
    corners = head.mean[head.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    smooth = (head.kind[head.faces] == 0).all(1)
    outwards = (normals * corners.mean(1)).sum(1)[smooth]
    assert (outwards > 0).mean() > 0.98


def test_landmarks_lie_where_the_standard_has_them():
    points = stylised_basis().mean_shape[stylised_basis().landmark_indices]
    x, y = points[:, 0], points[:, 1]
    assert (np.diff(x[:17]) > 0).all() and y[8] == y[:17].min()
    mirror = [*range(16, -1, -1), *range(26, 16, -1)]
    np.testing.assert_allclose(x[:27], -x[mirror], atol=0.03)
    np.testing.assert_allclose(y[:27], y[mirror], atol=0.03)
    assert x[36] < x[39] < 0 < x[42] < x[45]
    assert (y[[37, 38, 43, 44]] > y[[41, 40, 47, 46]]).all()
    assert (np.diff(y[27:31]) < 0).all() and points[30, 2] == points[:, 2].max()
    assert x[48] < x[60] < x[51] < x[64] < x[54]
    assert len(np.unique(stylised_basis().landmark_indices)) == 68
    assert y[51] > y[62] and y[66] > y[57]


def test_meaningful_modes_move_what_their_names_say():
    lift = stylised_basis().expression_basis[stylised_basis().landmark_indices]

    def mode(name: str) -> np.ndarray:
        return lift[..., INDEX[name]]

    assert mode("jaw_open")[66, 1] < -0.15 and abs(mode("jaw_open")[62, 1]) < 0.03
    assert mode("lip_pucker")[54, 0] < -0.05 < 0.05 < mode("lip_pucker")[48, 0]
    assert mode("smile_left")[54, 1] > 0.05 and abs(mode("smile_left")[48, 1]) < 0.01
    assert mode("smile_right")[48, 1] > 0.05
    assert mode("mouth_corner_down")[[48, 54], 1].max() < -0.04
    assert mode("blink_left")[43, 1] < -0.1 and not mode("blink_left")[36:42].any()
    assert mode("brow_inner_up")[21, 1] > 0.05 > abs(mode("brow_inner_up")[17, 1])
    assert mode("brow_outer_up_left")[24, 1] > 0.04 > abs(mode("brow_outer_up_left")[19, 1])
    assert mode("frown")[21, 1] < -0.04


def test_refining_modes_are_correlated_with_meaningful_ones_and_separate_ones_are_not():
    flat = stylised_basis().expression_basis.reshape(-1, 64).astype(np.float64)
    flat = flat / np.linalg.norm(flat, axis=0)
    first = len(MEANINGFUL)
    among = np.abs(flat[:, :first].T @ flat[:, :first]) - np.eye(first)
    assert np.linalg.matrix_rank(flat[:, :first]) == first
    assert among.max() < 0.97
    assert np.median(np.abs(flat[:, :first].T @ flat[:, first:]).max(0)) > 0.5


@pytest.mark.parametrize("seed", range(0, 200, 5))
def test_blink_brings_the_lids_together_in_every_identity(seed: int):
    head = template()
    closed = shape(Identity.random(seed), blink_left=1.0, blink_right=1.0)
    for kind in (EYE_LEFT, EYE_RIGHT):
        ring = head.ring(kind, 0.0)
        upper = ring[np.sin(head.angle[ring]) > 1e-6]
        lower = ring[(-np.arange(len(ring))) % len(ring)][np.sin(head.angle[ring]) > 1e-6]
        np.testing.assert_allclose(closed[upper, 0], closed[lower, 0], atol=0.02)
        assert (closed[upper, 1] - closed[lower, 1]).max() < 0.001


def test_blink_closes_for_extreme_coefficients_of_the_eye():
    head = template()
    rng = np.random.default_rng(4)
    for _ in range(200):
        signs = rng.choice([-IDENTITY_LIMIT, IDENTITY_LIMIT], 80)
        closed = shape(Identity(0, tuple(signs), Identity.random(0).style), blink_left=1.0)
        ring = head.ring(EYE_LEFT, 0.0)
        gap = closed[ring, 1] - closed[ring[(-np.arange(len(ring))) % len(ring)], 1]
        assert gap[np.sin(head.angle[ring]) > 1e-6].max() < 0.001


def test_lips_meet_at_rest_in_every_identity():
    head = template()
    ring = head.ring(MOUTH, 0.0)
    for seed in range(60):
        rest = shape(Identity.random(seed))
        gap = rest[ring, 1] - rest[ring[(-np.arange(len(ring))) % len(ring)], 1]
        assert gap[np.sin(head.angle[ring]) > 1e-6].max() < 0.001


def test_identity_is_the_same_for_the_same_seed():
    first, again, other = Identity.random(7), Identity.random(7), Identity.random(8)
    assert first == again and first != other


def test_random_identities_use_every_style():
    styles = [Identity.random(seed).style for seed in range(400)]
    assert len({style.hair_style for style in styles}) == 14
    assert len({style.beard for style in styles}) == 6
    assert len({style.glasses for style in styles}) == 4
    assert len({style.background for style in styles}) == 5
    assert len({style.neckline for style in styles}) == 4


@pytest.mark.parametrize("seed", [-1, 1.5, "a"])
def test_bad_seeds_are_refused(seed: object):
    with pytest.raises(BadInput, match="seed"):
        Identity.random(seed)


def test_bad_coefficients_are_refused():
    style = Identity.random(0).style
    with pytest.raises(BadInput, match="80"):
        Identity(0, (0.0,) * 79, style)
    with pytest.raises(BadInput, match="standard deviations"):
        Identity(0, (3.0,) + (0.0,) * 79, style)


def test_active_expressions_are_few_and_named():
    active = active_expressions()
    assert 9 <= len(active) <= 14
    assert all(EXPRESSION_NAMES[mode.index] == mode.name and mode.low < mode.high for mode in active)
    assert {mode.group for mode in active} == {"mouth", "lids", "brows"}
