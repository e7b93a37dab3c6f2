"""Square windows of pictures, read and written by their pixels; and point samples."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Window:
    """Pixels of square windows in pictures of side S, as int64 columns and rows, [B,...,w,w] each."""

    column: Tensor
    row: Tensor

    @classmethod
    def around(cls, middle: Tensor, side: int, size: int) -> Window:
        """Windows of `side` pixels around points [B,n,2], moved to lie within pictures of `size`."""
        first = (middle.detach().round().long() - side // 2).clamp(0, size - side)
        line = torch.arange(side, device=first.device, dtype=torch.long)
        column, row = (first[..., k, None] + line for k in (0, 1))
        return cls(column[:, :, None].expand(-1, -1, side, -1), row[..., None].expand(-1, -1, -1, side))

    def __getitem__(self, part: int | slice) -> Window:
        """The windows of some of the n points."""
        return Window(self.column[:, part], self.row[:, part])

    def read(self, image: Tensor) -> Tensor:
        """Pixels of pictures [B,C,S,S] in their windows, [B,C,N] with N pixels."""
        return image.flatten(2).gather(2, self._index(image))  # [B,C,H W] -> [B,C,N]

    def add(self, image: Tensor, change: Tensor) -> Tensor:
        """Pictures [B,C,S,S] with a change [B,C,N] in their windows; where windows overlap changes add up."""
        flat = image.flatten(2)  # [B,C,S*S]
        # [B,C,H W] -> [B,C,H,W]
        return flat.scatter_add(2, self._index(image), change.to(flat.dtype)).unflatten(2, image.shape[2:])

    def write(self, image: Tensor, values: Tensor) -> Tensor:
        """Pictures [B,C,S,S] with values [B,C,N] in their windows."""
        # [B,C,H W] -> [B,C,H,W]
        return image.flatten(2).scatter(2, self._index(image), values).unflatten(2, image.shape[2:])

    def _index(self, image: Tensor) -> Tensor:
        """Flat places of the windows' pixels in a picture [B,C,S,S], [B,C,N]."""
        flat = (self.row * image.shape[-1] + self.column).flatten(1)  # [B,N]
        return flat[:, None].expand(-1, image.shape[1], -1)


def sample_pixels(image: Tensor, points: Tensor, mode: str = "bilinear") -> Tensor:
    """An image [B,C,S,S] at points [B,h,w,2] (x, y) in pixels, borders repeated: [B,C,h,w]."""
    grid = (points * 2 + 1) / image.shape[-1] - 1
    return F.grid_sample(image, grid, mode, "border", align_corners=False)
