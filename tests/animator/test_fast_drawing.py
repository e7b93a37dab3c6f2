"""Fast CPU drawing equals plain operations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from gohd_core.animator import Animator
from gohd_core.animator.layers import StyledConv, all_biased, plain_conv
from gohd_core.constants import STYLISED
from gohd_core.kernels.tree import tree_map
from tests.support.small_animators import BUILTIN, animator, image, motion

PORTRAIT = Path(__file__).parents[2] / "assets" / "portraits" / "07.jpg"


@torch.no_grad()
def test_modulating_the_kernel_is_modulating_the_input():
    torch.manual_seed(1)
    layer = StyledConv(6, 4, 11).eval()
    layer.bias.normal_()
    x, latent = torch.randn(2, 6, 32, 32), torch.randn(2, 11)
    both = layer(x, latent)
    for k in range(2):
        assert torch.allclose(layer(x[k : k + 1], latent[k : k + 1]), both[k : k + 1], atol=1e-5)


@torch.no_grad()
def test_convolutions_of_the_same_input_are_one():
    torch.manual_seed(2)
    convs = [plain_conv(6, count) for count in (3, 4)]
    for conv in convs:
        conv.bias.normal_()
    x = torch.randn(2, 6, 16, 16)
    for conv, made in zip(convs, all_biased(convs, x), strict=True):
        expected = F.conv2d(x, conv.kernel(), padding=1) + conv.bias[:, None, None]
        assert torch.allclose(made, expected, atol=1e-5) and torch.allclose(
            conv.biased(x), expected, atol=1e-5
        )


def test_a_shipped_portrait_is_drawn_as_by_the_plain_operations():
    ours = Animator.load()
    with Image.open(PORTRAIT) as picture:
        pixels = np.asarray(picture.resize((256, 256)), np.float32)
    source = ours.encode_source(torch.from_numpy(pixels / 127.5 - 1).permute(2, 0, 1)[None])
    assert source.parts is not None
    torch.manual_seed(3)
    change = 0.1 * torch.randn(3, 72)
    windows = (source.descriptor + change)[:, :, None].expand(-1, -1, ours.config.window)
    fast = ours.decode(source, ours.magnitudes(source, windows))
    source = tree_map(source, torch.clone)  # inference tensors can't be part of a graph
    # Where gradients may be wanted nothing is fused: every step is PyTorch's own.
    with torch.enable_grad():
        drawn = ours.network.draw(source, ours.network.magnitudes(source, windows.clone())).pyramid[0]
    error = (fast - drawn.detach()).abs()
    assert error.max() < 5e-3 and error.square().mean().sqrt() < 2e-5


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_frames_do_not_depend_on_how_many_cores_draw_them(threads):
    ours = animator(BUILTIN)
    source, clip = ours.encode_source(image(BUILTIN.size)), motion(21, STYLISED)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        expected = torch.cat(list(ours.animate(source, clip, batch_size=1)))
        torch.set_num_threads(threads)
        batches = list(ours.animate(source, clip, batch_size=4))
    finally:
        torch.set_num_threads(before)
    assert [len(batch) for batch in batches] == [4, 4, 4, 4, 4, 1]
    assert torch.allclose(torch.cat(batches), expected, atol=1e-5)
