"""What lies between and around rings in a frame: openings of mouth and eyes, and flows of the skin.

Along a part's own axis (from corner to corner) each half of a ring is a curve: so high at each place, and so
far from where the portrait has it. Between the curves flows are straight lines; at the edge of a lip or lid
they end, and beyond it the other lip's begin.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from gohd_core.animator.config import FACE, INNER
from gohd_core.animator.geometry.contours import EDGE, LASHES, PARTS, POINTS, RIM
from gohd_core.animator.geometry.linear_shape import squares

_WINDOW = 5 / 16
"""Side of the square around a part that is drawn anew, as a share of the picture's."""
_FADING = (6, 5, 5)
"""Of mouth and eyes: the ring from which on flows go over into the decoder's, which they are at the last."""
_LEAST_STEP = 1e-3
_LID, _LASH_MARGIN = EDGE + 1, 0.003
"""First ring of the lids' skin, and how far clear of lashes it is taken from, in picture sides."""
_BEHIND_FROM, _BEHIND_STEP = 0.1, 0.3
"""Share of the inner plane from which a pixel may show an eyeball, and the further share at which it does:
hair and noses hide eyes, which rings know nothing of."""


@dataclass(frozen=True)
class RingsInFrame:
    """Mouth, left and right eye of frames, in a window around each.

    Attributes:
        column, row: [B,3,w,w] the windows' pixels (int64).
        opening: [B,3,w,w] share of a pixel that lies between lips or lids.
        flow: [B,2,3,w,w] backward flow of the skin in half images.
        weight: [B,3,w,w] how far rings know of a pixel, 0..1.
    """

    column: Tensor
    row: Tensor
    opening: Tensor
    flow: Tensor
    weight: Tensor

    def pixels(self, size: int) -> Tensor:
        """The windows' pixels [B,3,w,w], counted row by row."""
        return self.row * size + self.column

    def moved(self, flow: Tensor) -> Tensor:
        """A flow of the face [B,2,S,S] with that of lips and lids."""
        flat, at = flow.flatten(2), self._there(flow)[:, None].expand(-1, 2, -1)
        change = self.weight.flatten(1)[:, None] * (self.flow.flatten(2) - flat.gather(2, at))
        return flat.scatter_add(2, at, change.to(flat.dtype)).unflatten(2, flow.shape[2:])

    def parted(self, shares: Tensor) -> Tensor:
        """Shares of the planes [B,3,S,S] with what lips and lids hide and show."""
        flat, at = shares.float().flatten(2), self._there(shares)
        was, skin = (flat[:, k].gather(1, at) for k in (INNER, FACE))
        behind = ((was - _BEHIND_FROM) / _BEHIND_STEP).clamp(0, 1)
        behind = behind.where(self._of_an_eye, 1.0)
        now = (was + skin) * self.opening.flatten(1) * behind
        change = self.weight.flatten(1) * (now - was)
        # What the skin loses the inner plane gains.
        at = torch.stack([at, at], dim=1)
        both = flat[:, : INNER + 1].scatter_add(2, at, torch.stack([-change, change], dim=1))
        return torch.cat([both, flat[:, INNER + 1 :]], dim=1).unflatten(2, shares.shape[2:])

    def _there(self, picture: Tensor) -> Tensor:
        """All windows' pixels of a picture [B,.,S,S], [B,3*w*w]. Rings of two parts hardly ever overlap, and
        then at their faded ends, so that changes are added."""
        return self.pixels(picture.shape[-1]).flatten(1)

    @property
    def _of_an_eye(self) -> Tensor:
        """Which of those pixels belong to the window of an eye, [3*w*w]."""
        window = self.weight[0, 0].numel()
        return torch.arange(PARTS * window, device=self.weight.device, dtype=torch.long) >= window


