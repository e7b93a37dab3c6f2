"""Each operator against a plain reference, written out from its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from gohd_core.face.mediapipe import operators

SUBSET, LEFT, RIGHT = [0, 2, 3, 5, 7], 1, 4


def _random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _matrix(
    points: np.ndarray, angle: float, scale: tuple[float, float], size: tuple[int, int]
) -> np.ndarray:
    """Landmarks2TransformMatrix as four matrices after one another: shift, turn, scale, shift back."""

    def turned(a: float) -> np.ndarray:
        m = np.eye(4)
        m[:2, :2] = [[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]]
        return m

    across = points[RIGHT, :2] - points[LEFT, :2]
    rotation = angle - math.atan2(across[1], across[0])
    level = points[SUBSET, :2] @ turned(rotation)[:2, :2].T
    low, high = level.min(0), level.max(0)
    shift, scaled, back = np.eye(4), np.eye(4), np.eye(4)
    shift[:2, 3] = turned(-rotation)[:2, :2] @ ((low + high) / 2)
    scaled[0, 0], scaled[1, 1] = (s * (h - v) / n for s, h, v, n in zip(scale, high, low, size, strict=True))
    back[:2, 3] = -np.array(size) / 2
    return shift @ turned(-rotation) @ scaled @ back


@pytest.mark.parametrize("angle", [0.0, 0.4])
def test_the_matrix_of_a_region(angle: float) -> None:
    points, scale, size = _random(3, 9, 3), (1.5, 1.2), (16, 12)
    found = operators.landmarks_to_matrix(
        points, subset=SUBSET, left=LEFT, right=RIGHT, angle=angle, scale=scale, size=size
    )
    for k in range(3):
        assert np.abs(found[k].numpy() - _matrix(points[k].numpy(), angle, scale, size)).max() < 1e-12


def test_a_window_is_sampled_pixel_by_pixel() -> None:
    maps, matrix = _random(2, 3, 7, 9), torch.eye(4, dtype=torch.float64).repeat(2, 1, 1)
    matrix[0, :2] = torch.tensor([[0.9, -0.5, 0, 2.0], [0.4, 0.8, 0, 0.5]])
    matrix[1, :2] = torch.tensor([[1.7, 0.1, 0, -1.5], [-0.2, 1.4, 0, 1.0]])
    found = operators.sample_window(maps, matrix, size=(6, 5))
    assert found.shape == (2, 3, 5, 6)
    outside = 0
    for b in range(2):
        for row in range(5):
            for column in range(6):
                x, y = (matrix[b, :2, :2] @ torch.tensor([column + 0.5, row + 0.5]).double()).tolist()
                x, y = x + matrix[b, 0, 3].item() - 0.5, y + matrix[b, 1, 3].item() - 0.5
                wanted = torch.zeros(3, dtype=torch.float64)
                if 0 <= x <= 8 and 0 <= y <= 6:
                    for i in (math.floor(y), math.floor(y) + 1):
                        for j in (math.floor(x), math.floor(x) + 1):
                            weight = (1 - abs(y - i)) * (1 - abs(x - j))
                            if i < 7 and j < 9:
                                wanted += weight * maps[b, :, i, j]
                else:
                    outside += 1
                assert (found[b, :, row, column] - wanted).abs().max() < 1e-9
    assert 3 < outside < 50


def test_landmarks_are_moved_and_keep_their_depth() -> None:
    matrix = _random(2, 4, 4, seed=1)
    for dimensions in (2, 3):
        points = _random(2, 5, dimensions)
        found = operators.transform_landmarks(points, matrix)
        for b in range(2):
            for p in range(5):
                x, y = points[b, p, :2]
                wanted = [matrix[b, k, 0] * x + matrix[b, k, 1] * y + matrix[b, k, 3] for k in range(2)]
                assert torch.allclose(found[b, p, :2], torch.stack(wanted))
                assert torch.equal(found[b, p, 2:], points[b, p, 2:])


def test_a_transposed_convolution_spreads_each_pixel() -> None:
    x, weight, bias = _random(2, 3, 4, 5), _random(3, 2, 2, 2, seed=1), _random(2, seed=2)
    found = operators.convolve_transposed(x, weight, bias, stride=(2, 2))
    for i in range(8):
        for j in range(10):
            wanted = torch.einsum("bc,co->bo", x[:, :, i // 2, j // 2], weight[:, :, i % 2, j % 2]) + bias
            assert torch.allclose(found[:, :, i, j], wanted)


@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("sides", [(0, 0, 0, 0), (1, 1, 1, 1), (0, 1, 0, 1)])
def test_a_convolution_is_a_sum_over_its_window(groups: int, sides: operators.Sides) -> None:
    x, weight, bias = _random(2, 4, 7, 8), _random(4, 4 // groups, 3, 3, seed=1), _random(4, seed=2)
    found = operators.convolve(
        x, weight, bias, stride=(2, 2), dilation=(1, 1), sides=sides, groups=groups, activation="relu6"
    )
    padded = torch.nn.functional.pad(x, sides)
    for i in range(found.shape[2]):
        for j in range(found.shape[3]):
            window = padded[:, :, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
            for o in range(4):
                part = window if groups == 1 else window[:, o : o + 1]
                wanted = ((part * weight[o]).sum((1, 2, 3)) + bias[o]).clamp(0, 6)
                assert torch.allclose(found[:, o, i, j], wanted)


def test_pools_take_the_largest_or_the_mean() -> None:
    x = _random(2, 3, 5, 6)
    largest = operators.max_pool(x, size=(2, 2), stride=(2, 2), sides=(0, 0, 0, 1), activation=None)
    assert largest.shape == (2, 3, 3, 3)
    assert torch.equal(largest[:, :, 2, 1], x[:, :, 4, 2:4].amax(-1))  # the padded row counts for nothing
    assert torch.equal(largest[:, :, 0, 2], x[:, :, :2, 4:].amax((2, 3)))
    whole = operators.average_pool(x, size=(5, 6), stride=(1, 1), activation=None)
    assert torch.allclose(whole[..., 0, 0], x.sum((2, 3)) / 30)
    halves = operators.average_pool(x, size=(5, 3), stride=(5, 3), activation="relu")
    assert torch.allclose(halves[..., 0, 1], x[..., 3:].mean((2, 3)).clamp_min(0))


def test_channels_become_blocks() -> None:
    x = _random(2, 12, 3, 4)
    found = operators.depth_to_space(x, block=2)
    assert found.shape == (2, 3, 6, 8)
    for i in range(6):
        for j in range(8):
            first = (i % 2 * 2 + j % 2) * 3
            assert torch.equal(found[:, :, i, j], x[:, first : first + 3, i // 2, j // 2])


def test_shapes_follow_the_file_s_order_of_dimensions() -> None:
    x = _random(2, 3, 4, 5)
    rows = operators.reshape(x, shape=(1, 20, 3))
    assert torch.equal(rows[1, 7], x[1, :, 1, 2])
    assert torch.equal(operators.reshape(rows, shape=(1, 4, 5, 3)), x)
    part = operators.strided_slice(x, slices=(slice(None), slice(1, 3, 1), slice(0, 4, 2), slice(None)))
    assert torch.equal(part, x[:, 1:3, ::2])
    assert torch.equal(operators.pad(x, sides=(1, 0, 0, 2))[:, :, :4, 1:], x)
    joined = operators.concatenate(x, -x, axis=1, activation="relu")
    assert torch.equal(joined, torch.cat([x, -x], 1).clamp_min(0))


def test_pixels_are_added_multiplied_and_bent() -> None:
    x, y = _random(2, 3, 4, 5), _random(1, 3, 1, 1, seed=1)
    assert torch.equal(operators.add(x, y, activation="relu"), (x + y).clamp_min(0))
    assert torch.equal(operators.multiply(x, y, activation=None), x * y)
    slope = y.reshape(-1)
    assert torch.allclose(operators.prelu(x, slope), torch.where(x > 0, x, x * slope[:, None, None]))


@pytest.mark.parametrize("aligned", [False, True])
def test_maps_are_resized_between_pixels(aligned: bool) -> None:
    x = torch.arange(6.0, dtype=torch.float64).reshape(1, 1, 1, 6)
    found = operators.resize(x, size=(1, 12), align_corners=aligned)[0, 0, 0]
    steps = torch.arange(12, dtype=torch.float64)
    places = steps * 5 / 11 if aligned else ((steps + 0.5) / 2 - 0.5).clamp(0, 5)
    assert torch.allclose(found, places)
