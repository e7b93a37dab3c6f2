"""The flow of the skin around lips and lids, by contours, and the openings between them.

Along a part's own axis (from corner to corner) each half of a contour is a curve: so high at each place, and
shifted so far from where the portrait has it. Between the curves flows are straight lines; at the edge of a
lip or lid they end, and beyond it the other lip's begin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.kernels.tree import tree_map
from gohd_core.mesh.contours import HALF
from gohd_core.mesh.frame import CONTOURS, EDGE, POINTS, Opening, Window

_NODES, _ROWS = 97, 33
"""Places along the axis, and rows from the edge outwards, at which flows are worked out."""
_FADING = (5, 4, 4)
"""Of lips and lids: the contour from which on flows go over into the head's, which they are at the last."""
_CORNER_FADING = 4
"""The same beyond their corners, along the axis."""
_MEETING = 0.25
"""Share of a part's reach by which the outermost contour must lie outside both edges for flows to count
whole."""
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

    def blend_into(self, places: Tensor, window: Window, k: int) -> None:
        """Blends where the portrait has the pixels of a frame's window [h,w,2] with this flow of frame k, in
        place, where their windows overlap."""
        x, y = int(window.x[0]), int(window.y[0])
        left, top = int(self.window.x[k]), int(self.window.y[k])
        first = max(x, left), max(y, top)
        last = (
            min(x + window.width, left + self.window.width),
            min(y + window.height, top + self.window.height),
        )
        if first[0] >= last[0] or first[1] >= last[1]:
            return
        here = np.s_[first[1] - y : last[1] - y, first[0] - x : last[0] - x]
        there = np.s_[..., first[1] - top : last[1] - top, first[0] - left : last[0] - left]
        own = window.pixels()[0][here] + self.shift[k][there].permute(1, 2, 0)
        places[here].lerp_(own, self.weight[k, 0][there][..., None])


def window_around(contours: Tensor, size: int) -> Window:
    """The smallest windows of one size [for the batch] around contours [B,7,48,2] in frames of `size`."""
    flat = contours.flatten(1, 2)
    first = (flat.amin(1).floor() - _MARGIN).long()
    last = (flat.amax(1).ceil() + _MARGIN).long()
    width, height = (last - first + 1).amax(0).clamp(1, size).tolist()
    x, y = first[:, 0].clamp(0, size - width), first[:, 1].clamp(0, size - height)
    return Window(x, y, width, height, size)


def contour_flows(target: Tensor, own: Tensor, size: int) -> list[ContourFlow]:
    """The flows around mouth, left and right eye.

    Args:
        target: [B,3,7,48,2] contours in pixels of frames of `size`; or [B,1,7,48,2], of the mouth alone.
        own: the same, where the portrait has them.
    """
    count, parts = target.shape[:2]
    flat, own = target.flatten(0, 1), own.flatten(0, 1)  # [B parts,7,48,2]
    edge = flat[:, EDGE]
    middle = edge.mean(1)
    right = F.normalize(edge[:, 0] - edge[:, HALF], dim=-1)  # [3B,2]
    up = torch.stack([right[:, 1], -right[:, 0]], -1)
    around = flat - middle[:, None, None]
    places = torch.stack([(around * each[:, None, None]).sum(-1) for each in (right, up)], -1)
    fading = torch.tensor(_FADING[:parts], device=target.device, dtype=torch.long).repeat(count)
    curves = _Curves.of(places, own - flat, fading)
    half = (places[:, EDGE, 0, 0] - places[:, EDGE, HALF, 0]) / 2
    centre = (places[:, EDGE, 0, 0] + places[:, EDGE, HALF, 0]) / 2
    curves_and_axes = curves, right, up, middle, centre, half
    flows = []
    for part in range(parts):
        window = window_around(target[:, part], size)
        opening, shift, weight = _in_window(
            window, *tree_map(curves_and_axes, lambda x, part=part: x[part::parts])
        )
        flows.append(ContourFlow(window, Opening(*opening), shift, weight))
    return flows


