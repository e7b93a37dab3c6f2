"""Puts animated face crops back into the full frame: soft edge, matched colours, as a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gohd_core.errors import BadInput
from gohd_core.face.face_parser import FaceParser
from gohd_core.face.portrait import Portrait
from gohd_core.render.paste_mask import FEATHER, GROWTH, paste_mask

COLOURS = ("constant", "smoothed", "none")
LENGTHS = ("face", "longest")

_GAIN = (0.75, 1.35)
"""How far contrast may be changed to match; more would be another picture."""
_MEMORY_FRAMES = 25
"""Time constant of "smoothed" colours."""
_BATCH_PIXELS = 2**22
"""Frames are handed on in batches of at most this many pixels, so that memory stays small."""


def paste_back(
    frames: Iterable[Tensor] | Tensor,
    portrait: Portrait,
    background: Iterable[Tensor] | Tensor | None = None,
    *,
    mask: Any = None,
    parser: FaceParser | None = None,
    growth: float = GROWTH,
    feather: float = FEATHER,
    colour: str = "constant",
    length: str = "face",
    value_range: tuple[float, float] = (-1.0, 1.0),
) -> Iterator[Tensor]:
    """Pastes animated crops into full frames, as they come; memory does not grow with length.

    Several faces: paste the next one onto the result of the last, each with its own portrait,
    `paste_back(b, portrait_b, paste_back(a, portrait_a), length="longest")`.

    Args:
        frames: the animated crops [b, 3, s, s] in batches, of any size: what upscaled or restored
            them in between need not be undone, they are resized to the portrait's box.
        portrait: whose box says where they belong.
        background: full frames [b, 3, H, W] in batches, or one still [3, H, W]; None takes the
            portrait's own picture. One that ends early holds its last frame.
        mask, parser, growth, feather: see `paste_mask.paste_mask`.
        colour: "constant" matches the mean and contrast of each colour under the mask once, on the
            first frame; "smoothed" goes on doing so with a time constant of 25 frames, for a background
            whose light changes; "none" leaves the colours.
        length: "face": as many frames as the face has; "longest": as the longer of face and background,
            the other one holding its last frame.
        value_range: of frames, background and result alike.

    Returns: an iterator over [b, 3, H, W] float32 on the CPU. Where the mask is 0 every value equals the
    background's, bit for bit.
    Raises: `BadInput` for sizes that do not fit, values that are not finite, or no frames.
    """
    for value, known in ((colour, COLOURS), (length, LENGTHS)):
        if value not in known:
            raise BadInput(f"{value!r} is not among {', '.join(known)}.")
    weights = paste_mask(portrait, mask=mask, parser=parser, growth=growth, feather=feather)
    low, high = value_range
    if background is None:
        background = portrait.frame.permute(2, 0, 1) * (high - low) + low
    still = isinstance(background, Tensor) and (background.ndim == 3 or len(background) == 1)
    bases = _single(background, "background")
    if still:
        bases = repeat(next(bases))
    pairs = _paired(_single(frames, "face"), bases, length == "longest" and not still)
    return _batched(_pasted(pairs, portrait, weights, colour, value_range), portrait)


def _pasted(
    pairs: Iterator[tuple[Tensor, Tensor]],
    portrait: Portrait,
    weights: Tensor,
    colour: str,
    value_range: tuple[float, float],
) -> Iterator[Tensor]:
    left, top, right, bottom = portrait.box
    weights = weights[top:bottom, left:right]
    match = _ColourMatch(weights, colour)
    for face, base in pairs:
        if base.shape[1:] != portrait.frame.shape[:2]:
            raise BadInput(
                f"A background frame is {base.shape[2]} x {base.shape[1]}, but the portrait's picture is "
                f"{portrait.frame.shape[1]} x {portrait.frame.shape[0]}; give frames of that size."
            )
        result = base.clone()
        under = result[:, top:bottom, left:right]
        face = match(_resized(face, *under.shape[1:]), under).clamp(*value_range)
        # Exactly the background where the weight is 0, and exactly the face where it is 1.
        under.lerp_(face, weights)
        yield result


def _resized(face: Tensor, height: int, width: int) -> Tensor:
    if face.shape[1:] == (height, width):
        return face
    return F.interpolate(face[None], (height, width), mode="bicubic", antialias=True)[0]


class _ColourMatch:
    """Gives each colour of the crops the mean and contrast of what lies under them."""

    def __init__(self, weights: Tensor, kind: str) -> None:
        self._weights = weights / weights.sum().clamp(min=1e-6)
        self._kind = kind
        self._gain: Tensor | None = None
        self._offset: Tensor | None = None

    def __call__(self, face: Tensor, under: Tensor) -> Tensor:
        if self._kind == "none":
            return face
        if self._gain is None:
            self._gain, self._offset = self._fit(face, under)
        elif self._kind == "smoothed":
            gain, offset = self._fit(face, under)
            self._gain = self._gain + (gain - self._gain) / _MEMORY_FRAMES
            self._offset = self._offset + (offset - self._offset) / _MEMORY_FRAMES
        return face * self._gain + self._offset

    def _fit(self, face: Tensor, under: Tensor) -> tuple[Tensor, Tensor]:
        (mean, spread), (wanted_mean, wanted_spread) = self._statistics(face), self._statistics(under)
        flat = spread < 1e-3
        gain = torch.where(flat, 1.0, wanted_spread / spread.clamp(min=1e-3)).clamp(*_GAIN)
        return gain, wanted_mean - gain * mean

    def _statistics(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        mean = (picture * self._weights).sum((1, 2), keepdim=True)
        variance = ((picture - mean).square() * self._weights).sum((1, 2), keepdim=True)
        return mean, variance.sqrt()


def _single(batches: Iterable[Tensor] | Tensor, what: str) -> Iterator[Tensor]:
    """Frames [3, H, W] one by one, float32 on the CPU, checked."""
    for batch in [batches] if isinstance(batches, Tensor) else batches:
        batch = batch[None] if batch.ndim == 3 else batch
        if batch.ndim != 4 or batch.shape[1] != 3 or not batch.is_floating_point():
            raise BadInput(
                f"The {what} has frames of shape {list(batch.shape)} and type {batch.dtype}; floats "
                "[b, 3, H, W] are wanted."
            )
        for frame in batch.detach().cpu().float():
            if not torch.isfinite(frame).all():
                raise BadInput(f"A frame of the {what} holds values that are not finite.")
            yield frame.contiguous()


def _paired(
    faces: Iterator[Tensor], bases: Iterator[Tensor], longest: bool
) -> Iterator[tuple[Tensor, Tensor]]:
    face = base = None
    while True:
        next_face = next(faces, None)
        if next_face is None and (face is None or not longest):
            break
        next_base = next(bases, None)
        if next_face is None and next_base is None:
            break
        face = face if next_face is None else next_face
        base = base if next_base is None else next_base
        if base is None:
            raise BadInput("The background has no frames; give at least one.")
        yield face, base
    if face is None:
        raise BadInput("There are no frames of the face to paste.")


def _batched(frames: Iterator[Tensor], portrait: Portrait) -> Iterator[Tensor]:
    height, width = portrait.frame.shape[:2]
    size, batch = max(1, _BATCH_PIXELS // (height * width)), []
    for frame in frames:
        batch.append(frame)
        if len(batch) == size:
            yield torch.stack(batch)
            batch = []
    if batch:
        yield torch.stack(batch)
