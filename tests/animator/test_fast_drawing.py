"""What draws fast on the CPU, against the plain operations that it stands for."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from gohd_core.animator import Animator
from gohd_core.animator.layered.motion_layers import MotionLayers
from gohd_core.animator.layers import StyledConv, all_biased, plain_conv
from gohd_core.constants import STYLISED
from gohd_core.kernels.pixel_blocks import pixel_shuffle, pixel_unshuffle
from gohd_core.kernels.resize import sized
from gohd_core.kernels.threads import SingleThreadPool
from gohd_core.kernels.tree import tree_map, unbatch
from gohd_core.kernels.warp import warp_layers_plain
from tests.support.small_animators import BUILTIN, animator, image, motion

PORTRAIT = Path(__file__).parents[2] / "assets" / "portraits" / "07.jpg"
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
    assert torch.allclose(sized(x, after), expected, atol=2e-6)


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


def test_cores_keep_the_order_and_compute_alone():
    before, threads, alone = torch.get_num_threads(), set(), []
    together = threading.Barrier(3)

    def work(item: int) -> int:
        together.wait(timeout=60)
        threads.add(threading.get_ident())
        alone.append(torch.get_num_threads())
        assert torch.is_inference_mode_enabled()
        return item * item

    cores = SingleThreadPool(3)
    assert cores.map(work, range(9)) == [k * k for k in range(9)]
    assert set(alone) == {1} and len(threads) == 3 and threading.get_ident() not in threads
    assert torch.get_num_threads() == before
    with pytest.raises(ZeroDivisionError):
        cores.map(lambda item: 1 // item, [1, 0])


def test_threads_that_compute_for_the_first_time_are_as_before():
    seen = []
    SingleThreadPool(2)
    thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert seen == [torch.get_num_threads()]


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


@dataclass(frozen=True)
class Pair:
    first: torch.Tensor
    others: tuple[torch.Tensor | None, ...]
    name: str = "kept"


def test_a_row_of_a_tree_is_a_batch_of_one():
    tree = Pair(torch.arange(3), (torch.arange(6).view(3, 2), None, torch.tensor([7])))
    found = unbatch(tree, 3)[1]
    assert found.first.tolist() == [1] and found.others[0].tolist() == [[2, 3]]
    assert found.others[1] is None and found.others[2].tolist() == [7] and found.name == "kept"
    assert tree_map([torch.ones(2)], lambda x: 2 * x)[0].tolist() == [2, 2]