def _in_window(
    window: Window, curves: _Curves, right: Tensor, up: Tensor, middle: Tensor, centre: Tensor, half: Tensor
) -> tuple[tuple[Tensor, ...], Tensor, Tensor]:
    """Openings' maps [B,1,h,w], shifts [B,2,h,w] and weights [B,1,h,w] at windows' pixels; axes and places
    [B,2], `centre` and `half` [B] along the axis."""
    sides = window.width, window.height
    columns, rows = (torch.arange(n, device=middle.device, dtype=torch.float32) for n in sides)
    x = window.x[:, None] - middle[:, :1] + columns  # [B,w]
    y = window.y[:, None] - middle[:, 1:] + rows  # [B,h]
    along, height = (
        (x * axis[:, :1])[:, None] + (y * axis[:, 1:])[:, :, None] for axis in (right, up)
    )  # [B,h,w]
    column = curves.columns(along)
    upper, lower = curves.edges(column)
    above, below = upper - height, height - lower
    # Where they overlap, the upper one lies in front.
    opening = above + below
    is_lower = above > opening.clamp_min(0) / 2
    outside = -torch.where(is_lower, below, above)
    shift, weight = curves.skin(along, column, outside, is_lower)
    # An opening that is wider than the portrait's shows no more than its edge beside what is drawn into it.
    beyond = -outside - curves.own_opening(column, up).clamp_min(0) / 2
    shift = shift + torch.where(is_lower, -beyond, beyond).mul_(beyond > 0)[:, None] * up[:, :, None, None]
    coverage = (above.clamp(max=0.5) + below.clamp(max=0.5)).clamp(0, 1)
    along = (along - centre[:, None, None]) / half[:, None, None]
    return tuple(each[:, None] for each in (coverage, above, below, along)), shift, weight[:, None]


@dataclass(frozen=True)
class _Curves:
    """Halves of contours as curves over a part's axis.

    Attributes:
        start, step: [B] place of the first node along the axis, and from node to node, pixels.
        heights: [B,2,6,n] how far outside the axis the contours from the edge outwards lie: the upper halves
            above it, the lower ones below.
        shifts: [B,2,2,6,n] pixels to where the portrait has them, across and down.
        ends: [B,6,2] where they begin and end along the axis.
        fading: [B] contour from which on flows go over into the head's.
        table: [B,3,2*rows,n] shift and weight, rows from the edge outwards, of the upper and the lower half.
        reach: [B] pixels from the edge to the last row.
    """

    start: Tensor
    step: Tensor
    heights: Tensor
    shifts: Tensor
    ends: Tensor
    fading: Tensor
    table: Tensor
    reach: Tensor

    @classmethod
    def of(cls, places: Tensor, shifts: Tensor, fading: Tensor) -> _Curves:
        """From contours [B,7,48,2] (along the axis, up) and their shifts [B,7,48,2] in pixels."""
        half = torch.arange(HALF + 1, device=places.device, dtype=torch.long)
        order = torch.stack([half.flip(0), (HALF + half) % POINTS])  # from the left corner to the right one
        values = torch.cat([places, shifts], -1)[:, EDGE:, order].transpose(1, 2)  # [B,2,6,25,4]
        along = values[..., 0].cummax(-1).values + half * _LEAST_STEP
        first, last = along.amin((1, 2, 3)), along.amax((1, 2, 3))
        step = (last - first) / (_NODES - 1)
        nodes = first[:, None] + step[:, None] * torch.arange(
            _NODES, device=places.device, dtype=places.dtype
        )
        nodes = nodes[:, None, None].expand(*along.shape[:-1], -1).contiguous()
        after = torch.searchsorted(along.contiguous(), nodes).clamp(1, HALF)
        before_at, after_at = along.gather(-1, after - 1), along.gather(-1, after)
        share = ((nodes - before_at) / (after_at - before_at)).clamp(0, 1)[..., None]
        pick = after[..., None].expand(*after.shape, 3)
        values = values[..., 1:]
        values = torch.lerp(values.gather(-2, pick - 1), values.gather(-2, pick), share)  # [B,2,6,n,3]
        signs = values.new_tensor([1.0, -1.0])[:, None, None]
        heights = values[..., 0] * signs
        shifts = list(values[..., 1:].permute(0, 1, 4, 2, 3).contiguous().unbind(3))  # [B,2,2,n] each
        ends = along[:, 0][..., [0, -1]]  # [B,6,2]
        _beyond_corners(shifts, nodes[:, 0, 0], ends)
        # What an outer contour hides lies with it.
        visible = heights.flip(2).cummin(2).values.flip(2)
        for k in range(len(shifts) - 2, -1, -1):
            shifts[k] = torch.where((heights > visible)[:, :, None, k], shifts[k + 1], shifts[k])
        shifts = torch.stack(shifts, 3)
        table, reach = _table(visible, shifts, fading)
        return cls(first, step, visible, shifts, ends, fading, table, reach)

    def columns(self, along: Tensor) -> Tensor:
        """Places [B,h,w] along the axis as nodes, within the curves."""
        return ((along - self.start[:, None, None]) / self.step[:, None, None]).clamp(0, _NODES - 1)

    def edges(self, column: Tensor) -> tuple[Tensor, Tensor]:
        """Heights above the axis of the upper and the lower edge at columns [B,h,w]."""
        upper, lower = self.heights[:, :, 0].unbind(1)
        return _at(upper, column), -_at(lower, column)

    def own_opening(self, column: Tensor, up: Tensor) -> Tensor:
        """Distance of the two edges in the portrait at columns [B,h,w], across the axis; `up` [B,2]."""
        apart = (self.shifts[:, 0, :, 0] - self.shifts[:, 1, :, 0]).mul(up[:, :, None]).sum(1)  # [B,n]
        return _at(self.heights[:, :, 0].sum(1) + apart, column)

    def skin(self, along: Tensor, column: Tensor, outside: Tensor, is_lower: Tensor) -> tuple[Tensor, Tensor]:
        """Shifts [B,2,h,w] of places on the skin, pixels outside the edge, and how far they are known
        [B,h,w]."""
        row = (outside / self.reach[:, None, None]).clamp(0, 1).sqrt() * (_ROWS - 1) + _ROWS * is_lower
        grid = torch.stack([column * (2 / _NODES) + (1 / _NODES - 1), row / _ROWS + (0.5 / _ROWS - 1)], -1)
        found = F.grid_sample(self.table, grid, "bilinear", "border", align_corners=False)
        weight = found[:, 2]
        inner, outer = self.ends[:, _CORNER_FADING - EDGE], self.ends[:, -1]  # [B,2]
        for k, way in enumerate((1, -1)):
            begin, end = (each[:, k, None, None] for each in (inner, outer))
            weight = weight * _ramp(way * (along - end), way * (begin - end))
        return found[:, :2], weight


