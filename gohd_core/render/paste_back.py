"""Puts animated face crops back into the full frame: soft edge, matched colours, as a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

import torch
from einops import rearrange
from torch import Tensor

from gohd_core.choices import COLOURS, PASTE_LENGTHS
from gohd_core.errors import BadInput
from gohd_core.face.face_parser import FaceParser
from gohd_core.face.head_track import HeadTrack
from gohd_core.face.portrait import Portrait
from gohd_core.render.paste_mask import FEATHER, GROWTH, paste_mask
from gohd_core.render.placing import MovingPlace, Place, StillPlace

_GAIN = (0.75, 1.35)
"""Largest change of contrast to match; more would be another picture."""
_MEMORY_FRAMES = 25
"""Time constant of "smoothed" colours."""
_BATCH_PIXELS = 2**21
"""Frames are handed on in batches of at most this many pixels: one frame of 1080p. Larger batches are slower
as well as larger, because the system allocates blocks past 32 MiB page by page, each time."""


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
    track: HeadTrack | None = None,
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
        track: the head's square in each frame of the background (`driving.with_head_track`), at their rate:
            the crop lies there instead of in the portrait's box, and mask and crop go with the head. Where
            no face was seen, the background stays.
        value_range: of frames, background and result alike.

    Returns: an iterator over [b, 3, H, W] float32 on the CPU. Where the mask is 0 every value equals the
    background's, bit for bit.
    Raises: `BadInput` for sizes that do not fit, values that are not finite, or no frames.
    """
    for value, known in ((colour, COLOURS), (length, PASTE_LENGTHS)):
        if value not in known:
            raise BadInput(f"{value!r} is not among {', '.join(known)}.")
    weights = paste_mask(
        portrait, mask=mask, parser=parser, growth=growth, feather=feather, moving=track is not None
    )
    place = StillPlace(portrait, weights) if track is None else MovingPlace(portrait, weights, track)
    low, high = value_range
    if background is None:
        background = rearrange(portrait.frame, "h w c -> c h w") * (high - low) + low
    still = isinstance(background, Tensor) and (background.ndim == 3 or len(background) == 1)
    bases = _single(background, "background")
    if still:
        bases = repeat(next(bases))
    pairs = _paired(_single(frames, "face"), bases, length == "longest" and not still)
    return _pasted(pairs, place, colour, value_range)


def _pasted(
    pairs: Iterator[tuple[Tensor, Tensor]], place: Place, colour: str, value_range: tuple[float, float]
) -> Iterator[Tensor]:
    match, batch, count = _ColourMatch(colour), None, 0
    for index, (face, base) in enumerate(pairs):
        size = base.shape[1:]
        if batch is None:
            batch, count = base.new_empty(max(1, _BATCH_PIXELS // size.numel()), *base.shape), 0
        rows, columns = place.region(index, *size)
        under = batch[count].copy_(base)[:, rows, columns]
        weights = place.weights(index, *size)
        if bool((weights > 0).any()):
            face = match(place.face(face, index, *size), under, weights).clamp(*value_range)
            # Exactly the background where the weight is 0, and exactly the face where it is 1.
            under.lerp_(face, weights)
        count += 1
        if count == len(batch):
            yield batch
            batch = None
    if batch is not None:
        yield batch[:count]


class _ColourMatch:
    """Matches mean and contrast of the crops' colours to the picture's under them."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._gain: Tensor | None = None
        self._offset: Tensor | None = None

    def __call__(self, face: Tensor, under: Tensor, weights: Tensor) -> Tensor:
        if self._kind == "none":
            return face
        if self._gain is None:
            self._gain, self._offset = self._fit(face, under, weights)
        elif self._kind == "smoothed":
            gain, offset = self._fit(face, under, weights)
            self._gain = self._gain + (gain - self._gain) / _MEMORY_FRAMES
            self._offset = self._offset + (offset - self._offset) / _MEMORY_FRAMES
        return face * self._gain + self._offset

    @staticmethod
    def _fit(face: Tensor, under: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        shares = weights / weights.sum()
        (mean, spread), (wanted_mean, wanted_spread) = _statistics(face, shares), _statistics(under, shares)
        flat = spread < 1e-3
        gain = torch.where(flat, 1.0, wanted_spread / spread.clamp(min=1e-3)).clamp(*_GAIN)
        return gain, wanted_mean - gain * mean


def _statistics(picture: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    mean = (picture * shares).sum((1, 2), keepdim=True)
    variance = ((picture - mean).square() * shares).sum((1, 2), keepdim=True)
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
            # One that is not finite makes the sum so; the other way round, values may be too large to add.
            if not torch.isfinite(frame.sum()) and not torch.isfinite(frame).all():
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
