"""The picture warped into frames before a background that stays: by definition, and in bands on a CPU."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.kernels.policy import draws_in_passes
from gohd_core.mesh.frame import Window
from gohd_core.mesh.geometry.contour_warp import ContourFlow
from gohd_core.mesh.sampling import REACH, margin, sample, texels

_STILL = 0.012
"""Shift of a person's outline at which the fringe around it has faded, picture sides."""
_PAD = 2
"""Cells by which a flow is continued beyond its sides; two cells are whole pixels at each size."""
_BAND = 160
"""Rows of pixels of a band, about: its colours stay in a core's cache."""
_SPREAD = 2
"""Cells around a person that a stretched flow may reach from a cell's middle."""


class Layered(Protocol):
    """A picture in layers, of a `source.MeshSource`."""

    texture: Tensor
    background: Tensor | None
    fringe: Tensor
    size: int
    cells: Cells


@dataclass(frozen=True)
class Cells:
    """Layers in the cells of a picture, n x n; uint8, 1 where a cell has them.

    Attributes:
        seen: [n,n,2] the person, and the background; also of cells so near that a flow into this one may meet
            them.
        fringe: [n,n] the fringe.
    """

    seen: np.ndarray
    fringe: np.ndarray

    @classmethod
    def of(cls, alpha: Tensor | None, fringe: Tensor, side: int) -> Cells:
        """From a matte [1,1,S,S], or None where all is the person, and the fringe [1,3,S,S]."""
        if alpha is None:
            none = np.zeros((side, side), np.uint8)
            return cls(np.stack([none + 1, none], -1), none)
        some = torch.cat([alpha > 0, alpha < 1, (fringe != 0).any(1, keepdim=True)], 1).float()
        some = F.adaptive_max_pool2d(some, side)[0].permute(1, 2, 0).cpu().numpy().astype(np.uint8)
        around = math.ceil(REACH * side / alpha.shape[-1]) + _SPREAD
        return cls(_dilated(np.ascontiguousarray(some[..., :2]), around), _dilated(some[..., 2], 1))


def warp(source: Layered, skin: Tensor, flows: Sequence[ContourFlow], frames: Tensor) -> None:
    """Draws frames [B,3,S,S] of heads whose flow is `skin` [B,2,n,n] and whose skin around lips and lids
    moves by `flows`, without what lies between these.

    On a CPU in bands of rows, and only where a frame shows more than background: 1.5 times as fast at 512 px
    as the definition frame by frame, 2 to 3 times at 1024, with a person over half the picture
    (`benchmarks/kernels.py`).
    """
    (_warp_in_bands if draws_in_passes(frames.device) else warp_plain)(source, skin, flows, frames)


def warp_plain(source: Layered, skin: Tensor, flows: Sequence[ContourFlow], frames: Tensor) -> None:
    """The definition of `warp`."""
    size = source.size
    shift = _enlarged(skin, size).permute(0, 2, 3, 1).contiguous()  # [B,S,S,2]
    for part in flows:
        for k, each in enumerate(shift):
            near = cut(each, part.window, k)
            near.lerp_(part.shift[k].permute(1, 2, 0), part.weight[k, 0, :, :, None])
    at = torch.add(texels(size, frames.device), shift, alpha=2)
    drawn = sample(source.texture, at, reflected=source.background is None)
    colours = drawn[:, :3]
    if source.background is not None:
        colours = torch.addcmul(colours, 1 - drawn[:, 3:], source.background)
        colours.addcmul_(source.fringe, _enlarged(_stillness(skin, size), size))
    torch.clamp(colours, -1, 1, out=frames)


