"""The canonical face, splines, contours, and the fit of a face mesh."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.interpolate import PchipInterpolator

from gohd_core.errors import BadInput
from gohd_core.face.geometry.camera import Camera, rotation, transform
from gohd_core.mesh.contours import (
    INNER_LIPS,
    LEFT_LIDS,
    OUTER_LIPS,
    face_contours,
    inner_gap,
    monotone_cubic,
    opposite,
    shut,
)
from gohd_core.mesh.reading.canonical import canonical_face
from gohd_core.mesh.reading.fit import face_box, face_square, fit_face, into_box, procrustes
from gohd_core.mesh.reading.spline import Spline
from tests.support.mesh_faces import SIZE, astronaut, painted_mesh


def test_the_canonical_face_is_symmetric_and_lies_on_the_stylised_head():
    face = canonical_face()
    assert torch.equal(face.mirror[face.mirror], torch.arange(468))
    flipped = face.points[face.mirror] * face.points.new_tensor([-1.0, 1.0, 1.0])
    assert torch.allclose(flipped, face.points, atol=1e-6)
    assert (face.on_head - face.points).norm(dim=1).median() < 0.1
    nose, chin = face.rigidity[6], face.rigidity[152]
    assert nose > chin and face.rigidity.sum() == pytest.approx(1)


def test_a_spline_meets_its_targets_and_keeps_affine_maps():
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(30, 3, generator=generator, dtype=torch.float64)
    targets = torch.randn(30, 3, generator=generator, dtype=torch.float64)
    assert torch.allclose(Spline(points, targets)(points), targets, atol=1e-9)
    matrix = torch.randn(3, 3, generator=generator, dtype=torch.float64)
    affine = Spline(points, points @ matrix + 1, 0.1)
    elsewhere = torch.randn(7, 5, 3, generator=generator, dtype=torch.float64)
    assert torch.allclose(affine(elsewhere), elsewhere @ matrix + 1, atol=1e-8)


def test_a_spline_carries_shifts_as_differences_of_places():
    generator = torch.Generator().manual_seed(1)
    points, targets = torch.randn(2, 20, 3, generator=generator, dtype=torch.float64)
    spline = Spline(points, targets, 0.05)
    places = torch.randn(9, 3, generator=generator, dtype=torch.float64)
    shifts = torch.randn(4, 9, 3, generator=generator, dtype=torch.float64)
    shifts[2, :5] = 0
    expected = torch.stack([spline(places + each) - spline(places) for each in shifts])
    assert torch.allclose(spline.moved(places, shifts), expected, atol=1e-9)


def test_monotone_cubics_are_those_of_scipy_between_their_ends():
    x = np.array([0.0, 0.4, 1.0, 1.3, 2.0])
    y = np.array([[0.0, 1.0], [0.5, 1.2], [0.4, 3.0], [0.9, 3.5], [2.0, 2.0]])
    at = np.linspace(0.4, 1.3, 17)  # the ends' own tangents are simpler here
    ours = monotone_cubic(*(torch.from_numpy(each)[None] for each in (x, y, at)))[0]
    assert np.allclose(ours.numpy(), PchipInterpolator(x, y)(at), atol=1e-9)


def test_contours_begin_and_end_in_the_corners_and_follow_the_points():
    points = canonical_face().points[None]
    contours = face_contours(points)[0]
    for part, contour, loop in ((0, 1, INNER_LIPS), (0, 4, OUTER_LIPS), (1, 1, LEFT_LIDS[0])):
        ring = contours[part, contour]
        assert torch.allclose(ring[0], points[0, loop.right], atol=1e-5)
        assert torch.allclose(ring[24], points[0, loop.left], atol=1e-5)
        spacing = (ring - ring.roll(1, 0)).norm(dim=-1).max()
        assert torch.cdist(points[0, list(loop.points)], ring).min(1).values.max() < spacing
        assert (ring[1:24, 1] >= ring[25:, 1].flip(0) - 1e-6).all()  # the upper half lies above


def test_shut_lips_meet_and_nothing_else_moves():
    contours = face_contours(canonical_face().points[None])
    closed = shut(contours)
    edge = closed[0, 0, 1]
    assert torch.allclose(edge, opposite(edge, 0))
    assert torch.equal(closed[:, 1:], contours[:, 1:]) and torch.equal(closed[:, 0, 2:], contours[:, 0, 2:])


def test_procrustes_finds_scale_turn_and_shift_again():
    generator = torch.Generator().manual_seed(2)
    start = torch.randn(50, 3, generator=generator, dtype=torch.float64)
    turn = rotation(torch.tensor([[0.2, -0.5, 0.1], [0.0, 0.3, -1.0]], dtype=torch.float64))
    end = 2.5 * start @ turn + torch.tensor([1.0, 2.0, 3.0])
    scale, found, shift = procrustes(start, end, torch.rand(50, generator=generator).double() + 0.1)
    assert torch.allclose(scale.flatten(), torch.tensor([2.5, 2.5], dtype=torch.float64))
    assert torch.allclose(found, turn) and torch.allclose(shift[:, 0], shift.new_tensor([1.0, 2.0, 3.0]))


def test_own_points_project_exactly_where_they_were_found():
    face = astronaut().face
    pixels = Camera.of_size(SIZE).pixels(transform(face.points_in_head, face.pose))
    assert (pixels - face.points).abs().max() < 1e-3


def _seen(pose: torch.Tensor, size: int) -> torch.Tensor:
    """The canonical face as a face mesh of poses [B,6] would see it, [B,478,3]."""
    points = canonical_face().points.float()
    points = torch.cat([points, points[:10]])
    camera, placed = Camera.of_size(size), transform(points, pose)
    scale = camera.focal / (camera.distance - pose[:, 5])  # relative depth is in pixels at the head
    return torch.cat([camera.pixels(placed), -placed[..., 2:] * scale[:, None, None]], -1)


def test_a_posed_face_is_fitted_with_its_pose():
    pose = torch.tensor([[0.1, -0.4, 0.2, 0.05, -0.1, 0.0], [-0.2, 0.3, -0.1, 0.0, 0.1, -2.0]])
    fitted = fit_face(_seen(pose, 512), 512)
    assert (fitted.pose[:, :3] - pose[:, :3]).abs().max() < np.radians(0.8)
    assert (fitted.pose[:, 3:5] - pose[:, 3:5]).abs().max() < 0.02
    assert (fitted.pose[:, 5] - pose[:, 5]).abs().max() < 0.25


def test_faces_of_a_video_are_fitted_as_each_by_itself():
    meshes = torch.stack([painted_mesh(), painted_mesh() + torch.tensor([3.0, -2.0, 0.0])])
    together = fit_face(meshes, SIZE)
    for k, mesh in enumerate(meshes):
        alone = fit_face(mesh[None], SIZE)
        assert torch.allclose(alone.pose[0], together.pose[k], atol=1e-5)
        assert torch.allclose(alone.points_in_head[0], together.points_in_head[k], atol=1e-5)


def test_a_mesh_of_another_shape_is_refused():
    for wrong in (torch.zeros(1, 468, 3), torch.zeros(478, 3), torch.full((1, 478, 3), torch.nan)):
        with pytest.raises(BadInput, match="face mesh"):
            fit_face(wrong, SIZE)


def test_the_box_around_a_face_stays_within_the_picture():
    mesh = painted_mesh()
    left, top, side = face_box(mesh, SIZE, SIZE)
    assert (left, top, side) == (0, 0, SIZE)
    left, top, side = face_box(mesh + torch.tensor([300.0, 200.0, 0.0]), 700, 900)
    assert 0 < left < 900 - side and 0 < top < 700 - side
    assert side == pytest.approx(1.1 * SIZE, rel=0.06)
    moved = into_box(mesh + torch.tensor([300.0, 200.0, 0.0]), (300.0, 200.0, float(SIZE)), 2 * SIZE)
    assert torch.allclose((moved[:, :2] + 0.5) / 2, mesh[:, :2] + 0.5, atol=1e-3)


def test_the_square_around_a_face_at_the_pictures_edge_has_its_size_and_its_head_in_the_middle():
    mesh = painted_mesh() - torch.tensor([120.0, 0.0, 0.0])
    left, top, side = face_square(mesh)
    assert (left + 120, top, side) == pytest.approx(face_square(painted_mesh()))
    assert left < 0 < top + side and face_box(mesh, SIZE, SIZE)[0] == 0
    pose = fit_face(into_box(mesh, (left, top, side), SIZE)[None], SIZE).pose[0]
    assert pose[3].abs() < 0.01 and -2 < pose[5] < 0


def test_the_gap_of_painted_lips_is_none():
    fitted = fit_face(painted_mesh()[None], SIZE)
    assert inner_gap(fitted.points_in_head).abs() < 0.003