def _beyond_corners(shifts: list[Tensor], nodes: Tensor, ends: Tensor) -> None:
    """Where a contour has ended, shifts go over into those of the next one's corner, in place.

    Args:
        shifts: [B,2,2,n] of each contour from the edge outwards, its corner's beyond its ends.
        nodes: [B,n] places along the axis.
        ends: [B,6,2] where contours begin and end there.
    """
    for side, way in enumerate((-1.0, 1.0)):
        outer = None
        for k in range(len(shifts) - 1, -1, -1):
            corner = shifts[k][..., -side, None]
            if outer is not None:
                end, following = ends[:, k, side, None], ends[:, k + 1, side, None]
                past = way * (nodes - end)
                share = (past / (way * (following - end)).clamp_min(_LEAST_STEP)).clamp(0, 1)[:, None, None]
                grown = torch.lerp(corner, outer, share)
                shifts[k] = torch.where((past > 0)[:, None, None], grown, shifts[k])
                outer = grown
            else:
                outer = corner


def _at(nodes: Tensor, column: Tensor) -> Tensor:
    """Values at columns [B,h,w], linearly between those of nodes [B,n]."""
    before = column.floor().clamp(max=_NODES - 2)
    share, before = column - before, before.long().flatten(1)
    low, high = (nodes.gather(1, before + k).view_as(column) for k in (0, 1))
    return torch.lerp(low, high, share)


def _table(heights: Tensor, shifts: Tensor, fading: Tensor) -> tuple[Tensor, Tensor]:
    """Shifts and weights over nodes and rows from the edge outwards [B,3,2*rows,n], and how far they reach
    [B].

    Rows lie denser towards the edge.
    """
    beyond = heights - heights[:, :, :1]  # [B,2,6,n] outside the edge
    reach = beyond[:, :, -1].amax((1, 2)).clamp_min(1.0)
    rows = torch.linspace(0, 1, _ROWS, device=heights.device, dtype=heights.dtype).square()
    level = (reach[:, None] * rows)[:, None, :, None]  # [B,1,rows,1]
    last = CONTOURS - EDGE - 1
    shift = shifts[:, :, :, last, None].expand(-1, -1, -1, _ROWS, -1)  # [B,2,2,rows,n]
    for k in range(last - 1, -1, -1):
        gap = beyond[:, :, k + 1] - beyond[:, :, k] + _LEAST_STEP
        share = ((beyond[:, :, k + 1, None] - level) / gap[:, :, None]).clamp(0, 1)[:, :, None]
        shift = torch.lerp(shift, shifts[:, :, :, k, None], share)
    begin = beyond.gather(2, (fading - EDGE)[:, None, None, None].expand(-1, 2, 1, beyond.shape[-1]))
    end = beyond[:, :, last, None]
    weight = _ramp(end - level, end - begin)  # [B,2,rows,n]
    # Both halves are known alike where they meet beyond corners, also of those that lie off the axis.
    known = (end.amin(1, keepdim=True) / (_MEETING * reach)[:, None, None, None]).clamp(0, 1)
    weight = weight * known
    # [B,half,3,rows,n] -> [B,3,2*rows,n]
    return torch.cat([shift, weight[:, :, None]], 2).transpose(1, 2).flatten(2, 3), reach


def _ramp(gap: Tensor, length: Tensor) -> Tensor:
    return (gap / length.clamp_min(_LEAST_STEP)).clamp(0, 1)
