"""The part of a window that has to be drawn, cut out of it and put back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import torch
from torch import Tensor

from gohd_core.mesh.frame import Opening, PartFrame, Window

_Frame = TypeVar("_Frame", bound=PartFrame)


@dataclass(frozen=True)
class Crop(Generic[_Frame]):
    """A smaller frame, and the rows and columns of the larger one that it is."""

    frame: _Frame
    rows: slice
    columns: slice

    @classmethod
    def around(cls, frame: _Frame, points: Tensor, margin: float) -> Crop[_Frame] | None:
        """The part of a window within `margin` pixels of points [B,N,2] of any frame, if there is one."""
        window = frame.window
        points = points - torch.stack([window.x, window.y], -1)[:, None]
        points = points.flatten(0, 1)  # [B,N,2] -> [B N,2]
        low, high = (points.amin(0) - margin).tolist(), (points.amax(0) + margin + 1).tolist()
        columns = _span(low[0], high[0], window.width)
        rows = _span(low[1], high[1], window.height)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return None
        opening = frame.opening
        maps = (opening.coverage, opening.above, opening.below, opening.along)
        smaller = replace(
            frame,
            window=Window(
                window.x + columns.start,
                window.y + rows.start,
                columns.stop - columns.start,
                rows.stop - rows.start,
                window.size,
            ),
            skin=frame.skin[..., rows, columns],
            opening=Opening(*(each[..., rows, columns] for each in maps)),
        )
        return cls(smaller, rows, columns)

    def put_back(self, drawn: Tensor, skin: Tensor) -> Tensor:
        """The larger window's skin [B,3,H,W] with what was drawn [B,3,h,w]."""
        finished = skin.clone()
        finished[..., self.rows, self.columns] = drawn
        return finished


def _span(start: float, stop: float, most: int) -> slice:
    return slice(min(max(int(start), 0), most), min(max(int(stop), 0), most))
