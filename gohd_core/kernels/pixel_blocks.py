"""Maps after one another and blocks of pixels, with few passes over memory."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.kernels.policy import uses_cpu_kernels

_WHOLE = {2: torch.int64, 4: torch.complex128}
"""Numbers as wide as a block's row of float32: a row then moves at once, and not value by value."""


def joined(*maps: Tensor) -> Tensor:
    """Maps after one another, channels last: turned one by one, for all at once get in each other's way."""
    return torch.cat([each.contiguous(memory_format=torch.channels_last) for each in maps], dim=1)


def spread(blocks: Tensor, side: int) -> Tensor:
    """Blocks of pixels [B,C*side^2,H,W] -> [B,C,H*side,W*side], as `pixel_shuffle`."""
    if not uses_cpu_kernels(blocks) or side not in _WHOLE:
        return F.pixel_shuffle(blocks, side)
    count, _, high, wide = blocks.shape
    values = blocks.permute(0, 2, 3, 1).contiguous().view(count, high, wide, -1, side, side)
    rows = values.view(_WHOLE[side])[..., 0].permute(0, 3, 1, 4, 2).contiguous()
    return rows.view(blocks.dtype).view(count, -1, high * side, wide * side)


def in_blocks(x: Tensor, side: int) -> Tensor:
    """Its inverse, `pixel_unshuffle`: [B,C,H,W] -> [B,C*side^2,H/side,W/side]."""
    if not uses_cpu_kernels(x) or side not in _WHOLE:
        return F.pixel_unshuffle(x, side)
    count, channels, high, wide = x.shape
    rows = x.contiguous().view(_WHOLE[side]).view(count, channels, high // side, side, wide // side)
    blocks = rows.permute(0, 2, 4, 1, 3).contiguous().view(x.dtype)
    return blocks.view(count, high // side, wide // side, -1).permute(0, 3, 1, 2)