def _warp_in_bands(source: Layered, skin: Tensor, flows: Sequence[ContourFlow], frames: Tensor) -> None:
    """`warp` in bands of rows: OpenCV samples, and each band is composited while it is in the cache. Columns
    of background alone are copied."""
    size, side = source.size, skin.shape[-1]
    beyond, step = _PAD * size // side, _PAD * max(1, _BAND * side // size // _PAD)
    grid, texture = _padded_texels(size, side), source.texture.numpy()
    # One block for all frames: its pages are asked for once.
    around = np.empty((size + 2 * beyond,) * 2 + (2,), np.float32)
    at = around[beyond:-beyond, beyond:-beyond]
    found, planes = (np.empty(4 * size * (step * size // side), np.float32) for _ in range(2))
    starts = range(0, side, step)
    bands = [slice(start * size // side, min(start + step, side) * size // side) for start in starts]
    border = cv2.BORDER_REFLECT if source.background is None else cv2.BORDER_REPLICATE
    stillness = None if source.background is None else _stillness(skin, size)[:, 0].numpy()
    for k, flow in enumerate(skin.permute(0, 2, 3, 1).contiguous().numpy()):
        moved = cv2.copyMakeBorder(flow, *(_PAD,) * 4, cv2.BORDER_REPLICATE)
        places = cv2.scaleAdd(moved, 2.0, grid)
        cv2.resize(places, around.shape[1::-1], around)
        person, background = _shown(source.cells, places, size)
        for part in flows:
            _blend_part(part, k, torch.from_numpy(at), size)
            x, y = int(part.window.x[k]), int(part.window.y[k])
            person[_cells(y, part.window.height, size, side), _cells(x, part.window.width, size, side)] = 1
        still = None
        if stillness is not None and (stillness[k] * source.cells.fringe).any():
            still = torch.from_numpy(cv2.resize(stillness[k], (size, size)))
        for rows, drawn, mixed in zip(
            bands, _runs(person, step, size), _runs(background, step, size), strict=True
        ):
            columns = slice(drawn[0].start, drawn[-1].stop) if drawn else slice(0, 0)
            for rest in (slice(0, columns.start), slice(columns.stop, size)):
                if rest.start < rest.stop:
                    frames[k, :, rows, rest] = source.background[0, :, rows, rest]
            if not drawn:
                continue
            shape = rows.stop - rows.start, columns.stop - columns.start
            values = found[: 4 * math.prod(shape)].reshape(*shape, 4)
            cv2.remap(texture, at[rows, columns], None, cv2.INTER_LINEAR, values, border)
            split = planes[: values.size].reshape(4, *shape)
            cv2.split(values, list(split))
            colours = torch.from_numpy(split)
            for run in mixed:
                run = slice(max(run.start, columns.start), min(run.stop, columns.stop))
                if run.start < run.stop:
                    part = colours[..., run.start - columns.start : run.stop - columns.start]
                    part[:3].addcmul_(part[3:].neg_().add_(1), source.background[0, :, rows, run])
                    if still is not None:
                        part[:3].addcmul_(source.fringe[0, :, rows, run], still[rows, run])
            torch.clamp(colours[:3], -1, 1, out=frames[k, :, rows, columns])


def _blend_part(part: ContourFlow, k: int, at: Tensor, size: int) -> None:
    """Blends texels [S,S,2] of frame k with those of a part's own flow in its window, by its weight."""
    window = part.window
    line = 2.0 * (torch.arange(size, dtype=at.dtype, device=at.device) + margin(size))
    x, y = int(window.x[k]), int(window.y[k])
    columns, rows = line[x : x + window.width], line[y : y + window.height]
    own = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1)
    own.add_(part.shift[k].permute(1, 2, 0), alpha=2)
    cut(at, window, k).lerp_(own, part.weight[k, 0, :, :, None])


def _shown(cells: Cells, places: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Cells [n,n] of a frame that show more than background, and those that show some of it; places: texels
    of the padded cells [n+4,n+4,2]."""
    scale = len(cells.seen) / size
    inner = np.ascontiguousarray(places[_PAD:-_PAD, _PAD:-_PAD])
    inner = inner * np.float32(scale / 2) + np.float32((0.5 - margin(size)) * scale - 0.5)
    seen = cv2.remap(cells.seen, inner, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    person, background = cv2.split(_dilated(seen, 1))
    return person | cells.fringe, background | cells.fringe


def _runs(cells: np.ndarray, step: int, size: int) -> list[list[slice]]:
    """For each band of so many rows of cells [n,n] the columns of pixels of its runs of ones."""
    side = len(cells)
    bands = np.maximum.reduceat(cells, np.arange(0, side, step), 0)
    ends = np.zeros((len(bands), side + 2), np.int8)
    ends[:, 1:-1] = bands
    found: list[list[slice]] = [[] for _ in bands]
    for (band, first), (_, last) in np.argwhere(np.diff(ends, axis=1)).reshape(-1, 2, 2).tolist():
        found[band].append(slice(first * size // side, -(-last * size // side)))
    return found


def _cells(start: int, length: int, size: int, side: int) -> slice:
    """The cells of a span of pixels."""
    return slice(start * side // size, -(-(start + length) * side // size))


def _padded_texels(size: int, side: int) -> np.ndarray:
    """[n+4,n+4,2] column and row, in the texture, of the middles of cells and of those beyond the sides."""
    middles = (np.arange(-_PAD, side + _PAD) + 0.5) * (size / side) - 0.5
    line = (2 * (middles + margin(size))).astype(np.float32)
    return np.stack(np.meshgrid(line, line), -1)


def _stillness(skin: Tensor, size: int) -> Tensor:
    """Weight of the fringe [B,1,n,n], which fades as a flow [B,2,n,n] moves the outline."""
    return (1 - skin.square().sum(1, keepdim=True).sqrt_() / (_STILL * size)).clamp_(0, 1)


def _dilated(cells: np.ndarray, reach: int) -> np.ndarray:
    return cv2.dilate(cells, np.ones((2 * reach + 1,) * 2, np.uint8))


def _enlarged(maps: Tensor, size: int) -> Tensor:
    return F.interpolate(maps, size=(size, size), mode="bilinear", align_corners=False)


def cut(picture: Tensor, window: Window, k: int) -> Tensor:
    """A view of a picture [S,S,...] in frame k's window."""
    x, y = int(window.x[k]), int(window.y[k])
    return picture[y : y + window.height, x : x + window.width]
