"""Flow and layer masks of a frame near projected contours: openings of mouth and eyes, and the skin's motion.

Along a part's own axis (from corner to corner) each half of a contour is a height profile, with the shift to
its place in the source. Between profiles flows are interpolated linearly; they break at the edge of a lip or
lid, beyond which the other lip's begin.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from gohd_core.animator.config import INNER
from gohd_core.animator.geometry.contours import EDGE, LASHES, PARTS, POINTS, RIM
from gohd_core.animator.geometry.window import Window

_WINDOW = 5 / 16
"""Side of the redrawn square around a part, as a share of the picture's."""
_FADING = (6, 5, 5)  # mouth, left eye, right eye
"""The contour from which on flows blend into the decoder's, which they are at the outermost."""
_LEAST_STEP = 1e-3
"""Smallest distance between nodes of a profile, pixels."""
_LID = EDGE + 1
"""First contour of the lids' skin."""
_LASH_MARGIN = 0.003
"""Distance from lashes at which that skin is sampled, in picture sides."""
_EYEBALL_FROM = 0.1
"""Inner layer mask from which a pixel may show an eyeball: hair and noses hide eyes, which contours do not
know."""
_EYEBALL_STEP = 0.3
"""Further mask at which it does."""


@dataclass(frozen=True)
class ProjectedContours:
    """Mouth, left and right eye of frames, in a window around each.

    Contours of two parts hardly ever overlap, and then at their faded ends, so that changes may add up.

    Attributes:
        window: [B,3,w,w] pixels.
        opening: [B,3,w,w] share of a pixel that lies between lips or lids.
        flow: [B,2,3,w,w] backward flow of the skin in half images.
        weight: [B,3,w,w] how far contours determine a pixel, 0..1.
    """

    window: Window
    opening: Tensor
    flow: Tensor
    weight: Tensor

    def refine_flow(self, flow: Tensor) -> Tensor:
        """The face's flow [B,2,S,S] with that of lips and lids."""
        weight = self.weight.flatten(1)[:, None]  # [B,1,N], N = 3*w*w
        # [B,2,parts,h,w] -> [B,2,N], and back
        return self.window.add(flow, weight * (self.flow.flatten(2) - self.window.read(flow)))

    def refine_layer_masks(self, masks: Tensor) -> Tensor:
        """Layer masks [B,3,S,S] with what lips and lids hide and show."""
        moving = masks.float()[:, : INNER + 1]
        skin, inner = self.window.read(moving).unbind(1)  # [B,N] each
        eyeball = ((inner - _EYEBALL_FROM) / _EYEBALL_STEP).clamp(0, 1).where(self._is_eye, 1.0)
        # maps [B,parts,h,w] -> [B,N]
        change = self.weight.flatten(1) * ((inner + skin) * self.opening.flatten(1) * eyeball - inner)
        # The masks sum to one: the inner layer gains the skin's loss.
        moving = self.window.add(moving, torch.stack([-change, change], dim=1))
        return torch.cat([moving, masks.float()[:, INNER + 1 :]], dim=1)

    @property
    def _is_eye(self) -> Tensor:
        """Mask of the windows' pixels that belong to an eye, [N]."""
        window = self.weight[0, 0].numel()
        return torch.arange(PARTS * window, device=self.weight.device, dtype=torch.long) >= window


def project_contours(target: Tensor, own: Tensor, trust: Tensor, size: int) -> ProjectedContours:
    """Flow and openings from the contours of frames.

    Args:
        target: [B,3,8,48,2] contours in the frames, pixels.
        own: [1 or B,3,8,48,2] the same in the source.
        trust: [1 or B] 0 where the source's contours are not to be relied on.
        size: side S of the frames.
    """
    middle, axes = target[:, :, EDGE].mean(2), _axes(target)
    own, target = (_clear_of_lashes(contours, _LASH_MARGIN * size) for contours in (own, target))
    side = max(int(size * _WINDOW), 1)
    profiles = _Profiles.of((target - middle[:, :, None, None]) @ axes, own - target, side)
    window = Window.around(middle, side, size)
    x, y = (each - middle[..., k, None, None] for k, each in enumerate((window.column, window.row)))
    along, up = (x * axes[..., 0, k, None] + y * axes[..., 1, k, None] for k in (0, 1))
    above, below = profiles.edges(along)
    opening = (torch.minimum(above, up + 0.5) - torch.maximum(below, up - 0.5)).clamp(0, 1)
    # Where they overlap, the upper one lies in front.
    lower = up < above - F.relu(above - below) / 2
    shift, weight = profiles.skin(along, up, lower)
    return ProjectedContours(
        window,
        opening,
        rearrange(shift * (2 / size), "b part xy h w -> b xy part h w"),
        weight * trust[:, None, None, None],
    )


