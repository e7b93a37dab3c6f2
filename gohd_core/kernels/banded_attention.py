"""Attention of long sequences to near frames alone, on the CPU: what decay makes negligible is left out.

At 60 s of motion 25 times as fast as attention to all frames (`benchmarks/kernels.py`), which is its plain
twin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

_NEGLIGIBLE = 30.0
"""Frames whose score is this far below a frame's own have e^-30 = 1e-13 of its share, content apart."""

_LEAST_REACH = 16
"""Heads that see less far than this share one size of blocks."""


@dataclass(frozen=True)
class HeadGroup:
    """Neighbouring heads that see equally far.

    Attributes:
        heads: which.
        block, reach: queries in a block; its keys begin `reach` frames before it and end as many after.
        scores: positional scores `[blocks, heads, block, reach + block + reach]`, -inf for keys
            outside the sequence.
    """

    heads: slice
    block: int
    reach: int
    scores: Tensor

    @classmethod
    def of(cls, heads: slice, reach: int, scores: Tensor) -> HeadGroup:
        """From all scores `[H, T, T]`; one block of all frames where shorter ones save nothing."""
        length = scores.shape[-1]
        if length <= 3 * reach:
            return cls(heads, length, 0, scores[None, heads])
        count = math.ceil(length / reach)
        parts = scores.new_full((count, heads.stop - heads.start, reach, 3 * reach), -math.inf)
        for index, part in enumerate(parts):
            first = index * reach
            last, begin = min(first + reach, length), max(first - reach, 0)
            end = min(last + reach, length)
            offset = begin - first + reach
            part[:, : last - first, offset : offset + end - begin] = scores[heads, first:last, begin:end]
            part[:, last - first :] = 0  # Queries after the end: a row of -inf alone would give NaN.
        return cls(heads, reach, reach, parts)


@dataclass(frozen=True)
class Band:
    """The positional scores of those pairs of frames that are near enough to count for a head."""

    groups: tuple[HeadGroup, ...]

    @classmethod
    def of(cls, scores: Tensor) -> Band | Tensor:
        """From all scores `[H, T, T]`, which are returned where leaving pairs out saves nothing."""
        length = scores.shape[-1]
        if scores.device.type != "cpu" or length <= 3 * _LEAST_REACH:
            return scores
        rounded = [2 ** math.ceil(math.log2(max(reach, _LEAST_REACH))) for reach in reaches(scores)]
        groups, first = [], 0
        for reach, same in groupby(rounded):
            heads = slice(first, first + len(list(same)))
            groups.append(HeadGroup.of(heads, reach, scores))
            first = heads.stop
        return cls(tuple(groups)) if any(group.reach for group in groups) else scores

    def attend(self, packed: Tensor) -> Tensor:
        """Keys, values and queries `[B, T, 3, H, D]` -> mixed values `[B, T, H, D]`."""
        batch, length, _, heads, size = packed.shape
        halo = max(group.reach for group in self.groups)
        mixed = packed.new_empty(batch, length, heads, size)
        for index in range(batch):
            padded = packed.new_empty(length + 3 * halo, 3, heads, size)
            padded[:halo] = 0
            padded[halo : halo + length] = packed[index]
            padded[halo + length :] = 0
            for group in self.groups:
                own = padded[halo - group.reach :, :, group.heads]
                # [T,3,h,c] -> [blocks,3,h,c,block + 2 reach]
                windows = own.unfold(0, group.block + 2 * group.reach, group.block)[: len(group.scores)]
                key, value, query = rearrange(windows, "block three head c frame -> three block head frame c")
                query = query[:, :, group.reach : group.reach + group.block]
                out = F.scaled_dot_product_attention(query, key, value, attn_mask=group.scores)
                mixed[index, :, group.heads] = rearrange(out, "block head frame c -> (block frame) head c")[
                    :length
                ]
        return mixed


def reaches(scores: Tensor) -> list[int]:
    """Distance in frames to the farthest one that is not negligible, for each head of scores `[H, T, T]`."""
    later, earlier = scores[:, :, 0], scores[:, 0, :]
    counts = torch.maximum(later, earlier) > scores[:, :1, 0] - _NEGLIGIBLE
    return [int(head.nonzero().max()) for head in counts]
