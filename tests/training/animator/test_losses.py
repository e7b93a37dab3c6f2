"""Each of the animator's losses against its equation in plain numpy, and where its gradients go."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.training.animator.task import emphasis_mask
from gohd_core.training.discriminators.image import ImageDiscriminator
from gohd_core.training.losses import animator as loss


@pytest.fixture
def draw():
    rng = np.random.default_rng(5)
    return lambda *shape: rng.standard_normal(shape).astype(np.float32)


def close(ours, reference):
    assert float(ours) == pytest.approx(float(reference), rel=1e-5)


def tensors(*arrays):
    return [torch.from_numpy(np.asarray(a, np.float32)) for a in arrays]


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x, np.float64)))


def test_reconstruction_eq_11(draw):
    real, made, mask = draw(2, 3, 4, 4), draw(2, 3, 4, 4), abs(draw(2, 1, 4, 4))
    expected = np.mean(np.abs(real - made) * (1 + mask))
    close(loss.reconstruction(*tensors(real, made, mask)), expected)


def test_perceptual_eq_12(draw):
    mask = abs(draw(2, 1, 8, 8))
    real, made = [draw(2, 5, 8, 8), draw(2, 7, 4, 4)], [draw(2, 5, 8, 8), draw(2, 7, 4, 4)]
    halved = mask.reshape(2, 1, 4, 2, 4, 2).mean((3, 5))
    expected = sum(
        np.mean(np.abs(a - b) * (1 + m)) for a, b, m in zip(real, made, (mask, halved), strict=True)
    )
    close(loss.perceptual(tensors(*real), tensors(*made), torch.from_numpy(mask)), expected)


def test_expression_and_gaze_eq_13_14(draw):
    real, made = draw(3, 9), draw(3, 9)
    close(loss.feature_distance(tensors(real), tensors(made)), np.mean(np.abs(real - made)))


def test_parsing_eq_15(draw):
    real, made = draw(2, 4, 3, 3), draw(2, 4, 3, 3)
    total = 0.0
    for b in range(2):
        for y in range(3):
            for x in range(3):
                logits = made[b, :, y, x].astype(np.float64)
                chance = np.exp(logits) / np.exp(logits).sum()
                total -= np.log(chance[real[b, :, y, x].argmax()]) / 18
    close(loss.parsing(*tensors(real, made)), total)


def test_adversarial_eq_16(draw):
    real, fake = 3 * draw(6), 3 * draw(6)
    close(loss.adversarial(*tensors(fake)), np.mean(-np.log(sigmoid(fake))))
    expected = np.mean(-np.log(sigmoid(real))) + np.mean(-np.log(1 - sigmoid(fake)))
    close(loss.discrimination(*tensors(real, fake)), expected)


def test_gradient_penalty(draw):
    images = torch.from_numpy(draw(3, 3, 2, 2)).requires_grad_()
    slope = torch.from_numpy(draw(3, 2, 2))
    scores = (images * slope).flatten(1).sum(1) * torch.tensor([1.0, 2.0, 3.0])
    expected = np.mean([(k * slope.numpy()) ** 2 for k in (1, 2, 3)]) * slope.numel()
    close(loss.gradient_penalty(images, scores), expected)


def test_edges(draw):
    real, made, mask = draw(2, 3, 5, 4), draw(2, 3, 5, 4), abs(draw(2, 1, 5, 4))
    gap = real - made
    across = np.mean(np.abs(gap[..., 1:] - gap[..., :-1]) * (1 + mask[..., 1:]))
    down = np.mean(np.abs(gap[..., 1:, :] - gap[..., :-1, :]) * (1 + mask[..., 1:, :]))
    close(loss.edges(*tensors(real, made, mask)), across + down)


def test_visible_difference(draw):
    real, made = draw(2, 3, 4, 4), draw(2, 3, 4, 4)
    seen, weight = (draw(2, 1, 4, 4) > 0).astype(np.float32), 5 + abs(draw(2, 1, 4, 4))
    error = np.abs(real - made).mean(1, keepdims=True)
    expected = (error * seen * weight).sum() / (seen * weight).sum()
    close(loss.visible_difference(*tensors(real, made, seen, weight)), expected)


def cell(values, k):
    b, c, h, w = values.shape
    return values.reshape(b, c, h // k, k, w // k, k).mean((3, 5))


@pytest.mark.parametrize("side", [4, 8, 16])
def test_flow_error_at_smaller_equal_and_larger_sizes(draw, side):
    flow, truth, weight = draw(2, 2, side, side), draw(2, 2, 8, 8), abs(draw(2, 1, 8, 8)) + 0.1
    f, t, w = flow.astype(np.float64), truth.astype(np.float64), weight.astype(np.float64)
    if side == 4:
        t, w = cell(t * w, 2) / cell(w, 2), cell(w, 2)
    if side == 16:
        f = cell(f, 2)
    error = np.sqrt((((f - t) * 64) ** 2).sum(1, keepdims=True) + loss.BRANCH**2)
    close(loss.flow_error(*tensors(flow, truth, weight)), (error * w).sum() / w.sum())


def test_visibility_error(draw):
    logits, weight = draw(2, 1, 4, 4), abs(draw(2, 1, 8, 8)) + 0.1
    seen = (draw(2, 1, 8, 8) > 0).astype(np.float32)
    share, w = cell(seen * weight, 2) / cell(weight, 2), cell(weight, 2)
    chance = sigmoid(logits)
    error = -(share * np.log(chance) + (1 - share) * np.log(1 - chance))
    close(loss.visibility_error(*tensors(logits, seen, weight)), (error * w).sum() / w.sum())


def test_a_larger_mask_owes_the_truth_at_each_pixel(draw):
    logits, weight = draw(2, 1, 8, 8), abs(draw(2, 1, 4, 4)) + 0.1
    seen = (draw(2, 1, 4, 4) > 0).astype(np.float32)
    shown, w = seen.repeat(2, 2).repeat(2, 3), weight.repeat(2, 2).repeat(2, 3)
    chance = sigmoid(logits)
    error = -(shown * np.log(chance) + (1 - shown) * np.log(1 - chance))
    close(loss.visibility_error(*tensors(logits, seen, weight)), (error * w).sum() / w.sum())
    chequers = torch.tensor([[9.0, -9.0], [-9.0, 9.0]]).repeat(4, 4)[None, None]
    half, even = torch.full((1, 1, 4, 4), 0.5), torch.ones(1, 1, 4, 4)
    assert loss.visibility_error(chequers, half, even) > 3 * loss.visibility_error(0 * chequers, half, even)


def test_emphasis_mask_is_one_box_after_the_other():
    boxes = np.array([[[0.0, 0.0, 0.25, 0.25], [0.5, 0.0, 0.75, 0.25], [0.25, 0.5, 0.75, 1.0]]], np.float32)
    mask = emphasis_mask(torch.from_numpy(boxes), 8, lips=3.0, eyes=2.0)[0, 0].numpy()
    expected = np.zeros((8, 8))
    expected[0:2, 0:2] = expected[0:2, 4:6] = 2
    expected[4:8, 2:6] = 3
    assert np.array_equal(mask, expected)


def test_discriminator_learns_to_separate(draw):
    torch.manual_seed(0)
    network = ImageDiscriminator(16, width=4)
    optimiser = torch.optim.Adam(network.parameters(), 1e-2, betas=(0.0, 0.99))
    for _ in range(25):
        real, fake = torch.from_numpy(draw(8, 3, 16, 16)), torch.from_numpy(draw(8, 3, 16, 16)) * 0.5
        value = loss.discrimination(network(real), network(fake))
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
    assert network(real).shape == (8,)
    assert float(value.detach()) < 0.7


def test_planes_error(draw):
    logits, weight = draw(2, 3, 4, 4), abs(draw(2, 1, 8, 8)) + 0.1
    shown = np.eye(3, dtype=np.float32)[abs(draw(2, 8, 8) * 3).astype(int) % 3].transpose(0, 3, 1, 2).copy()
    share, w = cell(shown * weight, 2) / cell(weight, 2), cell(weight, 2)
    chance = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    error = -(share * np.log(chance)).sum(1, keepdims=True)
    close(loss.layer_error(*tensors(logits, shown, weight)), (error * w).sum() / w.sum())
