"""The face as a sheet: points on the renderer's skin, flows as plain geometry has them, no skin no flow."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.animator.geometry.face_mesh import FrontalMesh, mesh_flow
from gohd_core.animator.geometry.shape_encoder import ShapeEncoder
from gohd_core.face.geometry.camera import Camera
from gohd_core.stylised.camera import project
from gohd_core.stylised.ground_truth.face_sheet import sheet_model
from gohd_core.stylised.person.avatar import Avatar
from gohd_core.stylised.person.identity import Identity
from gohd_core.training.animator.initialisation import set_shapes
from tests.animator.geometry.test_contours import moves

SIZE = 256


@pytest.fixture(scope="module")
def sheet() -> FrontalMesh:
    reader = ShapeEncoder()
    set_shapes(reader)
    return reader.mesh


def head(seed: int) -> tuple[Avatar, torch.Tensor]:
    """A head and its sheet without expression."""
    identity, model = Identity.random(seed), sheet_model()
    points = model.mean + model.identity @ np.asarray(identity.coefficients, np.float32)
    return Avatar(identity), torch.from_numpy(points)[None]


def test_points_lie_on_the_skin_that_the_renderer_draws(sheet):
    avatar, neutral = head(7)
    for row in moves(3):
        frame = avatar.frame(row[:64].double().numpy(), row[64:70].double().numpy(), np.zeros(2))
        skin = project(frame.to_world(frame.skin).astype(np.float64), SIZE)
        found = sheet(neutral, row[None], SIZE)[0].flatten(1).T.numpy()
        # Depth in pixels, seen from the origin's distance: triangles are eight pixels wide and more.
        unit = Camera.of_size(SIZE).focal / Camera.distance
        skin[:, 2] = (Camera.distance - skin[:, 2]) * unit
        found[:, 2] *= unit
        away = np.linalg.norm(found[:, None] - skin[None], axis=-1).min(1)
        assert away.max() < 14 and away.mean() < 3


def test_a_flow_is_that_of_the_points(sheet):
    _, neutral = head(3)
    rows, own = moves(3, seed=1), moves(1, seed=2)
    target, source = sheet(neutral, rows, SIZE), sheet(neutral, own, SIZE)
    found = mesh_flow(target, source, torch.ones(1, 24, 24), SIZE)
    flow = found.refine_flow(torch.full((3, 2, SIZE, SIZE), 9.0))
    for b in range(3):
        errors = []
        for i in range(5, 15):
            for j in range(8, 16):
                x, y = target[b, :2, i, j].round().long()
                wanted = (source[0, :2, i, j] - target[b, :2, i, j]) * 2 / SIZE
                errors.append((flow[b, :, y, x] - wanted).norm() * SIZE / 2)
        # In front, where the nose hides nothing.
        assert np.median(errors) < 0.5


def test_nothing_moves_where_no_skin_is_seen_and_where_the_sheet_ends(sheet):
    _, neutral = head(3)
    rows, own = moves(2, seed=1), torch.zeros(1, 72)
    points = sheet(neutral, rows, SIZE), sheet(neutral, own, SIZE)
    flow = torch.rand(2, 2, SIZE, SIZE)
    assert torch.equal(mesh_flow(*points, torch.zeros(1, 24, 24), SIZE).refine_flow(flow), flow)
    moved = mesh_flow(*points, torch.ones(1, 24, 24), SIZE).refine_flow(flow)
    changed = (moved != flow).any(1)
    assert 0.1 < changed.float().mean() < 0.5
    assert not changed[:, :8].any() and not changed[:, :, :8].any() and not changed[:, :, -8:].any()
    half = torch.ones(1, 24, 24)
    half[:, :, :12] = 0
    moved = mesh_flow(*points, half, SIZE).refine_flow(flow)
    assert (moved != flow).any(1).float().mean() < 0.6 * changed.float().mean()


def test_frames_of_a_batch_are_those_found_alone(sheet):
    _, neutral = head(4)
    rows, own = moves(3, seed=5), moves(1, seed=6)
    target, source = sheet(neutral, rows, SIZE), sheet(neutral, own, SIZE)
    skin = torch.rand(1, 24, 24)
    together = mesh_flow(target, source, skin, SIZE)
    for k in range(3):
        alone = mesh_flow(target[k, None], source, skin, SIZE)
        assert torch.allclose(alone.flow, together.flow[k, None], atol=1e-5)
        assert torch.allclose(alone.weight, together.weight[k, None], atol=1e-5)
