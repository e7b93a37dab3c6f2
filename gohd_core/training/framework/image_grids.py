"""Pictures for the log: tensors to bytes, grids of columns, and optical flow in colours."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

_GAP = 2


def to_bytes(image: Tensor) -> np.ndarray:
    """An image [3, H, W] in [-1, 1] as u8 [H, W, 3]."""
    image = image.detach().float().cpu().clamp(-1, 1)
    return ((image + 1) * 127.5).round().byte().permute(1, 2, 0).contiguous().numpy()


def grid(columns: Mapping[str, Tensor], *, rows: int = 6) -> np.ndarray:
    """Examples below each other, one column per kind ("source", "target", ...), as u8 [H, W, 3].

    Columns are [B, 3, h, w] in [-1, 1]; [B, 1, h, w] counts as grey; all are brought to the size of
    the first.
    """
    size = next(iter(columns.values())).shape[-2:]
    cells = []
    for images in columns.values():
        images = images[:rows].detach().float().cpu()
        images = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
        if images.shape[-2:] != size:
            images = functional.interpolate(images, size=size, mode="nearest")
        framed = functional.pad(images, (0, _GAP, 0, _GAP), value=1.0)
        cells.append(torch.cat(list(framed), dim=-2))
    return to_bytes(torch.cat(cells, dim=-1))


def flow_colours(flow: Tensor, *, largest: float | None = None) -> Tensor:
    """Flow [B, 2, h, w] as colours [B, 3, h, w] in [-1, 1]: the hue is its direction, depth its length.

    `largest` is the length at full depth; by default each picture's own greatest.
    """
    flow = flow.detach().float()
    length = flow.norm(dim=1)
    top = length.flatten(1).amax(1)[:, None, None] if largest is None else largest
    depth = (length / (top + 1e-8)).clamp(max=1)
    angle = torch.atan2(flow[:, 1], flow[:, 0])
    phases = (0.0, 2 * math.pi / 3, 4 * math.pi / 3)
    return torch.stack([1 - depth * (1 - torch.cos(angle - phase)) for phase in phases], dim=1)


def write_png(path: str | Path, image: np.ndarray) -> None:
    """Writes u8 [H, W, 3] as PNG."""
    from PIL import Image

    Image.fromarray(image).save(path)