@dataclass(frozen=True)
class _Profiles:
    """Halves of contours as height profiles over a part's axis, a pixel from node to node.

    Attributes:
        heights: [B,3,2,8,n] distance outwards, upper halves above and lower ones below the axis; a contour
            that an outer one hides takes its height, but for the ends of lashes.
        shifts: [B,3,2,8,2,n] pixels (x, y) to their places in the source; hidden points take the outer one's.
        ends: [B,3,8,2] where they begin and end.
    """

    heights: Tensor
    shifts: Tensor
    ends: Tensor

    @classmethod
    def of(cls, contours: Tensor, shifts: Tensor, count: int) -> _Profiles:
        """From contours [B,3,8,48,2] (along the axis, up) and their shifts [B,3,8,48,2] in pixels."""
        half = torch.arange(POINTS // 2 + 1, device=contours.device, dtype=torch.long)
        order = torch.stack([half.flip(0), (POINTS // 2 + half) % POINTS])
        halves = rearrange(
            torch.cat([contours, shifts], -1)[..., order, :],
            "b part contour half n c -> b part half contour n c",
        )
        along = halves[..., 0].cummax(-1).values + half.to(contours) * _LEAST_STEP
        nodes = torch.arange(count, device=contours.device, dtype=torch.float32) - (count - 1) / 2
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
        tables = torch.cat([self.heights[..., None, :], self.shifts], 4).flatten(3, 4)  # [B,3,2,24,n]
        # [B,parts,K,3,h,w]
        found = self._at(torch.cat(tables.unbind(2), -1), along, lower).unflatten(2, (-1, 3))
        height, shift = found[:, :, :, 0], found[:, :, :, 1:]  # of each contour: [B,3,8,w,w], [B,3,8,2,w,w]
        outside = torch.where(lower, -up, up)
        last = height.shape[2] - 1
        flow = shift[:, :, last]
        for k in range(last - 1, RIM - 1, -1):
            gap = height[:, :, k + 1] - height[:, :, k] + _LEAST_STEP
            share = ((height[:, :, k + 1] - outside) / gap).clamp(0, 1)
            flow = torch.lerp(flow, shift[:, :, k], share[:, :, None])
        length = height[:, :, LASHES] - height[:, :, EDGE]
        share = (outside - height[:, :, EDGE]) / torch.where(length.abs() > _LEAST_STEP, length, -1e6)
        lash = torch.lerp(shift[:, :, EDGE], shift[:, :, LASHES], share[:, :, None])
        flow = torch.where(((share > 0) & (share < 1))[:, :, None], lash, flow)
        fading = torch.tensor(_FADING, device=along.device, dtype=torch.long)
        begin = height.gather(
            2, fading[None, :, None, None, None].expand(len(along), -1, 1, *along.shape[2:])
        )
        weight = _ramp(height[:, :, last] - outside, height[:, :, last] - begin[:, :, 0])
        inner = self.ends.gather(2, fading[None, :, None, None].expand(len(along), -1, 1, 2))[:, :, 0]
        outer = self.ends[:, :, last]
        for k, way in enumerate((1, -1)):
            gap, length = (way * (x - outer[..., k, None, None]) for x in (along, inner[..., k, None, None]))
            weight = weight * _ramp(gap, length)
        return flow, weight

    def _at(self, tables: Tensor, along: Tensor, second: Tensor | None = None) -> Tensor:
        """Tables [B,3,C,n] at places [B,3,w,w], [B,3,C,w,w]; two in one [B,3,C,2n] where `second` chooses."""
        count, length = self.heights.shape[-1], tables.shape[-1]
        at = (along + (count - 1) / 2).clamp(0, count - 1)
        if second is not None:
            at = at + count * second
        grid = ((2 * at + 1) / length - 1).flatten(0, 1)  # [3B,w,w]
        grid = torch.stack([grid, torch.zeros_like(grid)], -1)
        tables = tables.flatten(0, 1)[:, :, None]  # [3B,C,1,n or 2n]
        found = F.grid_sample(tables, grid, "bilinear", "border", align_corners=False)
        return found.unflatten(0, (-1, PARTS))  # [B * parts,...] -> [B,parts,...]


def _ramp(gap: Tensor, length: Tensor) -> Tensor:
    return (gap / length.clamp_min(_LEAST_STEP)).clamp(0, 1)


def _axes(contours: Tensor) -> Tensor:
    """Right and up of each part, columns of [B,3,1,2,2]: along its corners, and across."""
    right = F.normalize(contours[:, :, EDGE, 0] - contours[:, :, EDGE, POINTS // 2], dim=-1)
    return torch.stack([right, torch.stack([right[..., 1], -right[..., 0]], -1)], -1)[:, :, None]


def _clear_of_lashes(contours: Tensor, margin: float) -> Tensor:
    """Contours, those of the upper lid's skin raised above what its lashes hide of it."""
    up = _axes(contours)[:, :, 0, :, 1]
    heights = (contours * up[:, :, None, None]).sum(-1)
    edge, ends = heights[:, :, EDGE, None], heights[:, :, LASHES, None]
    short = (ends + margin - heights[:, :, _LID:]).clamp_min(0) * (ends > edge)
    raised = contours[:, :, _LID:] + short[..., None] * up[:, :, None, None]
    return torch.cat([contours[:, :, :_LID], raised], dim=2)
