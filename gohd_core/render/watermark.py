"""Marks frames as made by GoHD: invisibly (on unless switched off) and, where wanted, visibly.

The invisible mark is one fixed pattern of faint light and dark patches over the whole picture. Libraries
were tried first: the marks of invisible-watermark (dwtDct, dwtDctSvd) are gone after H.264 at CRF 23
and a resize, because their blocks are tied to pixels; this pattern is tied to the picture's edges, so
that a resize moves it with the picture, and it is spread over thousands of patches, so that a faint one
is enough. A static pattern does not flicker, and H.264 keeps it once in a key frame.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gohd_core.choices import CORNERS
from gohd_core.errors import BadInput
from gohd_core.kernels.elementwise import add_and_clamp
from gohd_core.kernels.memory import empty
from gohd_core.render.visible_mark import Lettering
from gohd_core.video.bands import BandedFrames, Change, Region, whole_of

KEY = "gohd"
"""The pattern's seed. It is public: the mark labels generated pictures, it does not prove their origin."""

GRID = 96
"""Patches along each side of the picture."""

STRENGTH = 1.5
"""Root mean square of the pattern, in levels of 255, in pictures of up to `FULL_SIDE` pixels a side."""

FULL_SIDE = 256
"""Larger pictures take less, by the root of their shorter side: their patches are larger, which makes them
easier to read, and easier to see on plain walls."""

THRESHOLD = 5.0
"""Scores from here on count as marked: standard deviations above what displaced patterns score."""

_LUMA = (0.299, 0.587, 0.114)
_FLOOR = 0.05
_CLIP = 3.0


@dataclass(frozen=True)
class Mark:
    """Marks on frames.

    Attributes:
        invisible: the faint pattern.
        text: a visible mark; none where it is empty.
        corner: where the text stands, one of `choices.CORNERS`.
        opacity: of the text, 0 to 1.
        key: seed of the pattern; a reader needs the same.
        strength: of the pattern, in levels of 255; see `FULL_SIDE`.
    """

    invisible: bool = True
    text: str = ""
    corner: str = CORNERS[0]
    opacity: float = 0.6
    key: str = KEY
    strength: float = STRENGTH

    def __post_init__(self) -> None:
        if self.corner not in CORNERS:
            raise BadInput(f"{self.corner!r} is no corner; use one of {', '.join(CORNERS)}.")
        if not 0 <= self.opacity <= 1:
            raise BadInput(f"The opacity is {self.opacity:g}; give a number from 0 to 1.")
        if not 0 < self.strength <= 16:
            raise BadInput(f"The strength is {self.strength:g} levels; give more than 0, at most 16.")


@dataclass(frozen=True)
class WatermarkDetection:
    """Result of watermark detection.

    Attributes:
        found: whether the mark is there.
        score: standard deviations above the scores of the displaced pattern on the same frames;
            0 is chance, `THRESHOLD` and more is taken for a mark.
        frames: how many frames were looked at.
    """

    found: bool
    score: float
    frames: int

    def __str__(self) -> str:
        verdict = "GoHD's invisible mark is there" if self.found else "no invisible mark of GoHD was found"
        return f"{verdict} (score {self.score:.1f} of {THRESHOLD:g} wanted, {self.frames} frames looked at)"


def marked(
    frames: Iterable[Tensor], mark: Mark = Mark(), *, value_range: tuple[float, float] = (-1.0, 1.0)
) -> Iterator[Tensor]:
    """The same batches of frames [b, 3, H, W], marked as they pass; the ones given are not changed.

    Of `BandedFrames` what changes from frame to frame is marked, and the rest once.
    """
    if isinstance(frames, BandedFrames):
        if not mark.invisible and not mark.text:
            return frames
        return frames.changed(_marking(mark, frames.still, value_range))
    return _marked_batches(frames, mark, value_range)


def _marked_batches(
    batches: Iterable[Tensor], mark: Mark, value_range: tuple[float, float]
) -> Iterator[Tensor]:
    marking, like = None, None
    for batch in batches:
        if batch.ndim != 4 or batch.shape[1] != 3 or not batch.is_floating_point():
            raise BadInput(f"Frames to mark are floats [b, 3, H, W]; these have {list(batch.shape)}.")
        if like != (batch.shape[2:], batch.device):
            like = batch.shape[2:], batch.device
            marking = _marking(mark, batch[0], value_range)
        yield marking(batch, whole_of(batch))