def rings_in_frame(target: Tensor, own: Tensor, trust: Tensor, size: int) -> RingsInFrame:
    """Rings of frames [B,3,8,48,2] in pixels, and where the portrait has them, [1 or B,3,8,48,2].

    `trust` [1 or B] is 0 where nothing is known after all.
    """
    middle, axes = target[:, :, EDGE].mean(2), _axes(target)
    own, target = (_clear_of_lashes(rings, _LASH_MARGIN * size) for rings in (own, target))
    side = max(int(size * _WINDOW), 1)
    profiles = _Profiles.of((target - middle[:, :, None, None]) @ axes, own - target, side)
    column, row = squares(middle, side, size)
    x, y = (each - middle[..., k, None, None] for k, each in enumerate((column, row)))
    along, up = (x * axes[..., 0, k, None] + y * axes[..., 1, k, None] for k in (0, 1))
    above, below = profiles.edges(along)
    opening = (torch.minimum(above, up + 0.5) - torch.maximum(below, up - 0.5)).clamp(0, 1)
    # Where they overlap, the upper one lies in front.
    lower = up < above - F.relu(above - below) / 2
    shift, weight = profiles.skin(along, up, lower)
    return RingsInFrame(
        column,
        row,
        opening,
        rearrange(shift * (2 / size), "b part xy h w -> b xy part h w"),
        weight * trust[:, None, None, None],
    )


