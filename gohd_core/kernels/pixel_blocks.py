"""Maps after one another and blocks of pixels, with few passes over memory."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
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
    values = rearrange(blocks, "b (c i j) h w -> b h w c i j", i=side, j=side).contiguous()
    rows = rearrange(values.view(_WHOLE[side])[..., 0], "b h w c i -> b c (h i) w").contiguous()
    return rows.view(blocks.dtype)


def in_blocks(x: Tensor, side: int) -> Tensor:
    """Its inverse, `pixel_unshuffle`: [B,C,H,W] -> [B,C*side^2,H/side,W/side]."""
    if not uses_cpu_kernels(x) or side not in _WHOLE:
        return F.pixel_unshuffle(x, side)
    rows = rearrange(x.contiguous().view(_WHOLE[side]), "b c (h i) w -> b h w (c i)", i=side).contiguous()
    return rearrange(rows.view(x.dtype), "b h w c -> b c h w")
