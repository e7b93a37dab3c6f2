"""A clip by meshes: poses whatever the jaw does, expressions against the face at rest, and gaze."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.animator.geometry.linear_shape import MOVING
from gohd_core.errors import BadInput
from gohd_core.face.geometry.camera import Camera, rotation
from gohd_core.mesh.clip import (
    CHIN,
    EYES,
    IRIS_DEPTH,
    ClipExpression,
    Features,
    fit_clip,
    iris_offsets,
    offset_gaze,
)
from gohd_core.mesh.contours import HALF, INNER_LIPS, OUTER_LIPS, edge_gap
from gohd_core.mesh.face_at_rest import neutral_points
from gohd_core.mesh.frame import EDGE, LIPS
from gohd_core.mesh.reading.columns import SIDEWAYS
from gohd_core.mesh.reading.fit import fit_face
from tests.support.clip_faces import acted, head
from tests.support.mesh_faces import SIZE


@pytest.mark.parametrize("angles", [(0.0, 0.0, 0.0), (0.15, 0.35, -0.1), (-0.2, -0.5, 0.2)])
def test_the_pose_is_the_heads_and_no_jaw_changes_it(angles) -> None:
    shut, opened = (fit_clip(acted(angles, gap=gap)[None], SIZE).pose[0] for gap in (0.0, 0.2))
    assert torch.allclose(shut[:3], torch.tensor(angles), atol=0.02)
    assert torch.allclose(shut[:3], opened[:3], atol=1e-4)
    whole = fit_face(acted(angles, gap=0.2)[None], SIZE).pose[0]
    assert (whole - shut)[:3].abs().max() > 5 * (opened - shut)[:3].abs().max()


def test_own_points_lie_on_their_pixels() -> None:
    from gohd_core.face.geometry.camera import transform

    mesh = acted((0.1, 0.3, 0.05), gap=0.1)
    fitted = fit_clip(mesh[None], SIZE)
    seen = Camera.of_size(SIZE).pixels(transform(fitted.points_in_head, fitted.pose))
    assert torch.allclose(seen[0], mesh[:, :2], atol=2e-3)


def test_irises_are_read_in_their_own_plane() -> None:
    """The slow way: the ray of one iris, cut with the plane, by hand."""
    fitted = fit_clip(acted((0.1, 0.4, 0.0), look=(0.2, 0.1))[None], SIZE)
    points, pose = fitted.points_in_head[0].double(), fitted.pose[0].double()
    found = iris_offsets(fitted.pose, fitted.points_in_head)[0]
    viewer = (torch.tensor([0.0, 0.0, 10.0], dtype=torch.float64) - pose[3:]) @ rotation(pose[:3]).T
    for k, (lids, iris, _) in enumerate(EYES):
        right, left = points[lids.right], points[lids.left]
        width, middle = (right - left).norm(), (right + left) / 2
        ray = points[iris.start] - viewer
        at = viewer + ray * (middle[2] + IRIS_DEPTH * width - viewer[2]) / ray[2]
        assert torch.allclose(found[k].double(), (at - middle)[:2] / width, atol=1e-4)


@pytest.mark.parametrize("yaw", [-0.4, 0.0, 0.4])
def test_a_turning_head_does_not_change_where_its_eyes_look(yaw) -> None:
    look = (0.25, -0.1)
    fitted = fit_clip(acted((0.0, yaw, 0.0), look=look)[None], SIZE)
    found = offset_gaze(iris_offsets(fitted.pose, fitted.points_in_head))[0]
    assert torch.allclose(found, torch.tensor(look), atol=0.03)


def clip(**channels: np.ndarray) -> torch.Tensor:
    count = len(next(iter(channels.values())))
    rows = [{name: float(values[k]) for name, values in channels.items()} for k in range(count)]
    return fit_clip(torch.stack([acted(**row) for row in rows]), SIZE).points_in_head


def test_lips_open_by_what_is_seen_and_shut_ones_are_shut() -> None:
    gap = np.concatenate([np.zeros(8), np.linspace(0, 0.2, 12)])
    points = clip(gap=gap)
    features = Features.of(points)
    tells = ClipExpression(neutral_points(points), features)
    found = tells(features)
    edge = tells.shape.directions[:14, 0, 1, :, 1]
    gain = (edge[:, [9, 12, 15]] - edge[:, [39, 36, 33]]).mean(1)
    columns = [0, 1, 3, 4, 5, 6, 7, 8, 10, 11, 13, 14, 15, 16]
    opening = (found[:, columns] @ gain).numpy()
    assert np.corrcoef(opening, gap)[0, 1] > 0.99
    assert opening[:8].max() <= 0.03 * opening.max()
    # Not exactly: this mouth opens as a box does, and expressions know rounder ones.
    assert 0.8 < opening[-1] / gap[-1] < 1.2
    assert found[-1, 0] > 0.2 > found[:8, 0].max()


def test_lids_shut_and_open() -> None:
    shut = np.array([0.0, 0, 0, 0, 0, 0.5, 1.0, 0.5, 0, 0, 0, 0])
    features = Features.of(clip(shut=shut))
    found = ClipExpression(head(), features)(features)
    for column in (10, 11):
        assert found[6, column] > 0.9 and found[:5, column].abs().max() < 0.05
        assert 0.3 < found[5, column] < 0.75


def test_narrow_eyes_of_a_clip_without_a_blink_are_not_shut() -> None:
    """The same narrow look, in a clip with a blink and in one without."""
    narrow, blink = np.repeat([0.0, 0.3], [12, 4]), np.array([0.5, 1.0, 0.5])
    found = []
    for shut in (narrow, np.concatenate([narrow, blink])):
        features = Features.of(clip(shut=shut))
        found.append(ClipExpression(head(), features)(features)[12:16, [10, 11]])
    assert found[1].min() > 0.15
    assert torch.allclose(*found, atol=0.1)


def test_lips_are_shut_in_expressions_whatever_the_chin_does() -> None:
    """A chin that goes down over shut lips opens no jaw that the lips do not make up for."""
    points = clip(gap=np.concatenate([np.zeros(8), np.linspace(0, 0.2, 12)]))
    points[4, list(CHIN), 1] -= 0.08
    features = Features.of(points)
    fit = ClipExpression(neutral_points(points), features)
    gain = edge_gap(fit.shape.directions[: len(MOVING), LIPS][:, EDGE])
    gaps = fit(features)[:, list(MOVING)] @ gain
    assert fit(features)[4, 0] > 0.05
    assert abs(float(gaps[4])) < 0.005
    assert torch.allclose(gaps, fit.own_gap(features), atol=0.006)


def test_one_eye_that_narrows_is_not_taken_for_shut() -> None:
    """In a clip without a blink of both; the other eye stays open."""
    features = Features.of(clip(shut=np.zeros(16)))
    features.lids[12:, 0] *= 0.5
    found = ClipExpression(head(), features)(features)[:, [10, 11]]
    assert 0.4 < found[12:, 0].max() < 0.75 and found[12:, 1].max() < 0.05


def test_what_is_no_mesh_is_told() -> None:
    with pytest.raises(BadInput, match="478"):
        fit_clip(torch.zeros(2, 468, 3), SIZE)
    with pytest.raises(BadInput, match="finite"):
        fit_clip(torch.full((1, 478, 3), float("nan")), SIZE)


def test_a_smile_is_read_as_wide_and_high_as_it_is() -> None:
    """Corners go out and up, with less and less of the lips beside them: as no one direction does."""
    rest, smiles = head(), [0.0] * 8 + [0.5, 1.0]
    lips = sorted(
        {k for loop in (OUTER_LIPS, INNER_LIPS) for k in (loop.right, loop.left, *loop.upper, *loop.lower)}
    )
    points = rest.repeat(len(smiles), 1, 1)
    for corner, side in ((OUTER_LIPS.right, 1.0), (OUTER_LIPS.left, -1.0)):
        away = (rest[lips] - rest[corner])[:, :2].norm(dim=1)
        share = torch.exp(-((away / 0.12) ** 2))[:, None]
        way = torch.tensor(smiles)[:, None, None] * torch.tensor([0.06 * side, 0.05, 0.0])
        points[:, lips] += share * way
    features = Features.of(points)
    fit = ClipExpression(neutral_points(points[:8]), features)
    lips_told = fit.shape.contours[LIPS, 4] + torch.einsum(
        "tm,mpc->tpc", fit(features)[:, list(MOVING)], fit.shape.directions[: len(MOVING), LIPS, 4]
    )
    corners = [contour[:, [0, HALF]] for contour in (lips_told, features.lips[:, 1])]
    widths = [(each[-1, 0] - each[-1, 1]).norm() - (each[0, 0] - each[0, 1]).norm() for each in corners]
    heights = [(each[-1] - each[0])[:, 1].mean() for each in corners]
    assert float(widths[0]) == pytest.approx(float(widths[1]), rel=0.15)
    assert 0.6 < float(heights[0] / heights[1]) < 1.1


@pytest.mark.parametrize("way", [0.06, -0.06])
def test_a_mouth_that_moves_aside_is_read_with_its_side(way) -> None:
    points = clip(gap=np.zeros(12))
    lips = [*INNER_LIPS.points, *OUTER_LIPS.points]
    points[8:, lips, 0] += way
    features = Features.of(points)
    found = ClipExpression(neutral_points(points[:8]), features)(features)[:, list(SIDEWAYS)]
    assert found[:8].abs().max() < 0.02
    assert (found[8:, 0] * way > 0.5 * abs(way)).all()
    assert (found[8:, 0].abs() > 3 * found[8:, 1].abs()).all()
