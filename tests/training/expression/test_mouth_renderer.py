"""Rendered mouths: near faces occlude far ones, openings are dark, gradients flow."""

from __future__ import annotations

import torch

from gohd_core.training.expression.mouth_renderer import MouthRenderer, barycentric


def test_weights_give_the_point_back() -> None:
    draw = torch.Generator().manual_seed(0)
    corners = torch.rand(20, 3, 2, generator=draw, dtype=torch.float64)
    point = torch.rand(20, 2, generator=draw, dtype=torch.float64)
    weights = barycentric(corners, point)
    torch.testing.assert_close((weights[..., None] * corners).sum(1), point, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(weights.sum(1), torch.ones(20, dtype=torch.float64))


def test_visibility_is_that_of_a_loop_over_pixels() -> None:
    renderer = MouthRenderer.load(None, "stylised")
    renderer.size = 12
    draw = torch.Generator().manual_seed(1)
    place = torch.rand(9, 3, 2, generator=draw) * 16 - 2
    depth = torch.rand(9, 3, generator=draw)
    shown = renderer._visible(place, depth)
    for y in range(12):
        for x in range(12):
            best, expected = -1e9, -1
            for f in range(9):
                w = barycentric(place[f], torch.tensor([x + 0.5, y + 0.5]))
                z = float((w * depth[f]).sum())
                if (w >= -1e-6).all() and z > best:
                    best, expected = z, f
            assert int(shown[y * 12 + x]) == expected


def test_an_open_mouth_is_dark_inside_and_gradients_flow() -> None:
    renderer = MouthRenderer.load(None, "stylised")
    expression = torch.zeros(1, 2, 64)
    expression[0, 1, 0] = 0.8
    expression.requires_grad_()
    mouths = renderer.mouths(expression)
    assert mouths.shape == (1, 2, 88, 88) and mouths.min() >= 0 and mouths.max() <= 1
    middle = mouths[0, :, 40:64, 38:50]
    assert (middle[1] < 0.2).sum() > 3 * (middle[0] < 0.2).sum()
    mouths[0, 1].square().mean().backward()
    assert expression.grad[0, 1, 0] != 0 and expression.grad[0, 0].abs().max() == 0
