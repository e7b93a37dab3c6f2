"""Puts animated face crops back into the full frame: soft edge, matched colours, as a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, pairwise, repeat
from typing import Any

import torch
from einops import rearrange
from torch import Tensor

from gohd_core.choices import COLOURS, PASTE_LENGTHS
from gohd_core.errors import BadInput
from gohd_core.face.detection.head_track import HeadTrack
from gohd_core.face.portrait import Portrait
from gohd_core.face.segmentation.face_parser import FaceParser
from gohd_core.kernels.elementwise import clamp, clone, is_finite, lerp_into
from gohd_core.render.paste_mask import FEATHER, GROWTH, paste_mask
from gohd_core.render.placing import FacePlace, MovingPlace, Place, StillPlace
from gohd_core.video.bands import BAND, Band, BandedFrames, Region, blank, rows_in_bands, union, whole_of

_GAIN = (0.75, 1.35)
"""Largest change of contrast to match; more would be another picture."""
_LIGHT = (0.4, 2.5)
"""Limits of the gain that lights a face as the one under it."""
_MEMORY_FRAMES = 25
"""Time constant of "smoothed" colours."""


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

    Returns: an iterator over [b, 3, H, W] float32 on the CPU; marks and videos take from it only what changes
    from frame to frame (`video.bands.BandedFrames`). Where the mask is 0 every value equals the background's,
    bit for bit.
    Raises: `BadInput` for sizes that do not fit, values that are not finite, or no frames.
    """
    for value, known in ((colour, COLOURS), (length, PASTE_LENGTHS)):
        if value not in known:
            raise BadInput(f"{value!r} is not among {', '.join(known)}.")
    weights = paste_mask(
        portrait, mask=mask, parser=parser, growth=growth, feather=feather, moving=track is not None
    )
    if track is None:
        place = StillPlace(portrait, weights)
    elif mask is None and parser is None and portrait.mesh is not None and track.poses is not None:
        place = FacePlace(portrait, weights, track)
    else:
        place = MovingPlace(portrait, weights, track)
    low, high = value_range
    if background is None:
        background = rearrange(portrait.frame, "h w c -> c h w") * (high - low) + low
    still = isinstance(background, Tensor) and (background.ndim == 3 or len(background) == 1)
    if isinstance(background, BandedFrames):
        around, bases = background.still, _written(background)
    else:
        bases = _single(background, "background")
        around = next(bases, None)
        if around is None:
            raise BadInput("The background has no frames; give at least one.")
        bases = repeat(around) if still else chain([around], bases)
    here, whole = place.region(0, *around.shape[1:]), whole_of(around)
    if isinstance(background, BandedFrames) and track is None:
        region = changing = union(background.region, here)
    elif still and track is None and here != whole:
        region, changing = here, None
    else:
        region = changing = whole
    match = _ColourMatch(colour, low if isinstance(place, FacePlace) else None)
    paste = _Paste(place, match, value_range, changing)
    pairs = _paired(_single(frames, "face"), bases, length == "longest" and not still)
    made = (paste(*pair, index) for index, pair in enumerate(pairs))
    return BandedFrames(blank(around) if region == whole else around, region, made)


class _Paste:
    """Pastes a frame's crop into its background, band by band.

    Args:
        changing: the region in which either may differ from the last frame's; None where only the crop does,
            and always lies at the same place.
    """

    def __init__(
        self, place: Place, match: _ColourMatch, value_range: tuple[float, float], changing: Region | None
    ) -> None:
        self._place, self._match, self._range, self._changing = place, match, value_range, changing
        self._weights: Tensor | None = None

    def __call__(self, crop: Tensor, base: Tensor, index: int) -> Iterator[Band]:
        """The bands of a frame, of a crop [3,s,s] over a picture [3,H,W]."""
        size = base.shape[1:]
        rows, columns = region = self._place.region(index, *size)
        weights = self._place.weights(index, *size)
        if weights is not self._weights:
            self._weights, self._shown = weights, _shown(weights, rows)
        if self._shown:
            under = base[:, rows, columns]
            face = self._place.face(crop, index, *size)
            self._match.look(face, under, weights)
        across = columns if self._changing is None else self._changing[1]
        for band in rows_in_bands((self._changing or region)[0]):
            part, opaque = self._shown.get(band.start // BAND, (None, None))
            if part is not None:
                within = slice(part.start - rows.start, part.stop - rows.start)
                pixels = clamp(self._match(face[:, within]), *self._range)
                for mixed in (slice(0, opaque.start), slice(opaque.stop, None)):
                    # Exactly the background where the weight is 0, and exactly the face where it is 1.
                    lerp_into(pixels[..., mixed], under[:, within, mixed], weights[within, mixed])
            if self._changing is None:
                if part is not None:
                    yield Band((part, columns), pixels)
                continue
            whole = base[:, band, across]
            if part is not None:
                whole = clone(whole)
                at = slice(part.start - band.start, part.stop - band.start)
                whole[:, at, columns.start - across.start : columns.stop - across.start] = pixels
            yield Band((band, across), whole)


def _shown(weights: Tensor, rows: slice) -> dict[int, tuple[slice, slice]]:
    """The bands of a region in which the face is seen, by their number: their rows, and a run of columns of
    the region in which nothing else is. weights: [h,w] of the region, which has these rows."""
    found = {}
    for part in rows_in_bands(rows):
        inside = weights[part.start - rows.start : part.stop - rows.start]
        if not bool((inside > 0).any()):
            continue
        mixed = torch.nonzero((inside < 1).any(0))[:, 0].tolist()
        ends = [-1, *mixed, inside.shape[1]]
        first, last = max(pairwise(ends), key=lambda pair: pair[1] - pair[0])
        found[part.start // BAND] = part, slice(first + 1, last)
    return found


def _written(background: BandedFrames) -> Iterator[Tensor]:
    """Its frames [3,H,W], in one and the same memory."""
    picture = background.still.clone()
    for bands in background.frames:
        for (rows, columns), pixels in bands:
            picture[:, rows, columns] = pixels
        yield picture


class _ColourMatch:
    """Matches the crops' colours to the picture's under them: mean and contrast, or of a face its light.

    black: the value of black, where colours are to be lit alone: a face's shadows stay dark and of one hue.
    """

    def __init__(self, kind: str, black: float | None = None) -> None:
        self._kind, self._black = kind, black
        self._gain: Tensor | None = None
        self._offset: Tensor | None = None

    def look(self, face: Tensor, under: Tensor, weights: Tensor) -> None:
        """Takes in the next frame's face [3,h,w], and what the picture has there."""
        if self._kind == "none":
            return
        if self._gain is None:
            self._gain, self._offset = self._fit(face, under, weights)
        elif self._kind == "smoothed":
            gain, offset = self._fit(face, under, weights)
            self._gain = self._gain + (gain - self._gain) / _MEMORY_FRAMES
            self._offset = self._offset + (offset - self._offset) / _MEMORY_FRAMES

    def __call__(self, face: Tensor) -> Tensor:
        """The face, or some of its rows, in matched colours."""
        return face if self._gain is None else face * self._gain + self._offset

    def _fit(self, face: Tensor, under: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        shares = weights / weights.sum()
        (mean, spread), (wanted_mean, wanted_spread) = _statistics(face, shares), _statistics(under, shares)
        if self._black is not None:
            gain = ((wanted_mean - self._black) / (mean - self._black).clamp(min=1e-3)).clamp(*_LIGHT)
            return gain, self._black * (1 - gain)
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
            if not is_finite(frame):
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