@dataclass(frozen=True)
class _Profiles:
    """Halves of rings as curves over a part's axis, a pixel from node to node.

    Attributes:
        heights: [B,3,2,8,n] how far outside they lie, upper halves above and lower ones below the axis; what
            an outer ring hides lies with it, but for the ends of lashes.
        shifts: [B,3,2,8,2,n] pixels (x, y) to where the portrait has them; of what is hidden, the outer ones.
        ends: [B,3,8,2] where they begin and end.
    """

    heights: Tensor
    shifts: Tensor
    ends: Tensor

    @classmethod
    def of(cls, rings: Tensor, shifts: Tensor, count: int) -> _Profiles:
        """From rings [B,3,8,48,2] (along the axis, up) and their shifts [B,3,8,48,2] in pixels."""
        half = torch.arange(POINTS // 2 + 1, device=rings.device, dtype=torch.long)
        order = torch.stack([half.flip(0), (POINTS // 2 + half) % POINTS])
        halves = rearrange(
            torch.cat([rings, shifts], -1)[..., order, :], "b part ring half n c -> b part half ring n c"
        )
        along = halves[..., 0].cummax(-1).values + half.to(rings) * _LEAST_STEP
        nodes = torch.arange(count, device=rings.device, dtype=torch.float32) - (count - 1) / 2
        after = torch.searchsorted(along, nodes.expand(*along.shape[:-1], -1).contiguous())
        after = after.clamp(1, POINTS // 2)
        start, stop = along.gather(-1, after - 1), along.gather(-1, after)
        share = ((nodes - start) / (stop - start)).clamp(0, 1)[..., None]
        pick = after[..., None].expand(*after.shape, 3)
        values = torch.lerp(halves[..., 1:].gather(-2, pick - 1), halves[..., 1:].gather(-2, pick), share)
        signs = values.new_tensor([1.0, -1.0])[:, None, None]
        lashes, skin = (values[..., 0] * signs).split([RIM, values.shape[3] - RIM], dim=3)
        visible = skin.flip(3).cummin(3).values.flip(3)
        shifted = list(values[..., 1:].unbind(3))
        for k in range(len(shifted) - 2, RIM - 1, -1):
            hidden = (skin > visible)[:, :, :, k - RIM, :, None]
            shifted[k] = torch.where(hidden, shifted[k + 1], shifted[k])
        heights = torch.cat([lashes, visible], dim=3)
        return cls(heights, torch.stack(shifted, 3).mT, along[:, :, 0][..., [0, -1]])

    def edges(self, along: Tensor) -> tuple[Tensor, Tensor]:
        """Heights of the upper and the lower lip or lid's end, lashes too, at places [B,3,w,w]."""
        nearest = torch.minimum(self.heights[:, :, :, RIM], self.heights[:, :, :, LASHES])
        above, below = self._at(nearest, along).unbind(2)
        return above, -below

    def skin(self, along: Tensor, up: Tensor, lower: Tensor) -> tuple[Tensor, Tensor]:
        """Shifts [B,3,2,w,w] of places on the skin, and how far they are known [B,3,w,w]."""
        tables = torch.cat([self.heights[..., None, :], self.shifts], 4).flatten(3, 4)
        found = self._at(torch.cat(tables.unbind(2), -1), along, lower).unflatten(2, (-1, 3))
        height, shift = found[:, :, :, 0], found[:, :, :, 1:]
        outside = torch.where(lower, -up, up)
        last = height.shape[2] - 1
        moved = shift[:, :, last]
        for k in range(last - 1, RIM - 1, -1):
            gap = height[:, :, k + 1] - height[:, :, k] + _LEAST_STEP
            share = ((height[:, :, k + 1] - outside) / gap).clamp(0, 1)
            moved = torch.lerp(moved, shift[:, :, k], share[:, :, None])
        length = height[:, :, LASHES] - height[:, :, EDGE]
        share = (outside - height[:, :, EDGE]) / torch.where(length.abs() > _LEAST_STEP, length, -1e6)
        lash = torch.lerp(shift[:, :, EDGE], shift[:, :, LASHES], share[:, :, None])
        moved = torch.where(((share > 0) & (share < 1))[:, :, None], lash, moved)
        fading = torch.tensor(_FADING, device=along.device, dtype=torch.long)
        begin = height.gather(
            2, fading[None, :, None, None, None].expand(len(along), -1, 1, *along.shape[2:])
        )
        weight = _share(height[:, :, last] - outside, height[:, :, last] - begin[:, :, 0])
        inner = self.ends.gather(2, fading[None, :, None, None].expand(len(along), -1, 1, 2))[:, :, 0]
        outer = self.ends[:, :, last]
        for k, way in enumerate((1, -1)):
            gap, length = (way * (x - outer[..., k, None, None]) for x in (along, inner[..., k, None, None]))
            weight = weight * _share(gap, length)
        return moved, weight

    def _at(self, tables: Tensor, along: Tensor, second: Tensor | None = None) -> Tensor:
        """Tables [B,3,C,n] at places [B,3,w,w], [B,3,C,w,w]; two in one [B,3,C,2n] where `second` chooses."""
        count, length = self.heights.shape[-1], tables.shape[-1]
        at = (along + (count - 1) / 2).clamp(0, count - 1)
        if second is not None:
            at = at + count * second
        grid = ((2 * at + 1) / length - 1).flatten(0, 1)
        grid = torch.stack([grid, torch.zeros_like(grid)], -1)
        tables = tables.flatten(0, 1)[:, :, None]
        found = F.grid_sample(tables, grid, "bilinear", "border", align_corners=False)
        return found.unflatten(0, (-1, PARTS))


def _share(gap: Tensor, length: Tensor) -> Tensor:
    return (gap / length.clamp_min(_LEAST_STEP)).clamp(0, 1)


def _axes(rings: Tensor) -> Tensor:
    """Right and up of each part, columns of [B,3,1,2,2]: along its corners, and across."""
    right = F.normalize(rings[:, :, EDGE, 0] - rings[:, :, EDGE, POINTS // 2], dim=-1)
    return torch.stack([right, torch.stack([right[..., 1], -right[..., 0]], -1)], -1)[:, :, None]


def _clear_of_lashes(rings: Tensor, margin: float) -> Tensor:
    """Rings, those of the upper lid's skin above what its lashes hide of it."""
    up = _axes(rings)[:, :, 0, :, 1]
    heights = (rings * up[:, :, None, None]).sum(-1)
    edge, ends = heights[:, :, EDGE, None], heights[:, :, LASHES, None]
    short = (ends + margin - heights[:, :, _LID:]).clamp_min(0) * (ends > edge)
    raised = rings[:, :, _LID:] + short[..., None] * up[:, :, None, None]
    return torch.cat([rings[:, :, :_LID], raised], dim=2)
