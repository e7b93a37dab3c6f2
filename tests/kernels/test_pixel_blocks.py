"""Pixel shuffle, resizing and layered warps against PyTorch's own operations."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from gohd_core.animator.layered.motion_layers import MotionLayers
from gohd_core.kernels.pixel_blocks import pixel_shuffle, pixel_unshuffle
from gohd_core.kernels.resize import resize
from gohd_core.kernels.warp import warp_layers_plain

LAYOUTS = [torch.contiguous_format, torch.channels_last]


@torch.no_grad()
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("side", [2, 3, 4])
@pytest.mark.parametrize("count", [1, 2])
def test_pixel_shuffle_and_unshuffle_are_pytorchs(count, side, layout):
    blocks = torch.randn(count, 5 * side**2, 6, 8).contiguous(memory_format=layout)
    assert torch.equal(pixel_shuffle(blocks, side), F.pixel_shuffle(blocks, side))
    pixels = torch.randn(count, 5, 6 * side, 8 * side).contiguous(memory_format=layout)
    assert torch.equal(pixel_unshuffle(pixels, side), F.pixel_unshuffle(pixels, side))


@torch.no_grad()
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("before", "after"), [(16, 256), (64, 256), (64, 128), (32, 64), (256, 64), (256, 128)]
)
def test_resizing_is_pytorchs(before, after, layout):
    x = torch.randn(2, 5, before, before).contiguous(memory_format=layout)
    if after > before:
        expected = F.interpolate(x, size=(after, after), mode="bilinear", align_corners=False)
    else:
        expected = F.avg_pool2d(x, before // after)
    assert torch.allclose(resize(x, after), expected, atol=2e-6)


def test_warped_layers_are_each_layers_samples_weighted_by_its_mask():
    torch.manual_seed(0)
    features = torch.randn(1, 6, 32, 32)
    # Far enough that borders are met.
    flows = torch.randn(2, 2, 2, 32, 32) * 0.5
    found = MotionLayers(flows[0], flows[1], torch.randn(2, 3, 32, 32))
    with torch.no_grad():
        fast = found.warp(features)
    plain = warp_layers_plain(features, torch.stack([found.face, found.inner], 1), found.masks)
    assert torch.allclose(fast, plain, atol=1e-4)
    edge = torch.zeros(1, 2, 32, 32) + 3  # all beyond the corner
    with torch.no_grad():
        corner = MotionLayers(
            edge, edge, torch.tensor([9.0, 9.0, -90.0])[None, :, None, None].expand(1, 3, 32, 32)
        )
        assert torch.allclose(corner.warp(features), features[..., -1:, -1:].expand_as(features), atol=1e-5)
