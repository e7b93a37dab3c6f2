"""Rings around mouth and eyes: geometry as the renderer's, openings and flows as plain geometry has them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.animator.geometry.contour_warp import ProjectedContours, project_contours
from gohd_core.animator.geometry.contours import EDGE, LASHES, POINTS, RIM, FaceContours
from gohd_core.animator.geometry.linear_shape import MODES, MOVING
from gohd_core.animator.geometry.shape_encoder import ShapeEncoder
from gohd_core.stylised.camera import project
from gohd_core.stylised.ground_truth.feature_rings import feature_rings
from gohd_core.stylised.head.template import EYE_LEFT, EYE_RIGHT, EYE_RINGS, MOUTH, template
from gohd_core.stylised.person.avatar import Avatar
from gohd_core.stylised.person.identity import Identity
from gohd_core.training.animator.initialisation import set_shapes

SIZE = 256
_MOUTH_OFFSETS = (-0.02, 0.0, 0.012, 0.026, 0.058, 0.105, 0.14)


@pytest.fixture(scope="module")
def reader() -> ShapeEncoder:
    """As training begins with it."""
    torch.manual_seed(0)
    found = ShapeEncoder()
    set_shapes(found)
    return found


@pytest.fixture
def model(reader) -> FaceContours:
    return reader.contours


def moves(count: int, seed: int = 0) -> torch.Tensor:
    """Descriptors [B,72] with moderate poses and any mix of the expressions that move rings."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.zeros(count, 72)
    rows[:, 64:70] = torch.randn(count, 6, generator=generator) * torch.tensor([0.1] * 3 + [0.05] * 3)
    rows[:, list(MOVING)] = torch.rand(count, len(MOVING), generator=generator) * 0.6
    return rows


