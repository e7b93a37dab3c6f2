"""The flow of the skin around lips and lids, by contours, and the openings between them.

Along a part's own axis (from corner to corner) each half of a contour is a curve: so high at each place, and
shifted so far from where the portrait has it. Between the curves flows are straight lines; at the edge of a lip
or lid they end, and beyond it the other lip's begin.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.mesh.contours import HALF
from gohd_core.mesh.frame import CONTOURS, EDGE, LIPS, POINTS, Opening, Window

_NODES, _ROWS = 97, 33
"""Places along the axis, and rows from the edge outwards, at which flows are worked out."""
_DENSER = 1.5
"""Exponent by which the rows lie closer towards the edge."""
_FADING = {True: 5, False: 4}
"""Of lips and of lids: the contour from which on flows go over into the head's, which they are at the last."""
_LEAST_STEP = 1e-3
_MARGIN = 2
"""Pixels around the outermost contour that the window takes in."""


@dataclass(frozen=True)
class ContourFlow:
    """A part of frames in its window.

    Attributes:
        window: where it lies.
        opening: what lies between the lips or lids.
        shift: [B,2,h,w] pixels (x, y) from the frame to where the portrait has the skin.
        weight: [B,1,h,w] how far contours know of a pixel, 0..1.
    """

    window: Window
    opening: Opening
    shift: Tensor
    weight: Tensor


def window_around(contours: Tensor, size: int) -> Window:
    """The smallest windows of one size [for the batch] around contours [B,7,48,2] in frames of `size`."""
    flat = contours.flatten(1, 2)
    first = (flat.amin(1).floor() - _MARGIN).long()
    last = (flat.amax(1).ceil() + _MARGIN).long()
    width, height = (last - first + 1).amax(0).clamp(1, size).tolist()
    x, y = first[:, 0].clamp(0, size - width), first[:, 1].clamp(0, size - height)
    return Window(x, y, width, height, size)


def contour_flow(target: Tensor, own: Tensor, part: int, size: int) -> ContourFlow:
    """Contours [B,7,48,2] of one part in pixels of frames of `size`, and where the portrait has them,
    [1 or B,7,48,2] -> the flow around them."""
    window = window_around(target, size)
    edge = target[:, EDGE]
    middle = edge.mean(1)
    right = F.normalize(edge[:, 0] - edge[:, HALF], dim=-1)  # [B,2]
    axes = torch.stack([right, torch.stack([right[:, 1], -right[:, 0]], -1)], -1)  # columns: right, up
    places = (target - middle[:, None, None]) @ axes[:, None]  # [B,7,48,2]: along, up
    curves = _Curves.of(places, own - target)
    pixels = (window.pixels() - middle[:, None, None]) @ axes[:, None]  # [B,h,w,2]
    along, up = pixels.unbind(-1)
    upper, lower = curves.edges(along)
    coverage = (torch.minimum(upper, up + 0.5) - torch.maximum(lower, up - 0.5)).clamp(0, 1)
    # Where they overlap, the upper one lies in front.
    is_lower = up < upper - F.relu(upper - lower) / 2
    outside = torch.where(is_lower, lower - up, up - upper).clamp_min(0)
    shift, weight = curves.skin(along, outside, is_lower, _FADING[part == LIPS])
    half = (edge[:, 0] - edge[:, HALF]).norm(dim=-1)[:, None, None] / 2
    centre = ((places[:, EDGE, 0, 0] + places[:, EDGE, HALF, 0]) / 2)[:, None, None]
    opening = Opening(
        *(each[:, None] for each in (coverage, upper - up, up - lower, (along - centre) / half))
    )
    return ContourFlow(window, opening, shift, weight[:, None])


