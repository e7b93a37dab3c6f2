"""Sampling the picture: once, at full size, without loss of sharpness.

The picture is kept at twice its size, in between by a sharp half-sample filter, and sampled bilinearly there:
as fast as bilinear sampling, as sharp as bicubic, and exact at its own pixels.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.kernels.policy import uses_cpu_kernels

_HALF_SAMPLE = (0.08, -1.48, 5.6, -16.28, 44.08, 44.08, -16.28, 5.6, -1.48, 0.08)
"""Taps for places between two pixels, in 64ths: the half-sample filter of H.265 (8.5.3.3.3), (-1, 4, -11,
40, 40, -11, 4, -1), sharpened by (-0.08, 1.16, -0.08): so a picture sampled off its pixels keeps its
sharpness."""
_BAND = 64
"""Rows of a picture of which a texture is made at once."""
REACH = len(_HALF_SAMPLE) // 2
"""Pixels on either side that a place between two pixels takes its value from."""


def texels(size: int, device: torch.device) -> Tensor:
    """[S,S,2] column and row of each pixel of a picture in the texture of what `extend_sides` makes of it."""
    line = 2 * (torch.arange(size, device=device, dtype=torch.float32) + margin(size))
    return torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)


def doubled(image: Tensor) -> Tensor:
    """[1,C,S,S] -> its texture [2S-1,2S-1,C], channels last; even places are the image's own pixels.

    On a CPU in bands, bit for bit the same: 13 ms at 512 px and 62 at 1024, whole 28 and 92.
    """
    if uses_cpu_kernels(image):
        return torch.from_numpy(_doubled_cv2(cv2.merge(list(image[0].numpy()))))
    return doubled_plain(image)


def doubled_plain(image: Tensor) -> Tensor:
    """The definition of `doubled`."""
    texture = _between(_between(image, 3), 2)
    return texture[0].permute(1, 2, 0).contiguous()  # [1,C,H,W] -> [H,W,C]


def _doubled_cv2(image: np.ndarray) -> np.ndarray:
    """`doubled` of an array [S,S,C] by OpenCV's filters, in bands of rows that stay in a core's cache."""
    taps = np.array(_HALF_SAMPLE, np.float32)[None] / 64
    anchor, (side, _, channels) = REACH - 1, image.shape
    padded = cv2.copyMakeBorder(image, anchor, REACH, 0, 0, cv2.BORDER_REPLICATE)
    texture = np.empty((2 * side - 1, 2 * side - 1, channels), np.float32)
    room = np.empty((_BAND + anchor + REACH, 2 * side - 1, channels), np.float32)
    pixel = np.dtype((np.void, 4 * channels))  # NumPy copies whole pixels faster than their channels
    for start in range(0, side, _BAND):
        stop = min(start + _BAND, side)
        part = padded[start : stop + anchor + REACH]
        rows = room[: len(part)]
        between = cv2.filter2D(part, -1, taps, anchor=(anchor, 0), borderType=cv2.BORDER_REPLICATE)
        wide = rows.view(pixel)
        wide[:, ::2], wide[:, 1::2] = part.view(pixel), between.view(pixel)[:, :-1]
        texture[2 * start : 2 * stop : 2] = rows[anchor : anchor + stop - start]
        between = cv2.filter2D(rows, -1, taps.T, anchor=(0, anchor), borderType=cv2.BORDER_REPLICATE)
        halves = texture[2 * start + 1 : 2 * stop : 2]
        halves[:] = between[anchor : anchor + len(halves)]
    return texture


def margin(size: int) -> int:
    """Pixels by which the picture is grown beyond each of its sides."""
    return size // 16


def extend_sides(layer: Tensor) -> Tensor:
    """A person's premultiplied colours and matte [1,4,S,S] grown beyond the picture's sides by `margin`: who
    crosses a side is mirrored there, and who does not ends."""
    pad = (margin(layer.shape[-1]),) * 4
    ends, mirrored = F.pad(layer, pad, mode="replicate"), F.pad(layer, pad, mode="reflect")
    return torch.lerp(ends, mirrored, ends[:, 3:])


def _between(image: Tensor, dim: int) -> Tensor:
    """Values between neighbours along a dimension put between them."""
    count, reach = image.shape[dim], REACH - 1
    pad = (reach, reach, 0, 0) if dim == 3 else (0, 0, reach, reach)
    padded = F.pad(image, pad, mode="replicate")
    shape = list(image.shape)
    shape[dim] = 2 * count - 1
    found = image.new_empty(shape)
    even, odd = [slice(None)] * 4, [slice(None)] * 4
    even[dim], odd[dim] = slice(0, None, 2), slice(1, None, 2)
    found[tuple(even)] = image
    halves = torch.zeros_like(padded.narrow(dim, 0, count - 1))
    for k, tap in enumerate(_HALF_SAMPLE):
        halves.add_(padded.narrow(dim, k, count - 1), alpha=tap / 64)
    found[tuple(odd)] = halves
    return found


def flow_at(flow: Tensor, at: Tensor, size: int) -> Tensor:
    """A flow [B,2,n,n] at pixels [B,...,2] (column, row) of frames of `size`, [B,...,2]."""
    grid = (2 * at.flatten(1, -2)[:, None] + 1) / size - 1  # [B,...,2] -> [B,1,N,2]
    found = F.grid_sample(flow, grid, "bilinear", "border", align_corners=False)
    return found[:, :, 0].mT.view_as(at)


def sample(texture: Tensor, at: Tensor, *, reflected: bool = True) -> Tensor:
    """Values [B,C,h,w] of a texture [H,W,C] at its texels [B,h,w,2] (column, row); beyond its border it is
    reflected, or goes on as it is there.

    On a CPU by OpenCV, which rounds places to 1/32 of a texel: 1.7 times as fast (`benchmarks/kernels.py`).
    """
    if texture.device.type == "cpu":
        return _sample_cv2(texture, at, reflected)
    return sample_plain(texture, at, reflected=reflected)


def sample_plain(texture: Tensor, at: Tensor, *, reflected: bool = True) -> Tensor:
    """The definition of `sample`."""
    rows, columns, _ = texture.shape
    size = at.new_tensor([columns, rows])
    grid = (2 * at + 1) / size - 1
    image = texture.permute(2, 0, 1)[None].expand(len(at), -1, -1, -1)
    beyond = "reflection" if reflected else "border"
    return F.grid_sample(image, grid, "bilinear", beyond, align_corners=False)


def _sample_cv2(texture: Tensor, at: Tensor, reflected: bool) -> Tensor:
    beyond = cv2.BORDER_REFLECT if reflected else cv2.BORDER_REPLICATE
    found = at.new_empty(len(at), texture.shape[2], *at.shape[1:3])
    for planes, each in zip(found.numpy(), at.numpy(), strict=True):
        values = cv2.remap(texture.numpy(), each, None, cv2.INTER_LINEAR, borderMode=beyond)
        cv2.split(values, list(planes))
    return found