def test_rings_are_where_the_renderer_has_them(model):
    head, identity = template(), Identity.random(7)
    avatar = Avatar(identity)
    rings = feature_rings()
    neutral = torch.from_numpy(rings.mean + rings.identity @ np.asarray(identity.coefficients, np.float32))
    length = torch.tensor([[identity.style.lashes]])
    for row in moves(4):
        frame = avatar.frame(row[:64].double().numpy(), row[64:70].double().numpy(), np.zeros(2))
        found = model(neutral[None], length, row[None], SIZE)[0].numpy()
        skin = project(frame.to_world(frame.skin).astype(np.float64), SIZE)[:, :2]
        for part, (kind, offsets) in enumerate(
            ((MOUTH, _MOUTH_OFFSETS), (EYE_LEFT, EYE_RINGS), (EYE_RIGHT, EYE_RINGS))
        ):
            for k, offset in enumerate(offsets):
                ring = skin[head.ring(kind, offset)]
                if kind == EYE_RIGHT:  # its vertices run the other way round, from the outer corner
                    assert np.abs(found[part, RIM + k].mean(0) - ring.mean(0)).max() < 0.2
                    nearest = np.linalg.norm(found[part, RIM + k][:, None] - ring, axis=-1).min(1)
                    assert nearest.max() < 0.05
                    continue
                at = np.arange(0, POINTS, POINTS // 4)
                assert np.abs(found[part, RIM + k][at] - ring[at * len(ring) // POINTS]).max() < 0.05
        for part, name in ((1, "lash_left"), (2, "lash_right")):
            strip = next(each for each in avatar.parts if each.name == name)
            ends = frame.positions[strip.span][len(strip.positions) // 2 :]
            ends = project(frame.to_world(ends).astype(np.float64), SIZE)[:, :2]
            nearest = np.linalg.norm(found[part, LASHES][: POINTS // 2 + 1][:, None] - ends, axis=-1).min(1)
            assert nearest.max() < 0.25


def test_modes_hold_nearly_all_that_identities_do_to_the_rings(model):
    rings = feature_rings()
    identities = np.stack([Identity.random(k).coefficients for k in range(40)]).astype(np.float32)
    true = rings.mean + np.einsum("pritk,bk->bprit", rings.identity, identities)
    shape = torch.from_numpy(identities @ rings.modes(MODES).T)
    found = model.neutral(shape).numpy()
    unit = 1015 / 224 * SIZE / 10
    assert np.linalg.norm(found - true, axis=-1).mean() * unit < 0.25


def placed(model: FaceContours, rows: torch.Tensor) -> torch.Tensor:
    """The mean head's rings, with lashes of middle length."""
    return model(model.neutral(torch.zeros(1, MODES)), torch.full((1, 1), 0.5), rows, SIZE)


def in_frame(
    model: FaceContours, rows: torch.Tensor, own: torch.Tensor, trust: float = 1.0
) -> ProjectedContours:
    target, source = placed(model, rows), placed(model, own)
    return project_contours(target, source, torch.full((1,), trust), SIZE)


def area(points: np.ndarray) -> float:
    """Of a polygon, in squared pixels."""
    x, y = points.T
    return abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2


def test_an_opening_is_as_large_as_the_polygon_that_lips_or_lids_leave(model):
    rows = moves(6, seed=3)
    rows[:, [4, 10, 11]] = 0  # neither pressed lips nor blinks
    rows[:, 0] = torch.linspace(0.3, 1, 6)
    rows[:, 64:67] *= torch.tensor([0.0, 0.5, 1.0])  # pitch hides rims behind edges
    frame = in_frame(model, rows, torch.zeros(1, 72))
    rings = placed(model, rows).numpy()
    shown = frame.opening.flatten(2).sum(2).numpy()
    for b in range(len(rows)):
        for part in range(3):
            wanted = min(area(rings[b, part, ring]) for ring in (RIM, EDGE))
            assert shown[b, part] == pytest.approx(wanted, rel=0.12)


def test_shut_lips_and_lids_leave_nothing(model):
    rows = torch.zeros(2, 72)
    rows[:, [10, 11]] = 1.0
    rows[1, 64:67] = torch.tensor([0.1, -0.2, 0.15])
    frame = in_frame(model, rows, torch.zeros(1, 72))
    assert frame.opening.flatten(2).sum(2).max() < 1.0


def test_the_skin_at_a_ring_comes_from_where_the_portrait_has_that_ring(model):
    rows, own = moves(4, seed=5), moves(1, seed=6)
    frame = in_frame(model, rows, own)
    target, source = placed(model, rows), placed(model, own)
    drawn = frame.refine_flow(torch.full((4, 2, SIZE, SIZE), 9.0))
    ring = RIM + 3
    for b in range(4):
        for part in range(3):
            # Away from the corners, where rings lie close together.
            for k in (9, 12, 15, 33, 36, 39):
                x, y = target[b, part, ring, k]
                shift = (source[0, part, ring, k] - target[b, part, ring, k]) * 2 / SIZE
                assert (drawn[b, :, int(y.round()), int(x.round())] - shift).abs().max() < 2.0 * 2 / SIZE


def test_without_trust_or_out_of_reach_nothing_changes(model):
    rows = moves(2, seed=1)
    flow, masks = torch.rand(2, 2, SIZE, SIZE), torch.rand(2, 3, SIZE, SIZE).softmax(1)
    distrusted = in_frame(model, rows, torch.zeros(1, 72), trust=0.0)
    assert torch.equal(distrusted.refine_flow(flow), flow)
    assert torch.allclose(distrusted.refine_layer_masks(masks), masks, atol=1e-6)
    trusted = in_frame(model, rows, torch.zeros(1, 72))
    moved, refined = trusted.refine_flow(flow), trusted.refine_layer_masks(masks)
    assert torch.allclose(refined.sum(1), torch.ones(2, SIZE, SIZE), atol=1e-5)
    assert torch.equal(refined[:, 2], masks[:, 2])
    share = ((moved != flow).any(1)).float().mean()
    assert 0.02 < share < 0.2


def read_inner(frame: ProjectedContours, masks: torch.Tensor) -> torch.Tensor:
    """The refined inner layer's mask in each part's window, [B,3,w*w]."""
    return frame.window.read(frame.refine_layer_masks(masks))[:, 1].unflatten(1, (3, -1))


def test_lips_part_what_shows_the_mouth_and_hair_still_hides_eyes(model):
    rows = torch.zeros(1, 72)
    rows[:, 0] = 0.8
    frame = in_frame(model, rows, torch.zeros(1, 72))
    face = torch.tensor([1.0, 0.0, 0.0])[None, :, None, None].expand(1, 3, SIZE, SIZE)
    inner = read_inner(frame, face)
    wide = (frame.opening == 1).flatten(2) & (frame.weight == 1).flatten(2)
    assert wide[:, 0].any() and inner[:, 0][wide[:, 0]].min() == 1
    # The decoder is sure that the face hides the eyes.
    assert wide[:, 1].any() and inner[:, 1][wide[:, 1]].max() == 0
    all_inner = face.roll(1, 1)
    refined = read_inner(frame, all_inner)
    shut = (frame.opening == 0).flatten(2) & (frame.weight == 1).flatten(2)
    assert all(refined[:, k][shut[:, k]].max() == 0 for k in range(3))


def test_frames_of_a_batch_are_those_found_alone(model):
    rows, own = moves(3, seed=2), moves(1, seed=4)
    flow = torch.rand(3, 2, SIZE, SIZE)
    together = in_frame(model, rows, own).refine_flow(flow)
    for k in range(3):
        alone = in_frame(model, rows[k, None], own).refine_flow(flow[k, None])
        assert torch.allclose(alone, together[k, None], atol=1e-5)


def test_a_reader_begins_with_the_mean_head_and_its_gradient_reaches_all_of_it(reader):
    picture, rows = torch.rand(2, 3, SIZE, SIZE) * 2 - 1, moves(2)
    steps = reader.refinement_steps(picture, rows)
    assert len(steps) == 3
    assert steps[0].lashes.abs().max() < 0.5 and all(torch.equal(look.descriptor, rows) for look in steps)
    assert steps[-1].skin.shape == steps[-1].mesh.shape[:3]
    values = (value for look in steps for value in vars(look).values())
    sum(value.square().sum() for value in values).backward()
    untouched = [n for n, p in reader.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not untouched