@dataclass(frozen=True)
class _Curves:
    """Halves of contours as curves over a part's axis.

    Attributes:
        start, step: [B] place of the first node along the axis, and from node to node, pixels.
        heights: [B,2,6,n] how far outside the axis the contours from the edge outwards lie: the upper halves
            above it, the lower ones below.
        shifts: [B,2,6,n,2] pixels (x, y) to where the portrait has them.
        ends: [B,6,2] where they begin and end along the axis.
    """

    start: Tensor
    step: Tensor
    heights: Tensor
    shifts: Tensor
    ends: Tensor

    @classmethod
    def of(cls, places: Tensor, shifts: Tensor) -> _Curves:
        """From contours [B,7,48,2] (along the axis, up) and their shifts [B,7,48,2] in pixels."""
        half = torch.arange(HALF + 1, device=places.device)
        order = torch.stack([half.flip(0), (HALF + half) % POINTS])  # from the left corner to the right one
        values = torch.cat([places, shifts], -1)[:, EDGE:, order].transpose(1, 2)  # [B,2,6,25,4]
        along = values[..., 0].cummax(-1).values + half * _LEAST_STEP
        first, last = along.amin((1, 2, 3)), along.amax((1, 2, 3))
        step = (last - first) / (_NODES - 1)
        nodes = first[:, None] + step[:, None] * torch.arange(_NODES, device=places.device)
        nodes = nodes[:, None, None].expand(*along.shape[:-1], -1).contiguous()
        after = torch.searchsorted(along.contiguous(), nodes).clamp(1, HALF)
        before_at, after_at = along.gather(-1, after - 1), along.gather(-1, after)
        share = ((nodes - before_at) / (after_at - before_at)).clamp(0, 1)[..., None]
        pick = after[..., None].expand(*after.shape, 3)
        values = values[..., 1:]
        values = torch.lerp(values.gather(-2, pick - 1), values.gather(-2, pick), share)  # [B,2,6,n,3]
        signs = values.new_tensor([1.0, -1.0])[:, None, None]
        heights, shifts = values[..., 0] * signs, list(values[..., 1:].unbind(2))
        # What an outer contour hides lies with it.
        visible = heights.flip(2).cummin(2).values.flip(2)
        for k in range(len(shifts) - 2, -1, -1):
            shifts[k] = torch.where((heights > visible)[:, :, k, :, None], shifts[k + 1], shifts[k])
        return cls(first, step, visible, torch.stack(shifts, 2), along[:, 0][..., [0, -1]])

    def edges(self, along: Tensor) -> tuple[Tensor, Tensor]:
        """Heights above the axis of the upper and the lower edge at places [B,h,w]."""
        at = ((along - self.start[:, None, None]) / self.step[:, None, None]).clamp(0, _NODES - 1)
        before = at.floor().clamp(max=_NODES - 2)
        share, before = at - before, before.long().flatten(1)
        found = []
        for half, sign in ((0, 1.0), (1, -1.0)):
            table = self.heights[:, half, 0] * sign
            low, high = (table.gather(1, before + k).view_as(at) for k in (0, 1))
            found.append(torch.lerp(low, high, share))
        return found[0], found[1]

    def skin(self, along: Tensor, outside: Tensor, is_lower: Tensor, fading: int) -> tuple[Tensor, Tensor]:
        """Shifts [B,2,h,w] of places on the skin, pixels outside the edge, and how far they are known [B,h,w]."""
        beyond = self.heights - self.heights[:, :, :1]  # [B,2,6,n] outside the edge
        reach = beyond[:, :, -1].amax((1, 2)).clamp_min(1.0)  # [B]
        rows = torch.linspace(0, 1, _ROWS, device=along.device) ** _DENSER
        level = (reach[:, None] * rows)[:, None, :, None]  # [B,1,rows,1]
        last = CONTOURS - EDGE - 1
        shift = self.shifts[:, :, last, None].expand(-1, -1, _ROWS, -1, -1)  # [B,2,rows,n,2]
        for k in range(last - 1, -1, -1):
            gap = beyond[:, :, k + 1] - beyond[:, :, k] + _LEAST_STEP
            share = ((beyond[:, :, k + 1, None] - level) / gap[:, :, None]).clamp(0, 1)
            shift = torch.lerp(shift, self.shifts[:, :, k, None], share[..., None])
        end, begin = beyond[:, :, last, None], beyond[:, :, fading - EDGE, None]
        weight = _ramp(end - level, end - begin)
        table = (
            torch.cat([shift, weight[..., None]], -1).permute(0, 4, 1, 2, 3).flatten(2, 3)
        )  # [B,3,2 rows,n]
        row = (outside / reach[:, None, None]).clamp(0, 1) ** (1 / _DENSER) * (_ROWS - 1)
        row = row + _ROWS * is_lower
        column = ((along - self.start[:, None, None]) / self.step[:, None, None]).clamp(0, _NODES - 1)
        size = table.new_tensor([_NODES, 2 * _ROWS])
        grid = (2 * torch.stack([column, row], -1) + 1) / size - 1
        found = F.grid_sample(table, grid, "bilinear", "border", align_corners=False)
        weight = found[:, 2]
        inner, outer = self.ends[:, fading - EDGE], self.ends[:, last]
        for k, way in enumerate((1, -1)):
            begin, end = (each[:, k, None, None] for each in (inner, outer))
            weight = weight * _ramp(way * (along - end), way * (begin - end))
        return found[:, :2], weight


def _ramp(gap: Tensor, length: Tensor) -> Tensor:
    return (gap / length.clamp_min(_LEAST_STEP)).clamp(0, 1)
