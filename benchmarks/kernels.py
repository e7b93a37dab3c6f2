"""Gain of each CPU fast path over its plain twin, in one run, on one thread, at the networks' own sizes.

    python benchmarks/kernels.py [--rounds 15]

Gains are medians over rounds of the plain twin's processor time over the fast path's, measured in turn.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.animator.layers import StyledConv
from gohd_core.kernels.banded_attention import Band
from gohd_core.kernels.convolution import convolve_biased, convolve_each
from gohd_core.kernels.memory import empty
from gohd_core.kernels.pixel_blocks import cat_channels_last, pixel_shuffle, pixel_unshuffle
from gohd_core.kernels.resize import resize, resize_plain
from gohd_core.kernels.warp import corner_grid, warp, warp_layers, warp_layers_plain, warp_plain
from gohd_core.kernels.winograd import TimeConvolution
from gohd_core.mesh.geometry.flow_inverse import inverse_flow, inverse_flow_plain
from gohd_core.mesh.geometry.warping import Cells
from gohd_core.mesh.geometry.warping import warp as warp_picture
from gohd_core.mesh.geometry.warping import warp_plain as warp_picture_plain
from gohd_core.mesh.sampling import doubled, doubled_plain, grown, sample, sample_plain, texels
from gohd_core.video.canvas import levels_plain
from gohd_core.video.writer import frames_to_bytes

Pair = tuple[str, Callable[[], object], Callable[[], object]]


def drawing() -> Iterator[Pair]:
    """Fast paths of the decoders: name, plain twin, fast path."""
    wide = _channels_last(torch.randn(1, 256, 64, 64))
    grid = corner_grid(64, wide.device) + 0.1 * torch.randn(1, 64, 64, 2)
    yield "warp", lambda: warp_plain(wide, grid), lambda: warp(wide, grid)
    features, flows = _channels_last(torch.randn(1, 40, 64, 64)), 0.1 * torch.randn(1, 2, 2, 64, 64)
    masks = torch.randn(1, 3, 64, 64).softmax(1)
    layered = features, flows, masks
    yield "warp_layers", lambda: warp_layers_plain(*layered), lambda: warp_layers(*layered)
    large, small = torch.randn(1, 10, 256, 256), torch.randn(1, 10, 64, 64)
    yield "resize, averaged", lambda: resize_plain(large, 64), lambda: resize(large, 64)
    yield "resize, interpolated", lambda: resize_plain(small, 256), lambda: resize(small, 256)
    blocks, picture = _channels_last(torch.randn(1, 24, 128, 128)), torch.randn(1, 6, 256, 256)
    yield "pixel_shuffle", lambda: F.pixel_shuffle(blocks, 2), lambda: pixel_shuffle(blocks, 2)
    yield "pixel_unshuffle", lambda: F.pixel_unshuffle(picture, 2), lambda: pixel_unshuffle(picture, 2)
    maps = [torch.randn(1, count, 128, 128) for count in (24, 16, 24)]
    yield "cat_channels_last", lambda: _channels_last(torch.cat(maps, 1)), lambda: cat_channels_last(*maps)
    kernels = [_channels_last(torch.randn(count, 40, 3, 3)) for count in (3, 4)]
    biases = [torch.randn(count) for count in (3, 4)]
    yield (
        "convolve_biased",
        lambda: F.conv2d(features, kernels[0], padding=1).float() + biases[0][:, None, None],
        lambda: convolve_biased(features, kernels[0], biases[0], padding=1),
    )
    yield (
        "convolve_each",
        lambda: [convolve_biased(features, k, b, padding=1) for k, b in zip(kernels, biases, strict=True)],
        lambda: convolve_each(features, kernels, biases, padding=1),
    )
    styled, latent = StyledConv(64, 24, 256).eval(), torch.randn(2, 256)
    styled.freeze(torch.float32)
    twice = _channels_last(torch.randn(2, 64, 128, 128))
    yield (
        "StyledConv of one sample, against a batch of two",
        lambda: styled(twice, latent),
        lambda: [styled(twice[k, None], latent[k, None]) for k in range(2)],
    )


def mesh() -> Iterator[Pair]:
    """Fast paths of the mesh animator at 512 px, and of the writer: name, plain twin, fast path."""
    line = torch.arange(128) / 128
    bump = torch.exp(-(((line - 0.5) / 0.2) ** 2))
    shift = torch.stack([20 * bump.expand(128, 128), -15 * bump[:, None].expand(128, 128)])[None]
    shifts = shift * torch.linspace(0.2, 1, 4)[:, None, None, None]
    yield "inverse_flow", lambda: inverse_flow_plain(shifts, 512), lambda: inverse_flow(shifts, 512)
    portrait = torch.rand(1, 4, 576, 576)
    yield "doubled", lambda: doubled_plain(portrait), lambda: doubled(portrait)
    texture = doubled(portrait)
    at = texels(512, texture.device) + F.interpolate(shift, size=512).permute(0, 2, 3, 1)
    yield "sample", lambda: sample_plain(texture, at), lambda: sample(texture, at)
    for size in (512, 1024):
        source, drawn = _before_wall(size), torch.empty(4, 3, size, size)
        yield (
            f"warp of a picture, {size} px, against frame by frame",
            lambda source=source, drawn=drawn: [
                warp_picture_plain(source, shift[None], [], frame[None])
                for shift, frame in zip(shifts, drawn, strict=True)
            ],
            lambda source=source, drawn=drawn: warp_picture(source, shifts, [], drawn),
        )
    shape, cpu = (4, 3, 1024, 1024), torch.device("cpu")
    yield (
        "empty, 4 frames of 1024 px, filled",
        lambda: torch.empty(shape, dtype=torch.float32, device=cpu).zero_(),
        lambda: empty(*shape, device=cpu).zero_(),
    )
    frames = torch.rand(1, 3, 512, 512) * 2 - 1
    yield (
        "frames_to_bytes",
        lambda: levels_plain(frames).permute(0, 2, 3, 1).contiguous(),
        lambda: frames_to_bytes(frames),
    )


def _before_wall(size: int) -> SimpleNamespace:
    """A person, an ellipse over half the picture, before a wall."""
    line = torch.linspace(-1, 1, size)
    alpha = (8 * (1 - (line / 0.7) ** 2 - (line[:, None] / 0.9) ** 2)).clamp(0, 1)[None, None]
    texture = doubled(grown(torch.cat([torch.rand(1, 3, size, size) * alpha, alpha], 1)))
    fringe = torch.zeros(1, 3, size, size)
    cells = Cells.of(alpha, fringe, 128)
    return SimpleNamespace(
        texture=texture, background=torch.rand_like(fringe), fringe=fringe, size=size, cells=cells
    )


def sequences() -> Iterator[Pair]:
    """Fast paths of the diffusion models: name, plain twin, fast path."""
    x = torch.randn(1, 250, 256)
    convolution = TimeConvolution(256, 512, 4).eval()
    yield (
        "TimeConvolution",
        lambda: torch.nn.Conv1d.forward(convolution, x.transpose(1, 2)).transpose(1, 2),
        lambda: convolution(x),
    )
    length, heads, size = 1500, 8, 32
    frame = torch.arange(length, dtype=torch.float32)
    distance = (frame[:, None] - frame).abs()
    scores = -torch.tensor([2.0, 2.0, 1.0, 1.0, 0.5, 0.5, 0.3, 0.3])[:, None, None] * distance
    packed, band = torch.randn(1, length, 3, heads, size), Band.of(scores)

    def whole() -> Tensor:
        key, value, query = packed.permute(2, 0, 3, 1, 4)
        return F.scaled_dot_product_attention(query, key, value, attn_mask=scores)

    yield "Band.attend, 60 s", whole, lambda: band.attend(packed)


def _channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


def gain(plain: Callable[[], object], fast: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Processor milliseconds of the fast path, and how many times as long the plain one takes."""
    plain(), fast()
    repeats = max(1, int(0.02 / max(_seconds(fast, 1), 1e-6)))
    before, ratios, own = _seconds(plain, repeats), [], []
    for _ in range(rounds):
        mine, after = _seconds(fast, repeats), _seconds(plain, repeats)
        ratios.append((before + after) / 2 / mine)
        own.append(mine)
        before = after
    return 1000 * statistics.median(own) / repeats, statistics.median(ratios)


def _seconds(run: Callable[[], object], repeats: int) -> float:
    start = time.process_time()
    for _ in range(repeats):
        run()
    return time.process_time() - start


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for name, plain, fast in (*drawing(), *mesh(), *sequences()):
        milliseconds, ratio = gain(plain, fast, rounds)
        print(f"{name:56} {milliseconds:8.3f} ms  {ratio:5.2f} times as fast")


if __name__ == "__main__":
    main()
