"""Paste mask of a face: soft weights over the full frame, the same for every frame of a clip."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gohd_core.errors import BadInput
from gohd_core.face.portrait import Portrait
from gohd_core.face.segmentation.face_parser import FaceParser
from gohd_core.landmarks68 import EYES, MOUTH
from gohd_core.motion.curves import smoothstep
from gohd_core.parsing_labels import HEAD

GROWTH = 0.15
"""The region reaches this share of the face's size past the head, so that a moving head stays inside."""

FEATHER = 0.08
"""Width of the soft edge as a share of the crop's shorter side; it lies inside the region."""


_CROWN = 0.6
"""From the brows to the top of the head, as a share of the height from chin to brows."""
_LEAST_HEAD = 0.02
"""A parsed crop with a smaller share of head shows none."""


def paste_mask(
    portrait: Portrait,
    *,
    mask: Any = None,
    parser: FaceParser | None = None,
    growth: float = GROWTH,
    feather: float = FEATHER,
    moving: bool = False,
) -> Tensor:
    """Weights [H, W] float32 in 0..1 of the animated crop over the portrait's full frame; 0 is untouched.

    The region is the first of these that there is: `mask`; the head as `parser` sees it in the source
    picture; an ellipse around the landmarks; the whole crop, as for a face that was read by its mesh, whose
    frames keep the picture at the crop's sides (in a film only the face is shown of it, `placing.FacePlace`).
    Its edge is softened inwards, so that no
    pixel outside it changes, and it fades out before the crop ends, but for sides where the crop ends
    with the frame.

    Args:
        mask: the user's own, [H, W] or [1, H, W] over the full frame, bool or numbers in 0..1.
        parser: needs the official face-parsing weights.
        growth: how far the region reaches past the head, as a share of the face's size.
        feather: width of the soft edge as a share of the crop's shorter side.
        moving: the crop will lie elsewhere: the region fades out at each of its sides.
    Raises: `BadInput` for a mask of another size, one that misses the crop, or a face not found.
    """
    if not 0 <= growth <= 2 or not 0 <= feather <= 0.5:
        raise BadInput(
            f"A growth of {growth:g} (0 to 2) or a feather of {feather:g} (0 to 0.5) is out of range."
        )
    left, top, right, bottom = portrait.box
    height, width = portrait.frame.shape[:2]
    if mask is not None:
        region = _given(mask, height, width)[top:bottom, left:right]
        if not bool((region > 0).any()):
            raise BadInput("The mask covers nothing of the face crop; paint it over the face.")
    elif parser is not None:
        region = _parsed(portrait, parser, growth)
    elif portrait.landmarks is not None and portrait.mesh is None:
        points = portrait.landmarks.double() - torch.tensor([left, top], dtype=torch.long, device="cpu")
        region = _ellipse(points, bottom - top, right - left, growth)
    else:
        region = torch.ones(bottom - top, right - left, dtype=torch.float32, device="cpu")
    open_sides = (moving or left > 0, moving or right < width, moving or top > 0, moving or bottom < height)
    radius = round(feather * min(region.shape))
    weights = torch.zeros(height, width, dtype=torch.float32, device="cpu")
    weights[top:bottom, left:right] = region * _inner_ramp((region > 0).float(), radius, open_sides)
    return weights


def _given(mask: Any, height: int, width: int) -> Tensor:
    weights = torch.as_tensor(mask, device="cpu").detach().float()
    weights = weights[0] if weights.ndim == 3 and len(weights) == 1 else weights
    if weights.shape != (height, width):
        raise BadInput(
            f"The mask has the shape {list(weights.shape)}; [{height}, {width}] is wanted, the size of the "
            "portrait's full frame."
        )
    if not bool(torch.isfinite(weights).all()) or weights.min() < 0 or weights.max() > 1:
        raise BadInput("The mask holds values outside 0..1; scale it first.")
    return weights


def _parsed(portrait: Portrait, parser: FaceParser, growth: float) -> Tensor:
    left, top, right, bottom = portrait.box
    labels = parser.parse(portrait.frame[top:bottom, left:right].numpy())[0].numpy()
    head = torch.from_numpy(np.isin(labels, HEAD)).float()
    if head.mean() < _LEAST_HEAD:
        raise BadInput("Face parsing found no head in the face crop; paste with a mask or without a parser.")
    reach = round(growth * float(head.sum()) ** 0.5 / 2)
    wider = F.max_pool2d(head[None, None], (1, 2 * reach + 1), 1, (0, reach))
    return F.max_pool2d(wider, (2 * reach + 1, 1), 1, (reach, 0))[0, 0]


def _ellipse(landmarks: Tensor, height: int, width: int, growth: float) -> Tensor:
    """1 inside an upright-on-the-face ellipse from chin to crown, [height, width]."""
    up = landmarks[EYES].mean(0) - landmarks[MOUTH].mean(0)
    up = up / up.norm().clamp(min=1e-6)
    across = torch.stack([-up[1], up[0]])
    along, aside = landmarks @ up, landmarks @ across
    chin, brows = along.min(), along.max()
    crown = brows + _CROWN * (brows - chin)
    stretch = 1 + growth
    tall, wide = (crown - chin) / 2 * stretch, (aside.max() - aside.min()) / 2 * stretch * 2**0.5
    rows = torch.arange(height, dtype=torch.float64, device="cpu")[:, None]
    columns = torch.arange(width, dtype=torch.float64, device="cpu")[None]
    y = columns * up[0] + rows * up[1] - (crown + chin) / 2
    x = columns * across[0] + rows * across[1] - (aside.max() + aside.min()) / 2
    return ((x / wide).square() + (y / tall).square() <= 1).float()


def _inner_ramp(region: Tensor, radius: int, open_sides: tuple[bool, ...]) -> Tensor:
    """From 0 at a region's edge to 1 `radius` pixels inside it; closed sides of the crop are no edge."""
    if radius < 1:
        return region
    padded = region[None, None]
    for side, is_open in enumerate(open_sides):
        padding = [0, 0, 0, 0]
        padding[side] = radius
        padded = F.pad(padded, padding, mode="constant" if is_open else "replicate")
    # A mean over a square window falls linearly across an edge, and is exactly 0 and 1 past its reach. By
    # OpenCV, which adds up rows and columns as it goes: 15 ms for a crop of 925 px, a convolution 165.
    window = 2 * radius + 1
    counts = cv2.boxFilter(padded[0, 0].numpy(), cv2.CV_64F, (window, window), normalize=False)
    blurred = torch.from_numpy((counts / window**2)[radius:-radius, radius:-radius].astype(np.float32))
    return smoothstep(0, 1, 2 * blurred - 1) * region