def _marking(mark: Mark, picture: Tensor, value_range: tuple[float, float]) -> Change:
    """Marks regions of pictures of that size and device."""
    size, (low, high) = picture.shape[1:], value_range
    overlay = None
    if mark.invisible:
        overlay = (_overlay(mark, *size) * ((high - low) / 255)).to(picture.device)
    if mark.text:
        text = Lettering(mark.text, mark.corner, mark.opacity, size, value_range)

    def change(pixels: Tensor, region: Region) -> Tensor:
        if overlay is not None:
            into = empty(*pixels.shape, device=pixels.device)
            pixels = add_and_clamp(pixels.float(), overlay[region], low, high, out=into)
        return text.drawn(pixels, region) if mark.text else pixels

    return change


def read_frames(frames: Any, key: str = KEY) -> WatermarkDetection:
    """Looks for the mark in pictures of one size: [B, H, W, 3] or an iterable of [H, W, 3].

    uint8, or floats in 0..1. Needs at least 192 pixels a side to be reliable. Score and memory do not
    depend on how the frames come.
    """
    total, count = torch.zeros(GRID, GRID, dtype=torch.float32, device="cpu"), 0
    for frame in frames:
        picture = frame if isinstance(frame, Tensor) else torch.from_numpy(np.array(frame))
        if picture.ndim != 3 or picture.shape[2] != 3:
            raise BadInput(f"Frames to read are [H, W, 3]; this one has {list(picture.shape)}.")
        levels = picture.float() * (1 if picture.dtype == torch.uint8 else 255)
        luma = levels.cpu() @ torch.tensor(_LUMA, dtype=torch.float32, device="cpu")
        total += _detail(F.adaptive_avg_pool2d(luma[None, None], (GRID, GRID)))[0, 0]
        count += 1
    if not count:
        raise BadInput("There are no frames to look for a mark in.")
    score = _score(total / count, key)
    return WatermarkDetection(score >= THRESHOLD, score, count)


def pattern(key: str) -> Tensor:
    """-1 or 1 for each patch, [GRID, GRID]: bits of SHA-256, so that every version makes the same."""
    blocks = -(-GRID * GRID // 256)
    digests = b"".join(hashlib.sha256(f"{key}:{block}".encode()).digest() for block in range(blocks))
    bits = np.unpackbits(np.frombuffer(digests, np.uint8))[: GRID * GRID]
    return torch.from_numpy(bits.astype(np.float32).reshape(GRID, GRID) * 2 - 1)  # [GRID,GRID]


def _overlay(mark: Mark, height: int, width: int) -> Tensor:
    """The pattern over a picture, in levels of 255, [H, W]."""
    smooth = F.interpolate(pattern(mark.key)[None, None], (height, width), mode="bicubic")[0, 0]
    strength = mark.strength * min(1.0, (FULL_SIDE / min(height, width)) ** 0.5)
    return smooth * (strength / smooth.square().mean().sqrt())


def _detail(luma: Tensor) -> Tensor:
    """Residual of each patch against its neighbours, [B, 1, GRID, GRID]."""
    kernel = (
        torch.tensor(
            [[-1.0, -2.0, -1.0], [-2.0, 12.0, -2.0], [-1.0, -2.0, -1.0]], dtype=torch.float32, device="cpu"
        )
        / 12
    )
    return F.conv2d(F.pad(luma, (1, 1, 1, 1), mode="replicate"), kernel[None, None])


def _score(detail: Tensor, key: str) -> float:
    """Correlation with the pattern: flat parts of the picture count most, edges are cut off."""
    power = F.avg_pool2d(F.pad(detail.square()[None, None], (2, 2, 2, 2), mode="reflect"), 5, 1)[0, 0]
    even = (detail / (power + _FLOOR).sqrt()).clamp(-_CLIP, _CLIP)
    wanted = _detail(pattern(key)[None, None])[0, 0]
    # The fit at every displacement, around the edges; all but the first estimate the chance level.
    fits = torch.fft.irfft2(torch.fft.rfft2(even) * torch.fft.rfft2(wanted).conj(), s=even.shape)
    others = fits.flatten()[1:]
    return float((fits[0, 0] - others.mean()) / others.std().clamp(min=1e-6))
